"""Tiles: parts of a canvas at which an engine looks again, in the plate's own pixels.

- The grid is anchored in the canvas and follows from its size and the whole frame's working size,
  never from what is asked for: a tile is the same for any range, and for any region that holds it.
- A tile is as large as the model's picture of the whole frame, so it takes no more memory.
- Which tiles are looked at follows from the window's own alphas at working size: those in whose
  middle there is an edge in any of the window's frames.
- Of what the engine says there, `refine` takes what is finer than about two working pixels.

`tests/unit/server/matting/test_tiles.py` holds these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.edges.fit import flat
from gvm_server.matting.edges.near import Near
from gvm_server.matting.engines.base import Image
from gvm_server.matting.region import ShotView
from gvm_server.matting.working_size import WorkingSize, padded
from gvm_server.media.geometry import Box, ClipGeometry
from gvm_server.media.pixels import Pixels, downscale, upscale

TILES_REVISION = 1  # part of the keys: the grid, what a tile shows, how tiles are joined
SHARED = 4  # a tile shares one part in so many of its side with each neighbour


@dataclass(frozen=True, kw_only=True, slots=True)
class Tile:
    """One part of a canvas.

    Attributes:
        box: its plate pixels.
        size: the model's picture of them.
    """

    box: Box
    size: WorkingSize

    def picture(self, display: NDArray[np.uint8], seen: Box) -> Image:
        """Return what the model sees of it: [3, padded_height, padded_width] float32, 0..1.

        Args:
            display: [H, W, 3] of the pixels that are seen, 0 is 0 and 255 is 1.
            seen: where they lie.
        """
        part = display[self.box.slices_in(seen)].astype(np.float32) * np.float32(1 / 255)
        sized = downscale(part, self.size.height, self.size.width)
        return self.size.pad(np.ascontiguousarray(sized.transpose(2, 0, 1)))

    def over_plate(self, alpha: Pixels) -> Image:
        """Return a tile's alpha [padded_height, padded_width] over its box: [box height, width]."""
        return upscale(
            np.asarray(self.size.crop(alpha), np.float32), self.box.height, self.box.width
        )


