"""From one size to another, one axis at a time, so that any rows can be had without the others.

A side that grows is interpolated (bilinear, half-pixel centres, edges repeated); one that shrinks
is averaged by area: with anamorphic plates one side may do the one and the other the other.
Rows are the same for any choice of them (tests: `test_sampling.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.engines.base import Image


def strips(height: int, rows: int) -> Iterator[slice]:
    """Yield the rows of a picture, so many at a time."""
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def across(image: Image, width: int) -> Image:
    """Return [n, w(, C)] as [n, width(, C)]: each row by itself."""
    rows, before = image.shape[:2]
    if before == width:
        return image
    if rows == 1:  # OpenCV 5 rounds a row alone another way than the same row of many
        pair = across(np.repeat(image, 2, axis=0), width)
        return pair[:1]
    way = cv2.INTER_LINEAR if width > before else cv2.INTER_AREA
    resized = cv2.resize(np.ascontiguousarray(image), (width, rows), interpolation=way)
    return np.asarray(resized, np.float32).reshape(rows, width, *image.shape[2:])


class Rows:
    """The rows of pictures of `side` rows that are brought to `height` rows.

    Each is a sum of source rows: of two where the side grows, of those in its area where it
    shrinks.
    """

    def __init__(self, side: int, height: int) -> None:
        self._grows = height >= side
        if self._grows:
            place = np.clip((np.arange(height) + 0.5) * (side / height) - 0.5, 0, side - 1)
            self._first = place.astype(np.intp)
            share = place - self._first
            self._weights = np.stack((1 - share, share)).astype(np.float32)
        else:
            begin = np.arange(height) * (side / height)
            self._first = begin.astype(np.intp)
            source = self._first + np.arange(ceil(side / height) + 1)[:, np.newaxis]
            covered = np.minimum(source + 1, begin + side / height) - np.maximum(source, begin)
            self._weights = (np.maximum(covered, 0.0) * (height / side)).astype(np.float32)
        self._last = side - 1

    def needed(self, rows: slice) -> slice:
        """Return the source rows that these rows are made of."""
        last = int(self._first[rows.stop - 1]) + len(self._weights) - 1
        return slice(int(self._first[rows.start]), min(last, self._last) + 1)

    def of(self, source: Image, rows: slice) -> Image:
        """Return rows [n, w(, C)], a new array, from the source rows [m, w(, C)] they need."""
        first, last = self._first[rows] - self._first[rows.start], source.shape[0] - 1
        shape = (-1, *[1] * (source.ndim - 1))
        weights = [weight[rows].reshape(shape) for weight in self._weights]
        own: Image = source[first]
        if self._grows:  # by what they differ: where one value stands it stands
            below: Image = source[np.minimum(first + 1, last)]
            below -= own
            below *= weights[1]
            below += own
            return below
        own *= weights[0]
        for tap, weight in enumerate(weights[1:], start=1):
            own += source[np.minimum(first + tap, last)] * weight
        return own


def down(image: Image, height: int) -> Image:
    """Return [h, w(, C)] as [height, w(, C)]: each column by itself."""
    if image.shape[0] == height:
        return image
    return Rows(image.shape[0], height).of(image, slice(0, height))


def nearest(side: int, size: int) -> NDArray[np.intp]:
    """Return for each of `size` pixels the one of 0..side-1 in which its centre lies."""
    place = (2 * np.arange(size, dtype=np.int64) + 1) * side // (2 * size)
    return place.astype(np.intp)


def average(image: Image, height: int, width: int) -> Image:
    """Return a picture at another size; each pixel is the mean of the area it stands for."""
    return down(across(image, width), height)
