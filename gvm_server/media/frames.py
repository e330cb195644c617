"""The words for frames in messages."""

from __future__ import annotations

from collections.abc import Iterable

from gvm_client import frames as ranges

_MAX_PIECES_SHOWN = 12


def format_frames(frames: Iterable[int]) -> str:
    """Return frames as short text for a message: `1003, 1010-1012`, cut where it grows long."""
    pieces = ranges.format_frames(frames).split(",")
    shown = ", ".join(pieces[:_MAX_PIECES_SHOWN])
    hidden = len(pieces) - _MAX_PIECES_SHOWN
    return f"{shown} and {hidden} more ranges" if hidden > 0 else shown