TilesOfFrame: TypeAlias = Sequence[tuple[Tile, Pixels]]
"""Tiles with the alpha [padded_height, padded_width] of one frame each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TileGrid:
    """The tiles of a canvas.

    Attributes:
        canvas: the clip's.
        height: of a tile, plate pixels.
        width: of a tile, plate pixels.
        pixel_aspect: of the plate; the model sees square pixels.
        pad_multiple: the engine's.
    """

    canvas: Box
    height: int
    width: int
    pixel_aspect: float
    pad_multiple: int

    @classmethod
    def of(cls, geometry: ClipGeometry, whole: WorkingSize, pad_multiple: int) -> TileGrid:
        """Return the grid of a clip whose whole frame the model sees at a working size."""
        canvas, aspect = geometry.canvas, geometry.pixel_aspect
        return cls(
            canvas=canvas,
            height=min(canvas.height, whole.padded_height),
            width=min(canvas.width, max(1, round(whole.padded_width / aspect))),
            pixel_aspect=aspect,
            pad_multiple=pad_multiple,
        )

    def within(self, seen: Box) -> Iterator[Tile]:
        """Yield the tiles of what is seen, by rows; one that is not seen whole is cut."""
        canvas = self.canvas
        for y in _starts(canvas.y, canvas.height, self.height):
            for x in _starts(canvas.x, canvas.width, self.width):
                box = Box(x=x, y=y, width=self.width, height=self.height).common(seen)
                if box.area:
                    yield self._tile(box)

    def with_edges(self, view: ShotView, alphas: Sequence[Pixels]) -> tuple[Tile, ...]:
        """Return the tiles in whose middle there is an edge in any of some frames' alphas.

        Args:
            view: what the alphas are of.
            alphas: [padded_height, padded_width] each, the view's working size.
        """
        size = view.working
        band = np.zeros((size.height, size.width), np.bool_)
        for alpha in alphas:
            band |= ~flat(np.ascontiguousarray(size.crop(alpha), np.float32))
        return tuple(
            tile
            for tile in self.within(view.seen)
            if band[_working(self._middle(tile.box), view)].any()
        )

    def joined(self, tiles: TilesOfFrame, seen: Box) -> Closer:
        """Return what tiles say together of what is seen, without a seam.

        Args:
            tiles: of one frame.
            seen: plate pixels.
        """
        total, weights = np.zeros((2, seen.height, seen.width), np.float32)
        for tile, alpha in tiles:
            weight = self._weight(tile.box)
            place = tile.box.slices_in(seen)
            total[place] += weight * tile.over_plate(alpha)
            weights[place] += weight
        return Closer(total=total, weights=weights)

    def _tile(self, box: Box) -> Tile:
        width = max(1, round(box.width * self.pixel_aspect))
        return Tile(box=box, size=padded(box.height, width, self.pad_multiple))

    def _middle(self, box: Box) -> Box:
        """Return a tile's box without half of what it shares with its neighbours."""
        left, right = self._inset(box.x, box.width, self.canvas.x, self.canvas.width, self.width)
        above, below = self._inset(
            box.y, box.height, self.canvas.y, self.canvas.height, self.height
        )
        return Box(
            x=box.x + left,
            y=box.y + above,
            width=max(1, box.width - left - right),
            height=max(1, box.height - above - below),
        )

    @staticmethod
    def _inset(start: int, length: int, canvas: int, side: int, tile: int) -> tuple[int, int]:
        half = tile // SHARED // 2
        return half * (start > canvas), half * (start + length < canvas + side)

    def _weight(self, box: Box) -> Image:
        """Return what each pixel of a tile counts: 1 in the middle, falling to 0 at neighbours."""
        canvas = self.canvas
        rows = _ramp(box.y, box.height, canvas.y, canvas.height, self.height // SHARED)
        columns = _ramp(box.x, box.width, canvas.x, canvas.width, self.width // SHARED)
        weight: Image = rows[:, None] * columns[None, :]
        return weight


@dataclass(frozen=True, kw_only=True, slots=True)
class Closer:
    """What tiles say of one frame, over what is seen of it.

    Attributes:
        total: [H, W], the sum of their alphas times their weights.
        weights: [H, W], the sum of these; 0 where no tile was looked at.
    """

    total: Image
    weights: Image

    def over(self, made: Image, near: Sequence[Near]) -> None:
        """Lay what the tiles say over an alpha [H, W], in place, near the band."""
        for part in near:
            own, total, weights = (part.cut(each) for each in (made, self.total, self.weights))
            whole = np.maximum(weights, np.float32(1.0))  # where tiles are moved up to an edge
            part.lay(np.asarray(own + (total - weights * own) / whole, np.float32), made)


def _starts(start: int, length: int, tile: int) -> list[int]:
    """Return where tiles begin along a side; the last one ends where the side does."""
    stride = tile - tile // SHARED
    count = max(1, ceil((length - tile // SHARED) / stride))
    return [start + min(index * stride, length - tile) for index in range(count)]


def _ramp(start: int, length: int, canvas: int, side: int, shared: int) -> Image:
    """Return a side's weights [length]: a smooth step at each end that is not the canvas's.

    Two neighbours' weights add up to 1 on what they share.
    """
    place = np.arange(length, dtype=np.float32) + np.float32(0.5)
    level = np.ones(length, np.float32)
    if shared and start > canvas:
        level = np.minimum(level, place / np.float32(shared))
    if shared and start + length < canvas + side:
        level = np.minimum(level, (length - place) / np.float32(shared))
    ramp: Image = level * level * (3 - 2 * level)
    return ramp


def _working(box: Box, view: ShotView) -> tuple[slice, slice]:
    """Return the rows and columns of a view's working pixels in which a box of the plate lies."""
    seen, size = view.seen, view.working
    top, left = box.y - seen.y, box.x - seen.x
    return (
        _span(top, top + box.height, seen.height, size.height),
        _span(left, left + box.width, seen.width, size.width),
    )


def _span(first: int, end: int, plate: int, working: int) -> slice:
    return slice(first * working // plate, -(-end * working // plate))
