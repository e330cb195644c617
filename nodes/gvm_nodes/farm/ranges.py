"""Frame ranges between a farm and `gvm`: the same pieces, but the step is `:2` there, `x2` here.

Law: in `gvm`, `1-9:3` names every frame in a refining order; in OpenJD it names every third. So
a farm's text is never handed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gvm_client.errors import SettingsError

# Open Job Description 2023-09, section 3.4.1.1 "RangeExpr": frames, ranges, steps; no blanks.
_PIECE = re.compile(r"(-?\d+)(?:-(-?\d+)(?::(-?[1-9]\d*))?)?", re.ASCII)


def openjd_range(frames: Iterable[int]) -> str:
    """Return frames, ascending and each once, as a range expression: `1-3,5,7-19:2`."""
    ordered = sorted(set(frames))
    pieces = []
    start = 0
    while start < len(ordered):
        count = _run(ordered, start)
        pieces.append(_piece(ordered[start : start + count]))
        start += count
    return ",".join(pieces)


def gvm_range(text: str) -> str:
    """Return a range expression as `gvm matte --frames` takes it: `1-3,5,7-20x2`.

    Raises:
        SettingsError: the text is not a range expression.
    """
    return ",".join(_translated(piece.strip(), text) for piece in text.split(","))


def _translated(piece: str, text: str) -> str:
    match = _PIECE.fullmatch(piece)
    if match is None:
        raise SettingsError(
            f"{text!r} is not a range expression of Open Job Description.",
            remedy="Write it as 1-3,5,7-20:2.",
        )
    first, last, step = match.groups()
    if last is None:
        return first
    # A step down is written with a sign there; here the order of the two ends says it.
    return f"{first}-{last}" + (f"x{step.lstrip('-')}" if step else "")


def _run(ordered: Sequence[int], start: int) -> int:
    """Return how many frames from `start` on have one step; two alone are no range, unless 1 apart.

    A step above one begins at three frames: `1,4` is clearer than `1-4:3`.
    """
    if start + 1 == len(ordered):
        return 1
    step = ordered[start + 1] - ordered[start]
    count = 2
    while start + count < len(ordered):
        if ordered[start + count] - ordered[start + count - 1] != step:
            break
        count += 1
    return count if step == 1 or count > 2 else 1


def _piece(run: Sequence[int]) -> str:
    if len(run) == 1:
        return str(run[0])
    step = run[1] - run[0]
    return f"{run[0]}-{run[-1]}" + (f":{step}" if step > 1 else "")
