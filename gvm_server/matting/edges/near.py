"""What lies near the band: some rows at a time, and of these the columns, side by side.

Of a subject's picture the band is a tenth. What is done there is done on pictures that hold nothing
else: each strip's runs of columns, cut out and laid beside each other. Where two runs meet, what
looks at its neighbours is wrong by so many pixels as it reaches; runs are longer than that at both
ends, and what is made there is thrown away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd
from typing import TypeAlias, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.edges.sampling import Rows, across, strips
from gvm_server.matting.engines.base import Image

Mask: TypeAlias = NDArray[np.bool_]
_Scalar = TypeVar("_Scalar", bound=np.generic)

MARGIN = 8  # working pixels around the band: more than a fit and one projection reach
# Of a picture at once: few strips are few calls, and what one of them needs stays in the cache. A
# fit needs more planes at a time than what is done at the plate's size.
ROWS, PLATE_ROWS = 64, 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Near:
    """Some rows of a picture and the columns of them that lie near the band.

    Attributes:
        rows: of the picture.
        runs: of columns of the working size; they begin and end where both sizes' pixels do.
        side: columns that the working size has.
    """

    rows: slice
    runs: tuple[slice, ...]
    side: int

    def cut(self, image: NDArray[_Scalar], rows: slice | None = None) -> NDArray[_Scalar]:
        """Return of an image [H, W(, C)], of any of the sizes, the runs of rows: [n, m(, C)].

        Args:
            image: the whole.
            rows: of it; by default its own.
        """
        part = image[self.rows if rows is None else rows]
        return np.concatenate([part[:, run] for run in self._columns(image.shape[1])], axis=1)

    def lay(
        self, made: NDArray[_Scalar], onto: NDArray[_Scalar], where: Mask | None = None
    ) -> None:
        """Lay its rows [n, m(, C)] on an image [H, W(, C)].

        Args:
            made: as `cut` has them.
            onto: the whole, changed in place.
            where: [n, m], which of them.
        """
        begin = 0
        for run in self._columns(onto.shape[1]):
            own = slice(begin, begin := begin + run.stop - run.start)
            mask = True if where is None else where[:, own]
            np.copyto(onto[self.rows, run], made[:, own], where=mask)

    def with_halo(self, halo: int, height: int) -> tuple[slice, slice]:
        """Return its rows with so many on either side, cut at a height, and its own among these."""
        seen = slice(max(self.rows.start - halo, 0), min(self.rows.stop + halo, height))
        return seen, slice(self.rows.start - seen.start, self.rows.stop - seen.start)

    def brought(self, image: Image, rows: Rows, width: int) -> Image:
        """Return its part of an image [h, w(, C)] that is brought to another size: [n, m(, C)].

        Args:
            image: the whole, at the size that it has.
            rows: from the image's height to the one that this is of.
            width: that the image is brought to.
        """
        own = rows.of(self.cut(image, rows.needed(self.rows)), self.rows)
        return across(own, self.width(width))

    def _columns(self, width: int) -> Iterator[slice]:
        for run in self.runs:
            yield slice(run.start * width // self.side, run.stop * width // self.side)

    def width(self, width: int) -> int:
        """Return how many columns the runs have of a picture of this width."""
        return sum(run.stop - run.start for run in self._columns(width))


def around(still: Mask) -> Mask:
    """Return the working pixels [h, w] within MARGIN of the band, of those outside the band."""
    reach = np.ones((2 * MARGIN + 1, 1), np.uint8)
    band = cv2.dilate((~still).view(np.uint8), reach)
    return np.asarray(cv2.dilate(band, reach.T), np.uint8).reshape(still.shape).view(np.bool_)


def near_band(wide: Mask, plate: tuple[int, int], height: int) -> tuple[Near, ...]:
    """Return what of a picture of this height lies near the band.

    Args:
        wide: [h, w], the working pixels around the band.
        plate: height and width of the plate, in whose pixels runs begin and end, too.
        height: of the picture, between the working size's and the plate's.
    """
    rows, side = wide.shape
    common = side // gcd(side, plate[1])
    found = []
    for part in strips(height, PLATE_ROWS if height == plate[0] else ROWS):
        first, last = part.start * rows // height, -(-part.stop * rows // height)
        blocks = wide[first:last].any(axis=0).reshape(-1, common).any(axis=1)
        edges = np.flatnonzero(np.diff(blocks, prepend=False, append=False)) * common
        runs = tuple(slice(int(a), int(b)) for a, b in edges.reshape(-1, 2))
        if runs:
            found.append(Near(rows=part, runs=runs, side=side))
    return tuple(found)
