"""What can be said of a matte without the truth: coverage, islands, holes, flicker.

- Nothing here says that a matte is good: each figure is of one kind of fault that can be counted.
- Islands and holes are counted at a small size, flicker on every fourth block of lines of a tall
  frame: so a clip is looked at in about the time in which its files are read.

`alpha` is [H, W] float32 over the display window, 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.media.pixels import Pixels

Mask = NDArray[np.bool_]
Counts = NDArray[np.int32]

SOLID = 0.5  # alpha from which a pixel belongs to a region
REGION_SIDE = 480  # pixels of the longest side at which regions are counted, at most
REGION_LEAST = 1e-5  # of the frame's pixels; what is smaller is a speck, and not counted
ISLAND_MOST = 0.05  # of the largest region's area; what is larger is another figure

BLOCK, EVERY = 16, 4  # lines that are looked at together (OpenEXR's ZIP); of so many blocks, one
TALL = 512  # lines from which not all are looked at
CELL = 4  # pixels a side of what is compared of two plates: their mean, so that grain is little
STILL = 0.02  # display-referred 0..1; a plate changed by less stands still
EDGE_REACH, EDGE_STEP = 2, 0.1  # an edge: alphas differ by more than this within so many pixels
EDGE_LEAST = 64  # pixels of edge that a figure is made of, at least


@dataclass(frozen=True, kw_only=True, slots=True)
class Regions:
    """What a matte's outline encloses.

    Attributes:
        blobs: islands beside the figures: regions that are small against the largest one.
        holes: regions of the background that the matte encloses.
    """

    blobs: int
    holes: int


def coverage(alpha: Pixels) -> float:
    """Return the share of the frame that a matte covers: the mean of its alpha, 0..1."""
    return float(cv2.mean(alpha)[0])


def regions(alpha: Pixels) -> Regions:
    """Count a matte's islands (8-connected) and holes (4-connected)."""
    height, width = alpha.shape
    times = max(1, -(-max(height, width) // REGION_SIDE))
    size = (max(1, width // times), max(1, height // times))
    small = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) if times > 1 else alpha
    solid = (small >= SOLID).astype(np.uint8)
    least = REGION_LEAST * solid.size
    areas = _areas(solid, 8)[0]
    largest = areas.max(initial=0)
    blobs = int(np.count_nonzero((areas >= least) & (areas < ISLAND_MOST * largest)))
    empty, boxes = _areas(1 - solid, 4)
    left, top, wide, high = boxes.T
    inside = (left > 0) & (top > 0) & (left + wide < size[0]) & (top + high < size[1])
    return Regions(blobs=blobs, holes=int(np.count_nonzero(inside & (empty >= least))))


def _areas(mask: NDArray[np.uint8], connectivity: int) -> tuple[Counts, Counts]:
    """Return each region's pixels [n], and its box [n, 4] as left, top, width, height."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    found = np.asarray(stats[1:], dtype=np.int32)
    return found[:, cv2.CC_STAT_AREA], found[:, : cv2.CC_STAT_AREA]


def change(before: Pixels, after: Pixels) -> float:
    """Return the root of the mean square of the change from one frame to the next, 0..1."""
    return float(cv2.norm(before, after, cv2.NORM_L2)) / float(np.sqrt(before.size))


def spans_of(height: int) -> tuple[range, ...]:
    """Return the lines of a frame that flicker is looked for on: whole blocks, from the top."""
    step = BLOCK * EVERY if height >= TALL else BLOCK
    return tuple(
        range(top, end)
        for top in range(0, height, step)
        if (end := top + min(BLOCK, (height - top) // CELL * CELL)) > top
    )


def lines_in(image: Pixels, spans: Sequence[range]) -> Pixels:
    """Return those lines of an image, one span below the other; as many columns as cells have."""
    width = image.shape[1] // CELL * CELL
    if not spans:
        return image[:0, :width]
    return np.concatenate([image[span.start : span.stop, :width] for span in spans])


def cells_of(lines: Pixels) -> Pixels:
    """Return the means of a plate's cells: [N / CELL, W / CELL, 3] of lines [N, W, 3]."""
    rows, columns = lines.shape[0] // CELL, lines.shape[1] // CELL
    if not (rows and columns):
        return np.zeros((rows, columns, 3), np.float32)
    whole = np.ascontiguousarray(lines[: rows * CELL, : columns * CELL])
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))


def still_cells(before: Pixels, after: Pixels) -> Mask:
    """Return where a plate stands still: [h, w] of the cells of two frames, display-referred.

    A cell whose neighbour moves does not count: the edge beside it does.
    """
    if not before.size:
        return np.zeros(before.shape[:2], np.bool_)
    moved = cv2.blur(after - before, (3, 3))
    still = (np.abs(moved).max(axis=2) < STILL).astype(np.uint8)
    return np.asarray(cv2.erode(still, np.ones((3, 3), np.uint8)) > 0)


def flicker(before: Pixels, after: Pixels, still: Mask) -> float | None:
    """Return the mean change of alpha, 0..1, at edges where the plate stands still.

    Args:
        before: [N, W], lines of one frame, in blocks of BLOCK.
        after: the same lines of the next.
        still: [N / CELL, W / CELL], cells that stand still.

    Returns:
        None where fewer than EDGE_LEAST pixels are such.
    """
    if not still.any():
        return None
    high, low = np.maximum(before, after), np.minimum(before, after)
    kernel = np.ones((2 * EDGE_REACH + 1,) * 2, np.uint8)
    edge = np.empty(before.shape, np.bool_)
    for top in range(0, len(before), BLOCK):  # a block's neighbour is not the next lines
        block = slice(top, top + BLOCK)
        edge[block] = cv2.dilate(high[block], kernel) - cv2.erode(low[block], kernel) > EDGE_STEP
    edge &= still.repeat(CELL, axis=0).repeat(CELL, axis=1)
    count = int(np.count_nonzero(edge))
    if count < EDGE_LEAST:
        return None
    return float((high - low)[edge].sum(dtype=np.float64)) / count
