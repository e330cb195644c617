"""Frame ranges as artists write them: `1001-1100x2,1200`, negative numbers included."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

from fileseq.exceptions import ParseException
from fileseq.frameset import FrameSet

from gvm_client.errors import SettingsError

MAX_FRAMES = 1_000_000  # eleven hours at 24 frames per second
EXAMPLE = "1001-1100x2,1200"

_MAX_PIECES_SHOWN = 12
# The same pieces as fileseq reads, whole frames only: a frame, a range, a range with steps.
_PIECE = re.compile(r"(-?\d{1,9})(?:-(-?\d{1,9})(?:([xy:])(\d{1,9}))?)?", re.ASCII)


def parse_frames(text: str) -> tuple[int, ...]:
    """Return the frames that a range text names: in its order, each once.

    `1-9` every frame, `1-9x3` every third, `1-9y3` the others, `1-9:3` refining, `9-1` backwards.

    Raises:
        SettingsError: the text is not a range, or names more than a million frames.
    """
    pieces = [piece.strip() for piece in text.split(",")]
    if sum(_count(piece, text) for piece in pieces) > MAX_FRAMES:
        raise SettingsError(
            f"The frame range {_shown(text)} names more than {MAX_FRAMES:,} frames.",
            remedy="Ask for a shorter range.",
        )
    try:
        ranges = [FrameSet(piece) for piece in pieces]
    except ParseException as error:
        raise _not_a_range(text) from error
    return tuple(dict.fromkeys(int(frame) for frame in chain.from_iterable(ranges)))


def format_frames(frames: Iterable[int]) -> str:
    """Return frames as short text for a message: `1003, 1010-1012`, cut where it grows long."""
    pieces = str(FrameSet.framesToFrameRange(sorted(set(frames)))).split(",")
    shown = ", ".join(pieces[:_MAX_PIECES_SHOWN])
    hidden = len(pieces) - _MAX_PIECES_SHOWN
    return f"{shown} and {hidden} more ranges" if hidden > 0 else shown


def _count(piece: str, text: str) -> int:
    """Return how many frames one piece may name, without making them."""
    match = _PIECE.fullmatch(piece)
    if match is None:
        raise _not_a_range(text)
    first, last, kind, step = match.groups()
    span = abs(int(last or first) - int(first)) + 1
    return span // max(int(step), 1) + 1 if kind == "x" else span


def _not_a_range(text: str) -> SettingsError:
    return SettingsError(
        f"{_shown(text)} is not a frame range.",
        remedy=f"Write frames and ranges such as {EXAMPLE} or -5--1.",
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
