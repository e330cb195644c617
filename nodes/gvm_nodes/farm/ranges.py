"""Frame ranges between a farm and `gvm`: the same pieces, but the step is `:2` there, `x2` here.

Law: in `gvm`, `1-9:3` names every frame in a refining order; in OpenJD it names every third. So
a farm's text is never handed on as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gvm_client.errors import SettingsError
from gvm_nodes.frame_range import segments

# Open Job Description 2023-09, section 3.4.1.1 "RangeExpr": frames, ranges, steps; no blanks.
_PIECE = re.compile(r"(-?\d+)(?:-(-?\d+)(?::(-?[1-9]\d*))?)?", re.ASCII)


def openjd_range(frames: Iterable[int]) -> str:
    """Return frames, ascending and each once, as a range expression: `1-3,5,7-19:2`."""
    return ",".join(_piece(run) for run in segments(frames))


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


def _piece(run: range) -> str:
    if len(run) == 1:
        return str(run[0])
    return f"{run[0]}-{run[-1]}" + (f":{run.step}" if run.step > 1 else "")
