"""From a working alpha to a larger one: a fit brought up, and held at what the model said."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gvm_server.matting.edges.fit import SPREAD_REACH, SUM, Fit, flat, spread_out
from gvm_server.matting.edges.near import Mask, Near
from gvm_server.matting.edges.sampling import Rows, across, nearest
from gvm_server.matting.engines.base import Image

PROJECTIONS = 5
# Sigma, in working pixels, of what is coarse in a second look's alpha. With 0 the look mends no
# edge that the first one misplaced; with 2 a look that errs as a whole does more harm.
COARSE = 1.0

Linear = Callable[[Near], Image]
"""Gives what of a guide lies near the band of some rows, in linear light: [n, m, 3]."""


def bilinear(alpha: Image, near: Sequence[Near], height: int, width: int) -> Image:
    """Bring an alpha [h, w] to [height, width] and nothing else.

    Far from the band all around a pixel has its value, so there is nothing to interpolate.
    """
    source = np.ascontiguousarray(alpha)
    plain = cv2.resize(source, (width, height), interpolation=cv2.INTER_NEAREST)
    plain = np.asarray(plain, np.float32).reshape(height, width)  # of one row and column, too
    rows = Rows(alpha.shape[0], height)
    for part in near:
        part.lay(np.clip(part.brought(alpha, rows, width), 0.0, 1.0), plain)  # means may pass 1
    return plain


def applied(fitted: Fit, guide: Linear, near: Sequence[Near], onto: Image) -> None:
    """Apply a fit to a guide; the result may leave 0..1.

    Args:
        fitted: at the smaller size.
        guide: at the larger one.
        near: what of the larger size lies near the band.
        onto: [H, W], changed there.
    """
    height, width = onto.shape
    rows = Rows(fitted.offset.shape[0], height)
    for part in near:
        slopes = part.brought(fitted.slopes, rows, width)
        rise = cv2.transform(cv2.multiply(slopes, guide(part)), SUM).reshape(slopes.shape[:2])
        part.lay(rise + part.brought(fitted.offset, rows, width), onto)


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a model said, and how it blurs.

    Attributes:
        alpha: [h, w] in 0..1.
        still: [h, w], where its box has one value: outside the band.
        spread: sigma of its blur in its pixels.
    """

    alpha: Image
    still: Mask
    spread: float

    @classmethod
    def of(cls, alpha: Image, spread: float) -> Said:
        """Return what an alpha says."""
        return cls(alpha=alpha, still=flat(alpha), spread=spread)


def hold(made: Image, said: Said, near: Sequence[Near], small: Sequence[Near]) -> None:
    """Hold a larger alpha [H, W] at what the model said, in place; it lies in 0..1 then.

    Averaged and blurred as the model does it becomes the model's alpha again: iterated as in Irani
    and Peleg, "Improving Resolution by Image Registration", 1991.

    Args:
        made: the larger alpha.
        said: what the model said, [h, w].
        near: what of the larger size lies near the band.
        small: what of the model's size does.
    """
    height, width = said.alpha.shape
    thin, missed = np.zeros((made.shape[0], width), np.float32), np.zeros_like(said.alpha)
    brought_up, brought_down = Rows(height, made.shape[0]), Rows(made.shape[0], height)
    cut = [(part, np.clip(part.cut(made), 0.0, 1.0)) for part in near]
    for _ in range(PROJECTIONS):
        for part, whole in cut:
            part.lay(across(whole, part.width(width)), thin)
        for part in small:
            part.lay(_missed(thin, said, part, brought_down), missed)
        for part, whole in cut:
            np.add(whole, part.brought(missed, brought_up, made.shape[1]), out=whole)
            np.clip(whole, 0.0, 1.0, out=whole)
    for part, whole in cut:
        part.lay(whole, made)


def _missed(thin: Image, said: Said, near: Near, brought_down: Rows) -> Image:
    """Return by how much a larger alpha, averaged across, misses what was said: [n, m]."""
    seen, own = near.with_halo(SPREAD_REACH, said.alpha.shape[0])
    again = brought_down.of(near.cut(thin, brought_down.needed(seen)), seen)
    missed = near.cut(said.alpha) - spread_out(again, said.spread)[own]
    missed[near.cut(said.still)] = 0.0
    return missed


def brought_back(made: Image, said: Said, near: Sequence[Near], small: Sequence[Near]) -> None:
    """Bring a larger alpha [H, W] back to what the model said in the coarse, in place: 0..1 then.

    What is finer than about two working pixels stays as it was made.
    """
    height, width = said.alpha.shape
    thin, missed = np.zeros((made.shape[0], width), np.float32), np.zeros_like(said.alpha)
    brought_up, brought_down = Rows(height, made.shape[0]), Rows(made.shape[0], height)
    for part in near:
        part.lay(across(part.cut(made), part.width(width)), thin)
    for part in small:
        part.lay(part.cut(said.alpha) - part.brought(thin, brought_down, width), missed)
    missed = spread_out(missed, COARSE)
    for part in near:
        whole = part.cut(made) + part.brought(missed, brought_up, made.shape[1])
        part.lay(np.clip(whole, 0.0, 1.0), made)


def laid_over(plain: Image, made: Image, still: Mask, near: Sequence[Near]) -> Image:
    """Lay a made alpha over a plain one [H, W] within the band, in place, and return that.

    Args:
        plain: what bilinear makes.
        made: of the same size.
        still: [h, w], the working pixels outside the band.
        near: what of the larger size lies near the band.
    """
    height, width = plain.shape
    row, column = nearest(still.shape[0], height), nearest(still.shape[1], width)
    columns = column[np.newaxis]
    band = ~still
    for part in near:
        inside = band[row[part.rows][:, np.newaxis], part.cut(columns, slice(0, 1))]
        part.lay(part.cut(made), plain, inside)
    return plain
