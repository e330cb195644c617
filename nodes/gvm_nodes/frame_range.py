"""Frame ranges as hosts and artists write them: `1001-1100x2 1200`, negative numbers included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gvm_client.errors import SettingsError

MAX_FRAMES = 1_000_000  # as the server: eleven hours at 24 frames per second

_PIECE = re.compile(r"(-?\d{1,9})(?:-(-?\d{1,9})(?:x(\d{1,9}))?)?", re.ASCII)


def parse_frames(text: str) -> tuple[int, ...]:
    """Return the frames that a range text names, ascending, each once.

    Pieces are separated by commas or blanks: a frame, a range, or a range with a step.

    Raises:
        SettingsError: the text is empty or no range, or names more than a million frames.
    """
    pieces = re.split(r"[,\s]+", text.strip(", \t\n"))
    ranges = [_piece(piece, text) for piece in pieces]
    if sum(map(len, ranges)) > MAX_FRAMES:
        raise SettingsError(
            f"The frame range {text[:80]!r} names more than {MAX_FRAMES:,} frames.",
            remedy="Ask for a shorter range.",
        )
    return tuple(sorted({frame for piece in ranges for frame in piece}))


def format_frames(frames: Iterable[int]) -> str:
    """Return frames as the shortest plain range text, ascending: `1001-1009x2,1020-1030`."""
    return ",".join(_written(run) for run in _runs(sorted(set(frames))))


def segments(frames: Iterable[int]) -> Iterator[range]:
    """Yield the frames as the fewest ranges of a constant step, ascending."""
    return _runs(sorted(set(frames)))


def _piece(piece: str, text: str) -> range:
    match = _PIECE.fullmatch(piece)
    if match is None or int(match[3] or 1) == 0:
        raise SettingsError(
            f"{text[:80]!r} is not a frame range.",
            remedy="Write frames and ranges such as 1001-1100x2 1200 or -5--1.",
        )
    first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
    if last < first:  # the same frames; the order of work is the server's
        return range(first, last - 1, -step)
    return range(first, last + 1, step)


def _runs(frames: list[int]) -> Iterator[range]:
    index = 0
    while index < len(frames):
        end = index + 1
        step = frames[end] - frames[index] if end < len(frames) else 1
        while end < len(frames) and frames[end] - frames[end - 1] == step:
            end += 1
        if step > 1 and end - index == 2:  # two lone frames are no run
            end, step = index + 1, 1
        yield range(frames[index], frames[end - 1] + 1, step)
        index = end


def _written(run: range) -> str:
    if len(run) == 1:
        return str(run[0])
    return f"{run[0]}-{run[-1]}" + (f"x{run.step}" if run.step > 1 else "")
