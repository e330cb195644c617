"""The plate as a guide: display-referred RGB, its grain, and its rows in linear light.

Compositing is linear in light: there alpha is an affine function of colour, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.edges.near import Near
from gvm_server.matting.edges.sampling import Rows, across
from gvm_server.matting.engines.base import Image
from gvm_server.media.colour.encodings import linear_from_srgb
from gvm_server.media.pixels import Pixels

# Immerkaer, "Fast Noise Variance Estimation", 1996: a mask of second differences down and across
# leaves no edge and no ramp standing; of white noise it makes 6 times its deviation.
_GAIN = 6.0
_NORMAL = 1.4826  # standard deviations in a median of absolute values
# Of the grain of a channel, which a lens and a debayering have softened, and which a luma averages,
# the mask sees a third: measured on grain of 2 and 5 % that was softened by 0.6 pixels.
_SEEN = 0.33
MOST_GRAIN = 0.05  # of the display's range; what reads higher is texture
_EVERY = 3  # in both directions: a ninth of the masks, which share no pixel, do for a median

NO_GRAIN = 1e-3  # a quarter of an 8-bit step: below it there is nothing to smooth
_BOX = 5  # pixels
_CLOSE = 1.2  # sigma in pixels
_ALIKE = 3.0  # grains


@dataclass(frozen=True, kw_only=True, slots=True)
class Guide:
    """One frame's plate.

    Attributes:
        display: [H, W, 3] uint8, 0 is 0 and 255 is 1. (Half costs twice the memory for every frame
            in hand; of the error on clean truths, also six stops under, it takes 1 to 3 %.)
        grain: standard deviation of a channel's grain, in display values, 0..MOST_GRAIN.
    """

    display: NDArray[np.uint8]
    grain: float

    @classmethod
    def of(cls, display: Pixels, luma: Image) -> Guide:
        """Return the guide that a plate makes.

        Args:
            display: [H, W, 3], display-referred sRGB, 0..1.
            luma: [H, W], of it.
        """
        coded = cv2.convertScaleAbs(display, alpha=255.0).reshape(display.shape)
        return cls(display=np.asarray(coded, np.uint8), grain=grain_of(luma))

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.display.shape[0], self.display.shape[1]

    def linear(self, near: Near) -> Image:
        """Return what lies near the band of some rows in linear light: [n, m, 3], 0..1."""
        return np.asarray(cv2.LUT(near.cut(self.display), _linear_of_code()), np.float32)

    def averaged(
        self, height: int, width: int, plate: Sequence[Near], small: Sequence[Near]
    ) -> Image:
        """Return it in linear light; each pixel is the mean of its area.

        Args:
            height: of the result.
            width: of the result.
            plate: what of the plate lies near the band.
            small: what of the result does.

        Returns:
            [height, width, 3]; 0 in what does not.
        """
        thin = np.zeros((self.size[0], width, 3), np.float32)
        for near in plate:
            near.lay(across(self.linear(near), near.width(width)), thin)
        made, rows = np.zeros((height, width, 3), np.float32), Rows(self.size[0], height)
        for near in small:
            near.lay(near.brought(thin, rows, width), made)
        return made

    def smoothed(self) -> Guide:
        """Return the guide with its grain smoothed and its edges kept; itself where it has none.

        Tomasi and Manduchi, "Bilateral Filtering for Gray and Color Images", 1998.
        """
        if self.grain < NO_GRAIN:
            return self
        alike, edge = _ALIKE * self.grain * 255, cv2.BORDER_REFLECT
        smooth = cv2.bilateralFilter(self.display, _BOX, alike, _CLOSE, borderType=edge)
        return replace(self, display=np.asarray(smooth, np.uint8))


def grain_of(luma: Image) -> float:
    """Estimate the grain of a frame from itself alone.

    Args:
        luma: [H, W], display-referred, 0..1.

    Returns:
        The standard deviation of one channel, in display values; black and clipped pixels, which
        have none, are left out.
    """
    rough = np.abs(_second_difference(_second_difference(luma).T).T)
    of = luma[1:-1:_EVERY, 1:-1:_EVERY]
    rough = rough[(of > 0.0) & (of < 1.0)]
    if rough.size == 0:
        return 0.0
    middle = rough.size // 2
    median = float(np.partition(rough, middle)[middle])
    return min(median * _NORMAL / _GAIN / _SEEN, MOST_GRAIN)


def _second_difference(image: Image) -> Image:
    """Return the second difference down of every third row that has one above and one below."""
    above, own, below = (image[at : image.shape[0] - 2 + at : _EVERY] for at in range(3))
    return np.asarray(above + below - own - own, np.float32)


@cache
def _linear_of_code() -> Image:
    return linear_from_srgb(np.arange(256, dtype=np.float32) / np.float32(255))
