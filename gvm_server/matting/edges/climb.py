"""From a working alpha to a larger one: a fit brought up, and held at what the model said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.edges.fit import Fit, flat, spread_out
from gvm_server.matting.edges.sampling import Rows, across, average, down, nearest, strips
from gvm_server.matting.engines.base import Image

PROJECTIONS = 5
# Sigma, in working pixels, of what is coarse in a second look's alpha. With 0 the look mends no
# edge that the first one misplaced; with 2 a look that errs as a whole does more harm.
COARSE = 1.0
_SUM = np.ones((1, 3), np.float32)

LinearRows = Callable[[slice], Image]
"""Gives rows of a guide in linear light: [n, W, 3]."""


def bilinear(alpha: Image, height: int, width: int) -> Image:
    """Bring an alpha [h, w] to [height, width] and nothing else."""
    plain = np.empty((height, width), np.float32)
    source = Rows(alpha, height)
    for rows in strips(height):
        np.clip(across(source[rows], width), 0.0, 1.0, out=plain[rows])  # means may pass 1
    return plain


def applied(fitted: Fit, guide: LinearRows, height: int, width: int) -> Image:
    """Apply a fit to a guide of [height, width]; the result may leave 0..1."""
    made = np.empty((height, width), np.float32)
    slopes, offset = Rows(fitted.slopes, height), Rows(fitted.offset, height)
    for rows in strips(height):
        rise = cv2.multiply(across(slopes[rows], width), guide(rows))
        made[rows] = cv2.transform(rise, _SUM).reshape(-1, width)
        made[rows] += across(offset[rows], width)
    return made


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a model said, and how it blurs.

    Attributes:
        alpha: [h, w] in 0..1.
        still: [h, w], where its box has one value: outside the band.
        spread: sigma of its blur in its pixels.
    """

    alpha: Image
    still: NDArray[np.bool_]
    spread: float

    @classmethod
    def of(cls, alpha: Image, spread: float) -> Said:
        """Return what an alpha says."""
        return cls(alpha=alpha, still=flat(alpha), spread=spread)


def hold(made: Image, said: Said) -> None:
    """Hold a larger alpha [H, W] at what the model said, in place; it lies in 0..1 then.

    Averaged and blurred as the model does it becomes the model's alpha again: iterated as in Irani
    and Peleg, "Improving Resolution by Image Registration", 1991.
    """
    height, width = made.shape
    thin = np.empty((height, said.alpha.shape[1]), np.float32)
    for rows in strips(height):
        np.clip(made[rows], 0.0, 1.0, out=made[rows])
        thin[rows] = across(made[rows], said.alpha.shape[1])
    for _ in range(PROJECTIONS):
        missed = Rows(_missed(thin, said), height)
        for rows in strips(height):
            part = made[rows]
            part += across(missed[rows], width)
            np.clip(part, 0.0, 1.0, out=part)
            thin[rows] = across(part, said.alpha.shape[1])


def _missed(thin: Image, said: Said) -> Image:
    missed = said.alpha - spread_out(down(thin, said.alpha.shape[0]), said.spread)
    missed[said.still] = 0.0
    return missed


def brought_back(made: Image, said: Said) -> None:
    """Bring a larger alpha [H, W] back to what the model said in the coarse, in place: 0..1 then.

    What is finer than about two working pixels stays as it was made.
    """
    height, width = made.shape
    missed = said.alpha - average(made, *said.alpha.shape)
    rest = Rows(spread_out(missed, COARSE), height)
    for rows in strips(height):
        part = made[rows]
        part += across(rest[rows], width)
        np.clip(part, 0.0, 1.0, out=part)


def laid_over(plain: Image, made: Image, still: NDArray[np.bool_]) -> Image:
    """Lay a made alpha over a plain one [H, W] within the band, in place, and return that.

    Args:
        plain: what bilinear makes.
        made: of the same size.
        still: [h, w], the working pixels outside the band.
    """
    height, width = plain.shape
    row, column = nearest(still.shape[0], height), nearest(still.shape[1], width)
    band = ~still
    for rows in strips(height):
        np.copyto(plain[rows], made[rows], where=band[row[rows]][:, column])
    return plain
