"""From one size to another, one axis at a time, so that any rows can be had without the others.

A side that grows is interpolated (bilinear, half-pixel centres, edges repeated); one that shrinks
is averaged by area: with anamorphic plates one side may do the one and the other the other.
Every result is the same for any choice of rows (tests: `test_sampling.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.engines.base import Image

STRIP = 32  # rows at once: what a strip needs stays in a core's cache


def strips(height: int, rows: int = STRIP) -> Iterator[slice]:
    """Yield the rows of a picture, some at a time."""
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def across(image: Image, width: int) -> Image:
    """Return [n, w(, C)] as [n, width(, C)]: each row by itself."""
    if image.shape[0] == 1:  # OpenCV 5 rounds a row alone another way than the same row of many
        return _resized(np.repeat(image, 2, axis=0), 2, width)[:1]
    return _resized(image, image.shape[0], width)


def down(image: Image, height: int) -> Image:
    """Return [h, w(, C)] as [height, w(, C)]: each column by itself."""
    return _resized(image, height, image.shape[1])


class Rows:
    """The rows of a picture that is brought to a height; only those asked for are made.

    Args:
        image: [h, w(, C)].
        height: that it is brought to.
    """

    def __init__(self, image: Image, height: int) -> None:
        self._image = image if height >= image.shape[0] else down(image, height)
        side = self._image.shape[0]
        place = (np.arange(height) + 0.5) * (side / height) - 0.5
        place = np.clip(place, 0, side - 1)
        self._above = place.astype(np.intp)
        self._below = np.minimum(self._above + 1, side - 1)
        share = (place - self._above).astype(np.float32)
        self._share = share.reshape(-1, *[1] * (image.ndim - 1))

    def __getitem__(self, rows: slice) -> Image:
        """Return [n, w(, C)]."""
        above = self._image[self._above[rows]]
        between: Image = self._image[self._below[rows]]  # a copy
        between -= above
        between *= self._share[rows]
        between += above
        return between


def nearest(side: int, size: int) -> NDArray[np.intp]:
    """Return for each of `size` pixels the one of 0..side-1 in which its centre lies."""
    place = (2 * np.arange(size, dtype=np.int64) + 1) * side // (2 * size)
    return place.astype(np.intp)


def average(image: Image, height: int, width: int) -> Image:
    """Return a picture at another size; each pixel is the mean of the area it stands for."""
    return down(across(image, width), height)


def _resized(image: Image, height: int, width: int) -> Image:
    before = image.shape[:2]
    if before == (height, width):
        return image
    grows = height >= before[0] and width >= before[1]
    way = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    resized = cv2.resize(np.ascontiguousarray(image), (width, height), interpolation=way)
    return np.asarray(resized, dtype=np.float32).reshape(height, width, *image.shape[2:])
