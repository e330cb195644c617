"""Frame ranges as artists, hosts and farms write them: `1001-1100x2,1200`, the one grammar of all.

- A piece is a frame, a range, or a range with a step, which is written `x2` (Nuke, Deadline,
  OpenCue) or `:2` (Open Job Description 2023-09, section 3.4.1.1, "RangeExpr").
- Whatever else has a meaning somewhere (`y2`, `..`, a refining `:`) is refused, never guessed.
- Frames are whole numbers, negative ones too; they come in the order written, each once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from gvm_client.errors import SettingsError
from gvm_client.limits import MAX_FRAMES, MAX_PADDING

EXAMPLE = "1001-1100x2,1200"

_DIGITS = rf"\d{{1,{MAX_PADDING}}}"
_NUMBER = rf"-?{_DIGITS}"
_PIECE = re.compile(rf"({_NUMBER})(?:-({_NUMBER})(?:[x:](-?)({_DIGITS}))?)?", re.ASCII)
_SEPARATOR = re.compile(r"\s*,\s*|\s+")
_SHOWN = 80  # letters of a text in a message

_MAX_PIECES_SHOWN = 12


def parse_frames(text: str) -> tuple[int, ...]:
    """Return the frames that a range text names: in its order, each once.

    Pieces are separated by commas or blanks: `7`, `1-9`, backwards `9-1`, each third `1-9x3` or
    `1-9:3`; a step down may carry its sign: `9-1:-3`.

    Raises:
        SettingsError: the text is empty or no range, or names more than a million frames.
    """
    ranges = [_piece(piece, text) for piece in _SEPARATOR.split(text.strip())]
    if sum(map(len, ranges)) > MAX_FRAMES:
        raise SettingsError(
            f"The frame range {_shown(text)} names more than {MAX_FRAMES:,} frames.",
            remedy="Ask for a shorter range.",
        )
    return tuple(dict.fromkeys(chain.from_iterable(ranges)))


def asked_frames(text: str, clip: range, *, most: int = 0) -> tuple[int, ...]:
    """Return the frames that a range text asks for, in its order; of no text all of the clip's.

    Args:
        text: as `parse_frames` reads it, or "".
        clip: the clip's frames.
        most: only the first so many; 0 means all.

    Raises:
        SettingsError: as `parse_frames`.
    """
    frames = parse_frames(text) if text else tuple(clip)
    return frames[: most or None]


def format_frames(frames: Iterable[int], *, step: str = "x") -> str:
    """Return frames as the shortest plain range text, ascending: `1001-1009x2,1020-1030`.

    Args:
        frames: in any order; each is written once.
        step: the sign before a step: `x`, or `:` where only Open Job Description's is read.
    """
    return ",".join(_written(run, step) for run in segments(frames))


def segments(frames: Iterable[int]) -> Iterator[range]:
    """Yield the frames as the fewest ranges of a constant step, ascending."""
    ascending = sorted(set(frames))
    index = 0
    while index < len(ascending):
        end = index + 1
        step = ascending[end] - ascending[index] if end < len(ascending) else 1
        while end < len(ascending) and ascending[end] - ascending[end - 1] == step:
            end += 1
        if step > 1 and end - index == 2:  # two lone frames are no run
            end, step = index + 1, 1
        yield range(ascending[index], ascending[end - 1] + 1, step)
        index = end


def _piece(piece: str, text: str) -> range:
    match = _PIECE.fullmatch(piece)
    if match is None:
        raise _not_a_range(text)
    first, last = int(match[1]), int(match[2] or match[1])
    sign, step = match[3], int(match[4] or 1)
    if step == 0 or (sign and last >= first):
        raise _not_a_range(text)
    return range(first, last - 1, -step) if last < first else range(first, last + 1, step)


def _written(run: range, step: str) -> str:
    if len(run) == 1:
        return str(run[0])
    return f"{run[0]}-{run[-1]}" + (f"{step}{run.step}" if run.step > 1 else "")


def _not_a_range(text: str) -> SettingsError:
    return SettingsError(
        f"{_shown(text)} is not a frame range.",
        remedy="Write frames, ranges, and ranges with a step, with commas between:"
        f" {EXAMPLE}; -5--1; 1001-1100:2 is 1001-1100x2.",
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")


def abbreviated_frames(frames: Iterable[int]) -> str:
    """Return frames as short text for a message: `1003, 1010-1012`, cut where it grows long."""
    pieces = format_frames(frames).split(",")
    shown = ", ".join(pieces[:_MAX_PIECES_SHOWN])
    hidden = len(pieces) - _MAX_PIECES_SHOWN
    return f"{shown} and {hidden} more ranges" if hidden > 0 else shown
