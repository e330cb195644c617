"""Small pictures by which a plate's frame is told from others, whatever curve they have.

A thumbnail has a cell for each part of a picture: the median there of the green channel, which is
most of luminance and which a curve for each channel leaves alone. A median goes through any curve,
gain or depth unharmed, so two thumbnails of one frame have their cells in the same order, and only
the order is compared (Kruskal's stress, ties in the first picture unconstrained).
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from gvm_client.limits import SHOWN_COLUMNS, SHOWN_EQUAL, SHOWN_ROWS, SHOWN_SAMPLES
from gvm_server.media.colour.spaces import Colour
from gvm_server.media.geometry import Box
from gvm_server.media.pixels import Pixels
from gvm_server.media.plates.base import PlateFrame

FLAT = 0.02  # a deviation of the cells below this is noise
KEPT = 4096  # thumbnails: 9 MiB

Cells = NDArray[np.float32]  # [SHOWN_ROWS, SHOWN_COLUMNS]; NaN where there is no picture
Ranks = NDArray[np.int64]  # the same; -1 where there is no picture


def thumbnail(frame: PlateFrame, colour: Colour, box: Box) -> Cells:
    """Return the cells of what a box shows of a frame, display-referred greys, 0..1.

    Args:
        frame: as the plate has it.
        colour: the space that it is in.
        box: in the frame's pixels; it may reach beyond the display window, where there is nothing.
    """
    cells = medians(frame, box)
    # A curve leaves medians where they are, so it is enough to convert those.
    grey = np.repeat(np.nan_to_num(cells)[..., np.newaxis], 3, axis=2)
    return np.where(np.isnan(cells), cells, colour.to_display(grey)[..., 1])


def medians(frame: PlateFrame, box: Box) -> Cells:
    """Return the same as the frame has them, in its own colour space."""
    display, data = frame.header.display, frame.header.data
    seen = data.common(display)
    green = frame.pixels[..., 1][seen.slices_in(data)]
    across = _coverage(SHOWN_COLUMNS, seen.x - box.x, seen.width, box.width)
    down = _coverage(SHOWN_ROWS, seen.y - box.y, seen.height, box.height)
    samples = down @ np.ascontiguousarray(green) @ across.T
    parts = samples.reshape(SHOWN_ROWS, SHOWN_SAMPLES, SHOWN_COLUMNS, SHOWN_SAMPLES)
    cells: Cells = np.median(parts, axis=(1, 3)).astype(np.float32)
    outside = ~np.outer(
        _whole_cells(SHOWN_ROWS, display.y - box.y, display.height, box.height),
        _whole_cells(SHOWN_COLUMNS, display.x - box.x, display.width, box.width),
    )
    cells[outside] = np.nan
    return cells


def stress(ranks: Ranks, cells: Cells) -> float:
    """Return how far the cells are from the order of the ranks: 0 is in order, 1 has none of it.

    It is the deviation from the nearest cells that are in order, over that of the cells; of the
    parts that both show. A picture without order, which tells nothing, agrees with a flat one only.
    """
    both = (ranks >= 0) & ~np.isnan(cells)
    order, values = ranks[both], cells[both].astype(np.float64)
    if not values.size:
        return 0.0
    deviation = max(float(values.std()), FLAT)
    if order.min() == order.max():
        return float(values.std() > FLAT)
    ascending = values[np.lexsort((values, order))]
    return float(sqrt(np.mean((ascending - _nearest_ascending(ascending)) ** 2)) / deviation)


def as_ranks(ranks: Sequence[int]) -> Ranks:
    """Return ranks as a host says them, row by row from the top left."""
    return np.asarray(ranks, dtype=np.int64).reshape(SHOWN_ROWS, SHOWN_COLUMNS)


def ranks_of(cells: Cells) -> Ranks:
    """Return the places of cells in their order; equal cells have one place."""
    ranks = np.full(cells.size, -1, dtype=np.int64)
    values = cells.ravel()
    there = np.flatnonzero(~np.isnan(values))
    order = there[np.argsort(values[there], kind="stable")]
    rises = np.diff(values[order]) > SHOWN_EQUAL * np.abs(values[order][1:])
    ranks[order[:1]] = 0
    ranks[order[1:]] = np.cumsum(rises)
    return ranks.reshape(cells.shape)


class Thumbnails:
    """The thumbnails that were asked for last, by what they are of; safe from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[bytes, bytes, Box], Cells] = OrderedDict()

    def of(self, key: bytes, colour: Colour, box: Box, read: Callable[[], PlateFrame]) -> Cells:
        """Return a frame's thumbnail, made once.

        Args:
            key: the frame's.
            colour: the space that it is in.
            box: what is shown of it.
            read: reads the frame.
        """
        name = (key, colour.digest, box)
        with self._lock:
            if (known := self._kept.get(name)) is not None:
                self._kept.move_to_end(name)
                return known
        made = thumbnail(read(), colour, box)
        with self._lock:
            self._kept[name] = made
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return made


@lru_cache(maxsize=8)  # a clip has two, or six where its aspect is another; 8 MiB each at 4K
def _coverage(cells: int, start: int, length: int, whole: int) -> Pixels:
    """Return [cells * SHOWN_SAMPLES, length]: each pixel's part in each sample of a side.

    Args:
        cells: of the side.
        start: where the pixels begin in it.
        length: how many pixels there are.
        whole: how long the side is, in pixels.
    """
    edges = np.arange(cells * SHOWN_SAMPLES + 1) * (whole / (cells * SHOWN_SAMPLES))
    pixels = start + np.arange(length)
    covered = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    weights: Pixels = (np.maximum(covered, 0.0) / np.diff(edges)[:, None]).astype(np.float32)
    return weights


def _whole_cells(cells: int, start: int, length: int, whole: int) -> NDArray[np.bool_]:
    """Return which cells of a side lie within the picture."""
    edges = np.arange(cells + 1) * (whole / cells)
    inside = (edges[:-1] >= start - 1e-6) & (edges[1:] <= start + length + 1e-6)
    return np.asarray(inside, dtype=np.bool_)


def _nearest_ascending(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the nearest values that never fall (pool adjacent violators)."""
    means: list[float] = []
    counts: list[int] = []
    for value in values.tolist():
        mean, count = value, 1
        while means and means[-1] > mean:
            before, size = means.pop(), counts.pop()
            mean = (mean * count + before * size) / (count + size)
            count += size
        means.append(mean)
        counts.append(count)
    return np.repeat(means, counts)
