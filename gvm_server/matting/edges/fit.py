"""What the plate's colour says of the alpha: slopes by colour, fitted around each working pixel.

He and Sun, "Fast Guided Filter", arXiv:1505.00996, 2015, with four changes, each measured on the
truths of `benchmarks/truth`:
- the statistics are those of alpha and guide less their local means: a soft edge, whose alpha is a
  ramp, has none of them, and picks up neither texture nor grain;
- the guide is RGB in linear light;
- what counts as a flat guide follows the frame's grain and the brightness around the pixel;
- the offset is the one with which each working pixel keeps its own alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gvm_server.matting.edges.near import Mask, Near
from gvm_server.matting.engines.base import LUMA, Image

FLAT = 2e-5  # variance, in display values squared, below which a clean guide says nothing
SPREAD_REACH = 2  # working pixels that a spread sees on either side
_BLUR = (2 * SPREAD_REACH + 1,) * 2
_THIRD = np.full((3, 1), 1 / 3, np.float32)
_BOX = np.ones((3, 3), np.uint8)  # working pixels; wider boxes spread texture into the soft edge
_LUMA = np.array([LUMA], np.float32)
SUM = np.ones((1, 3), np.float32)  # of colours
_HALO = SPREAD_REACH + 3  # rows that a fit sees on either side: then three means, each of the last
# The slope of linear light over display values, squared, is this times light to the 7/6
# (IEC 61966-2-1), and that of the straight part near black at least.
_SLOPE_GAIN, _SLOPE_POWER, _SLOPE_IN_BLACK = (2.4 / 1.055) ** 2, 7 / 6, 1 / 12.92**2


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """Slopes and offset at working size: alpha is offset + slopes . colour.

    Attributes:
        slopes: [h, w, 3], by linear R, G, B.
        offset: [h, w].
    """

    slopes: Image
    offset: Image


def flat(alpha: Image) -> Mask:
    """Return where a pixel's whole box of 3 x 3 has one value: [h, w]. The band is the rest."""
    return np.asarray(cv2.dilate(alpha, _BOX) == cv2.erode(alpha, _BOX))


def spread_out(image: Image, spread: float) -> Image:
    """Blur as an engine of this spread does: a Gaussian of so many working pixels; 0 is none."""
    if spread == 0.0:
        return image
    return np.asarray(cv2.GaussianBlur(image, _BLUR, spread, borderType=cv2.BORDER_REFLECT))


def fit(
    alpha: Image,
    colour: Image,
    still: Mask,
    variance: float,
    near: Sequence[Near],
    spread: float = 0.0,
) -> Fit:
    """Fit alpha to colour around each pixel.

    Args:
        alpha: [h, w] in 0..1.
        colour: [h, w, 3], linear light.
        still: [h, w], where no slope is wanted.
        variance: of the guide's grain, in display values squared, as far as it counts.
        near: what of the size lies near the band: elsewhere no slope is wanted either.
        spread: sigma of the blur that the alpha has and the colour does not yet, in pixels.
    """
    slopes, offset, height = np.zeros_like(colour), alpha.copy(), alpha.shape[0]
    for part in near:
        seen, own = part.with_halo(_HALO, height)
        shown = spread_out(part.cut(colour, seen), spread)
        ridge = (FLAT + variance) * _slope_squared(shown)
        lines = _slopes(part.cut(alpha, seen), shown, part.cut(still, seen), ridge)[own]
        lines[part.cut(still)] = 0.0
        part.lay(lines, slopes)
        explained = cv2.transform(cv2.multiply(lines, shown[own]), SUM)
        part.lay(part.cut(alpha) - explained.reshape(lines.shape[:2]), offset)
    return Fit(slopes=slopes, offset=offset)


def _slopes(alpha: Image, colour: Image, still: Mask, ridge: Image) -> Image:
    rough = high_pass(alpha)
    red, green, blue = (np.asarray(each, np.float32) for each in cv2.split(high_pass(colour)))
    wish = [_mean(each * rough) for each in (red, green, blue)]
    for each in wish:
        each[still] = 0.0
    solved = _solved(
        (_mean(red * red) + ridge, _mean(red * green), _mean(red * blue)),
        (_mean(green * green) + ridge, _mean(green * blue)),
        _mean(blue * blue) + ridge,
        (wish[0], wish[1], wish[2]),
        ridge,
    )
    return _mean(np.asarray(cv2.merge(solved), np.float32))


_Three = tuple[Image, Image, Image]


def _solved(
    first: _Three, second: tuple[Image, Image], third: Image, wish: _Three, least: Image
) -> _Three:
    """Solve a symmetric 3 x 3 system in each pixel, by its rows from the diagonal on.

    As L D L': a closed inverse cancels in float32 where one colour varies much and two hardly do.
    Every pivot is at least the ridge that was added to the diagonal.
    """
    top, right, corner = first
    left: Image = right / top
    far: Image = corner / top
    middle = _at_least(second[0] - left * right, least)
    across: Image = second[1] - left * corner
    low: Image = across / middle
    last = _at_least(third - far * corner - low * across, least)
    held: Image = wish[1] - left * wish[0]
    blue: Image = (wish[2] - far * wish[0] - low * held) / last
    green: Image = held / middle - low * blue
    red: Image = wish[0] / top - left * green - far * blue
    return red, green, blue


def high_pass(image: Image) -> Image:
    """Return a picture [h, w(, C)] less the means of its boxes of 3 x 3."""
    return image - _mean(image)


def _mean(image: Image) -> Image:
    """Return the means of boxes of 3 x 3.

    Three products a direction, and not `boxFilter`, whose running sums depend on where they began.
    """
    edge = cv2.BORDER_REFLECT
    return np.asarray(cv2.sepFilter2D(image, -1, _THIRD, _THIRD, borderType=edge))


def _slope_squared(colour: Image) -> Image:
    """Return the square of linear light's slope over display values at the local brightness.

    With one measure for the whole frame a guide in linear light is blind in the dark.
    """
    light = _mean(np.asarray(cv2.transform(colour, _LUMA), np.float32))
    power = np.asarray(cv2.pow(light.reshape(-1), _SLOPE_POWER), np.float32)  # as one row: the
    # last pixels of each row of a matrix are rounded another way
    scaled = power.reshape(light.shape[:2]) * np.float32(_SLOPE_GAIN)
    return _at_least(scaled, np.float32(_SLOPE_IN_BLACK))


def _at_least(image: Image, least: Image | np.float32) -> Image:
    return np.asarray(np.maximum(image, least), np.float32)
