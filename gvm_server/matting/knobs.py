"""What an artist does to a finished alpha: levels, grow, blur, invert, in this order.

- A knob at its default does nothing; with all at their defaults the very same array is returned.
- Lengths are plate pixels, fractions allowed: the result is a continuous function of every knob.
- The frame's border is no edge: a matte that leaves the frame neither shrinks nor fades there.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_client.declaration import settings_of
from gvm_client.settings import MatteKnobs
from gvm_server.matting.engines.base import Image
from gvm_server.media.pixels import (
    HALVES,
    StoredPixels,
    Table,
    as_float,
    as_half,
    halves_looked_up,
    looked_up,
)

# A wide disc is made of discs of this radius: cost grows with the radius, not with its square, and
# the shape is never further out than the radius and at most 6 % short of it.
DISC_STEP = 8  # pixels

# Above twice this sigma a blur runs at a smaller size, at about this sigma: 4K at sigma 256 takes
# 8 s otherwise. What it leaves out is 0.4 % of the variance.
COARSE_SIGMA = 8.0  # pixels


def finish_values(knobs: MatteKnobs) -> tuple[bool | float | str, ...]:
    """Return the values of the finish's settings, without those of what the model sees."""
    return tuple(
        getattr(knobs, one.name) for one in settings_of(MatteKnobs) if not one.reruns_model
    )


_ANY_REFINE = MatteKnobs().refine  # it is done before the knobs
_NEUTRAL = finish_values(MatteKnobs())


def is_identity(knobs: MatteKnobs) -> bool:
    """Return whether these knobs leave every alpha as it is."""
    return finish_values(replace(knobs, refine=_ANY_REFINE)) == _NEUTRAL


def without_finish(knobs: MatteKnobs) -> MatteKnobs:
    """Return the knobs with those of the finish at their defaults; how alphas come up stays."""
    plain = MatteKnobs()
    names = [one.name for one in settings_of(MatteKnobs) if not one.reruns_model]
    return replace(knobs, **{name: getattr(plain, name) for name in names if name != "refine"})


def reaches_out(knobs: MatteKnobs) -> bool:
    """Return whether these knobs make something of pixels that are 0."""
    return any(getattr(knobs, one.name) > 0 for one in settings_of(MatteKnobs) if one.lifts_zero)


def apply_to_half(alpha: NDArray[np.float16], knobs: MatteKnobs) -> NDArray[np.float16]:
    """Return the alpha under the knobs, rounded to half; the input stays.

    Where there are levels at most, nothing is made float on the way.
    """
    if is_identity(knobs):
        return alpha
    if is_identity(replace(knobs, black=0.0, white=1.0, gamma=1.0)):
        levels = _levels_table(knobs.black, knobs.white, knobs.gamma)
        return halves_looked_up(alpha, np.clip(levels, 0.0, 1.0))
    return as_half(apply(alpha, knobs))


def apply(alpha: StoredPixels, knobs: MatteKnobs) -> Image:
    """Return the alpha under the knobs as float: [H, W] in 0..1 at plate size; the input stays."""
    if is_identity(knobs):
        return as_float(alpha)
    shaped = _levels(alpha, knobs)
    if knobs.grow != 0.0:
        shaped = _grow(shaped, knobs.grow)
    if knobs.blur != 0.0:
        shaped = _blur(shaped, knobs.blur)
    if knobs.invert:
        shaped = np.float32(1.0) - shaped
    return np.clip(shaped, 0.0, 1.0)


def _levels(alpha: StoredPixels, knobs: MatteKnobs) -> Image:
    levels = knobs.black, knobs.white, knobs.gamma
    if levels == (0.0, 1.0, 1.0):
        return as_float(alpha)
    if alpha.dtype == np.float16:  # a tenth of the time
        return looked_up(alpha.view(np.float16), _levels_table(*levels))
    return _levelled(as_float(alpha), *levels)


@lru_cache(maxsize=8)
def _levels_table(black: float, white: float, gamma: float) -> Table:
    return _levelled(
        np.where(np.isfinite(HALVES), HALVES, 0.0).astype(np.float32), black, white, gamma
    )


def _levelled(alpha: Image, black: float, white: float, gamma: float) -> Image:
    stretched = np.clip((alpha - np.float32(black)) * np.float32(1 / (white - black)), 0.0, 1.0)
    return np.asarray(stretched ** np.float32(1 / gamma), np.float32)


def _grow(alpha: Image, radius: float) -> Image:
    """Dilate (or erode) by a disc; a fraction lies between the two whole radii around it."""
    morph = cv2.dilate if radius > 0 else cv2.erode
    whole, fraction = divmod(abs(radius), 1.0)
    steps, rest = divmod(int(whole), DISC_STEP)
    for _ in range(steps):
        alpha = np.asarray(morph(alpha, _disc(DISC_STEP)))
    inner: Image = np.asarray(morph(alpha, _disc(rest)))
    if fraction == 0.0:
        return inner
    outer: Image = np.asarray(morph(alpha, _disc(rest + 1)))
    return inner + (outer - inner) * np.float32(fraction)


def _disc(radius: int) -> NDArray[np.uint8]:
    """Return the pixels whose centres are at most `radius` from the middle one."""
    away = np.arange(-radius, radius + 1)
    return (away[:, None] ** 2 + away**2 <= radius**2).astype(np.uint8)


def _blur(alpha: Image, sigma: float) -> Image:
    if sigma < 2 * COARSE_SIGMA:
        return _gaussian(alpha, sigma, sigma)
    height, width = alpha.shape
    coarse_width = max(1, round(width * COARSE_SIGMA / sigma))
    coarse_height = max(1, round(height * COARSE_SIGMA / sigma))
    size = (coarse_width, coarse_height)
    coarse: Image = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))
    coarse = _gaussian(coarse, sigma * coarse_width / width, sigma * coarse_height / height)
    full = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(full)


def _gaussian(alpha: Image, across: float, down: float) -> Image:
    edge = cv2.BORDER_REPLICATE
    return np.asarray(cv2.GaussianBlur(alpha, (0, 0), across, sigmaY=down, borderType=edge))
