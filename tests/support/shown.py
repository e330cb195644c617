"""A clip in memory, and a picture as the server hears of it: what `media.shown` is tried with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gvm_server.media.colour.hints import FileHint
from gvm_server.media.colour.spaces import resolve_colour
from gvm_server.media.geometry import Box, ClipGeometry, geometry_of
from gvm_server.media.plates.base import FrameHeader, PlateFrame
from gvm_server.media.plates.host_picture import Picture
from gvm_server.media.plates.thumbnail import Thumbnails, medians, ranks_of
from tests.support.pictures import Pixels


class ClipInMemory:
    """A plate of sRGB pictures; frames count from 1.

    Attributes:
        reads: frames that were read, in order.
        thumbnails: those that were made of it.
    """

    def __init__(self, pictures: Sequence[Pixels], *, gone: Sequence[int] = ()) -> None:
        self.name = "/plate/clip.mov"
        self.first, self.last = 1, len(pictures)
        self.colour = resolve_colour("srgb", FileHint(kind="movie", is_float=False))
        self.notes: tuple[str, ...] = ()
        self.reads: list[int] = []
        self.thumbnails = Thumbnails()
        self._pictures = pictures
        self._gone = gone

    def missing(self) -> list[int]:
        """Return the frames that are not there."""
        return list(self._gone)

    def want(self, frames: Sequence[int]) -> bool:
        """Return that nobody needs to be waited for."""
        return True

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Do nothing: there are no files."""

    def key(self, frame: int) -> bytes:
        """Return what stands for a frame."""
        return frame.to_bytes(16, "big")

    def header(self, frame: int) -> FrameHeader:
        """Return a frame's window, which is its picture."""
        return _header(self._pictures[frame - 1])

    def geometry(self) -> ClipGeometry:
        """Return where the pictures lie."""
        return geometry_of(self.name, {self.first: self.header(self.first).windows})

    def read(self, frame: int) -> PlateFrame:
        """Return a frame, and remember that it was read."""
        self.reads.append(frame)
        pixels = self._pictures[frame - 1]
        return PlateFrame(frame=frame, header=_header(pixels), stored=pixels)

    def close(self) -> None:
        """Do nothing."""


def picture_of(pixels: Pixels, *, search: bool = False) -> Picture:
    """Return a host's picture of square pixels, as a node says it."""
    header = _header(pixels)
    cells = medians(PlateFrame(frame=1, header=header, stored=pixels), header.display)
    aspect = pixels.shape[1] / pixels.shape[0]
    return Picture(aspect=aspect, ranks=ranks_of(cells), search=search)


def _header(pixels: Pixels) -> FrameHeader:
    box = Box(x=0, y=0, width=pixels.shape[1], height=pixels.shape[0])
    return FrameHeader(display=box, data=box)


def flat(value: float, height: int = 36, width: int = 64) -> Pixels:
    """Return a picture without detail."""
    return np.full((height, width, 3), value, np.float32)
