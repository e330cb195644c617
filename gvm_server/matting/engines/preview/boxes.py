"""Where people are in a rough alpha, and the boxes in which the network looks at them again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.engines.base import Image

FOUND = 0.5  # a rough alpha above this is taken for a person
LEAST_PART = 0.002  # of the frame's area: what is smaller is no person
JOIN_MARGIN = 0.1  # of a box's longer side: parts whose boxes overlap with it are seen together


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """Rows `top..bottom - 1` and columns `left..right - 1` of a frame, in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def within(self, other: Box) -> tuple[slice, slice]:
        """Return its rows and columns in a box that holds it."""
        rows = slice(self.top - other.top, self.bottom - other.top)
        return rows, slice(self.left - other.left, self.right - other.left)

    def pixels(self, margin: float) -> int:
        """Return a margin in pixels that is given as a part of the box's longer side."""
        return round(margin * max(self.bottom - self.top, self.right - self.left))

    def widened(self, margin: float, height: int, width: int) -> Box:
        """Return the box with a margin on each side, cut at the frame's border.

        Args:
            margin: as a part of the box's longer side.
            height: of the frame.
            width: of the frame.
        """
        pixels = self.pixels(margin)
        return Box(
            top=max(0, self.top - pixels),
            bottom=min(height, self.bottom + pixels),
            left=max(0, self.left - pixels),
            right=min(width, self.right + pixels),
        )

    def meets(self, other: Box) -> bool:
        """Return whether the two share a pixel."""
        rows = self.top < other.bottom and other.top < self.bottom
        return rows and self.left < other.right and other.left < self.right

    def united(self, other: Box) -> Box:
        """Return the box around both."""
        return Box(
            top=min(self.top, other.top),
            bottom=max(self.bottom, other.bottom),
            left=min(self.left, other.left),
            right=max(self.right, other.right),
        )


def people(rough: Image, height: int, width: int) -> tuple[Box, ...]:
    """Return a tight box for each person in a rough alpha, from the top down.

    Connected parts so near to each other that their boxes overlap when they get a margin share
    one: a head is often apart from its body. What is too small for a person then is left out.

    Args:
        rough: [h, w] in 0..1, of any size.
        height: of the frame that the boxes are for.
        width: of that frame.
    """
    across, down = width / rough.shape[1], height / rough.shape[0]
    found = (rough > FOUND).view(np.uint8)
    _, _, statistics, _ = cv2.connectedComponentsWithStats(found)
    parts = [
        _Part(
            box=Box(
                top=math.floor(top * down),
                bottom=math.ceil((top + rows) * down),
                left=math.floor(left * across),
                right=math.ceil((left + columns) * across),
            ),
            area=area,
        )
        for left, top, columns, rows, area in statistics[1:].tolist()
    ]
    joined = _joined(parts, height, width)
    boxes = [part.box for part in joined if part.area >= LEAST_PART * rough.size]
    return tuple(sorted(boxes, key=lambda box: (box.top, box.left)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """What hangs together, or near together; its area in the rough alpha's pixels."""

    box: Box
    area: int

    def united(self, other: _Part) -> _Part:
        return _Part(box=self.box.united(other.box), area=self.area + other.area)


def _joined(parts: Sequence[_Part], height: int, width: int) -> list[_Part]:
    apart: list[_Part] = []
    for part in parts:
        joined = part
        while near := [one for one in apart if _are_near(joined.box, one.box, height, width)]:
            for other in near:
                apart.remove(other)
                joined = joined.united(other)
        apart.append(joined)
    return apart


def _are_near(one: Box, other: Box, height: int, width: int) -> bool:
    return one.widened(JOIN_MARGIN, height, width).meets(other.widened(JOIN_MARGIN, height, width))


def beyond(alpha: Image, box: Box, height: int, width: int) -> Box | None:
    """Return the box around what is found in a box, where that goes on outside; else None.

    Args:
        alpha: [h, w] in 0..1, of the box.
        box: a part of the frame.
        height: of the frame.
        width: of the frame.
    """
    found = alpha > FOUND
    cuts = (
        (found[0], box.top > 0),
        (found[-1], box.bottom < height),
        (found[:, 0], box.left > 0),
        (found[:, -1], box.right < width),
    )
    if not any(inside and line.any() for line, inside in cuts):
        return None
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    return Box(
        top=box.top + int(rows[0]),
        bottom=box.top + int(rows[-1]) + 1,
        left=box.left + int(columns[0]),
        right=box.left + int(columns[-1]) + 1,
    )


def without_specks(alpha: Image, rough: Image) -> Image:
    """Return an alpha without the specks: small parts where a rough one found nobody.

    A part is what hangs together above 0, seen at the rough alpha's size.

    Args:
        alpha: [h, w] in 0..1.
        rough: [h', w'] in 0..1, of the same frame.
    """
    small = cv2.resize(alpha, rough.shape[::-1], interpolation=cv2.INTER_AREA)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats((small > 0).view(np.uint8))
    keep: NDArray[np.bool_] = statistics[:, cv2.CC_STAT_AREA] >= LEAST_PART * rough.size
    keep[labels[rough > FOUND]] = True
    if keep.all():
        return alpha
    kept = keep[labels].view(np.uint8)
    kept = cv2.resize(kept, alpha.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return np.where(kept, alpha, np.float32(0.0))
