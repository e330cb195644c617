"""The subject's own colour, without the background that shows through its edges.

A plate is alpha F + (1 - alpha) B in linear light. F and B are estimated together from coarse to
fine, as in Germer et al., "Fast Multi-Level Foreground Estimation", arXiv:2006.14970, with the
steps of Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021 ("blur fusion"): F is
the alpha-weighted mean of its neighbourhood, B the same for 1 - alpha, and what their mix misses
of the plate is given back by shares. The finest level of many steps is half the plate's size; one
step with a wider box follows at plate size, as good as many there and several times cheaper.

The result is a pure function of plate and alpha. It scales with the plate, so values above 1 need
no care, and the count of threads changes no bit of it (tests/unit/server/matting).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from gvm_client.file_content import Despill
from gvm_server.matting.engines.base import Image
from gvm_server.media.pixels import Pixels

STEPS, BOX = 4, 3  # a level below the plate's size; the box in pixels of that level
LAST_STEPS, LAST_BOX = 1, 7  # at plate size
STRIP = 48  # rows worked on at a time: what bounds memory, and stays in the processor's cache
# The weight of what a coarser level said, against neighbours whose weight is alpha: it counts only
# where they have none, far from the subject.
COARSER = 1e-5
PURE = 0.9  # of the largest alpha: what the first colours are averaged over


_CHANNELS = {Despill.GREEN: 1, Despill.BLUE: 2}


def foreground(plate: Pixels, alpha: Image) -> Pixels:
    """Return the straight (not premultiplied) foreground of a plate, extended beyond its edges.

    Where alpha is 1 it is the plate, bit for bit; where alpha is 0 it continues the colours of the
    nearest edge. It stays within the plate's own range (and 0). F and B cannot be told apart where
    the background behind a wide soft edge changes much: there it is a guess, so it goes with alpha.

    Args:
        plate: [H, W, 3] in linear light, finite, of any range.
        alpha: [H, W] in 0..1.

    Returns:
        [H, W, 3] float32 in the plate's space.

    Raises:
        ValueError: the two are not of one size, or empty.
    """
    if plate.shape != (*alpha.shape, 3) or not alpha.size:
        raise ValueError(f"the plate is {plate.shape}, its alpha {alpha.shape}")
    whole = _Level(np.ascontiguousarray(plate, np.float32), np.ascontiguousarray(alpha, np.float32))
    levels = [whole]
    while max(levels[-1].alpha.shape) > 1:
        levels.append(levels[-1].halved())
    limits = min(0.0, float(plate.min())), max(0.0, float(plate.max()))
    pair = _first_colours(levels[min(1, len(levels) - 1)])
    for level in reversed(levels[1:]):
        fore, back = (np.empty_like(level.image) for _ in range(2))
        for rows, strips in _fused(level, pair, steps=STEPS, box=BOX, limits=limits):
            fore[rows], back[rows] = strips
        pair = fore, back
    made = np.empty_like(whole.image)
    for rows, (strip, _) in _fused(whole, pair, steps=LAST_STEPS, box=LAST_BOX, limits=limits):
        solid = (whole.alpha[rows] == 1).astype(np.uint8)
        made[rows] = cv2.copyTo(whole.image[rows], solid, strip)
    return made


def despill(colours: Pixels, screen: Despill) -> Pixels:
    """Return a foreground whose green (or blue) is nowhere above the mean of the other two.

    That is how keyers take the light of a screen off a subject. It acts on solid pixels too, where
    that light falls on skin and cloth, and on whatever else has that colour.

    Args:
        colours: [H, W, 3] straight foreground; not changed.
        screen: the screen's colour.
    """
    if screen is Despill.NONE:
        return colours
    channel = _CHANNELS[screen]
    one, other = (index for index in range(3) if index != channel)
    limit = (colours[..., one] + colours[..., other]) * np.float32(0.5)
    cleaned = colours.copy()
    np.minimum(colours[..., channel], limit, out=cleaned[..., channel])
    return cleaned


@dataclass(frozen=True, slots=True)
class _Level:
    """The plate [h, w, 3] and its alpha [h, w] at one size."""

    image: Pixels
    alpha: Image

    def halved(self) -> _Level:
        """Return the next coarser level; an odd side is made even by repeating its last row."""
        return _Level(_halved(self.image), _halved(self.alpha))


def _halved(image: Image) -> Image:
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        edge = cv2.BORDER_REPLICATE
        image = np.asarray(cv2.copyMakeBorder(image, 0, height % 2, 0, width % 2, edge))
    size = (image.shape[1] // 2, image.shape[0] // 2)
    halved = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return np.asarray(halved, np.float32).reshape(size[1], size[0], *image.shape[2:])


def _first_colours(level: _Level) -> tuple[Pixels, Pixels]:
    """Return the mean colours [1, 1, 3] of what is surely subject and surely background."""
    means = []
    for share in (level.alpha, 1 - level.alpha):
        pure = (share >= PURE * share.max()).astype(np.uint8)
        means.append(np.array(cv2.mean(level.image, pure)[:3], np.float32).reshape(1, 1, 3))
    return means[0], means[1]


def _fused(
    level: _Level,
    coarser: tuple[Pixels, Pixels],
    *,
    steps: int,
    box: int,
    limits: tuple[float, float],
) -> Iterator[tuple[slice, tuple[Pixels, Pixels]]]:
    """Yield F and B of one level by strips of rows, from those of the coarser one.

    A strip is worked on with as many rows around it as its steps reach, so that no seam is left.
    """
    height = len(level.alpha)
    halo = steps * (box // 2)
    for top in range(0, height, STRIP):
        end = min(top + STRIP, height)
        first, last = max(0, top - halo), min(height, end + halo)
        shape = (first, last, level.alpha.shape[1])
        pair = (_doubled(coarser[0], *shape), _doubled(coarser[1], *shape))
        strip = _Level(level.image[first:last], level.alpha[first:last])
        pair = _steps(strip, pair, steps=steps, box=box, limits=limits)
        inner = slice(top - first, end - first)
        yield slice(top, end), (pair[0][inner], pair[1][inner])


def _doubled(coarse: Pixels, first: int, last: int, width: int) -> Pixels:
    """Return the rows first..last of an image brought to twice its size, bilinearly, cut to width.

    The places of the pixels are the same whichever rows are asked for.
    """
    low = max(0, first // 2 - 1)
    rows = coarse[low : -(-last // 2) + 1]
    size = (2 * coarse.shape[1], 2 * len(rows))
    double = cv2.resize(rows, size, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(double[first - 2 * low : last - 2 * low, :width])


def _steps(
    strip: _Level,
    pair: tuple[Pixels, Pixels],
    *,
    steps: int,
    box: int,
    limits: tuple[float, float],
) -> tuple[Pixels, Pixels]:
    """Return F and B after so many blur-fusion steps; the arrays of `pair` are written over."""
    fore, back = pair
    share, rest = _for_each_colour(strip.alpha), _for_each_colour(1 - strip.alpha)
    near, behind = _over(_mean(share, box)), _over(_mean(rest, box))
    for _ in range(steps):
        fore = _weighted(fore, share, near, box)
        back = _weighted(back, rest, behind, box)
        missed = strip.image - back
        missed -= share * (fore - back)
        fore += share * missed
        back += rest * missed
        for colour in (fore, back):
            np.clip(colour, *limits, out=colour)
    return fore, back


def _for_each_colour(plane: Image) -> Pixels:
    return np.asarray(cv2.merge([plane] * 3), np.float32)


def _over(share: Pixels) -> Pixels:
    return np.asarray(1 / (share + np.float32(COARSER)), np.float32)


def _weighted(colour: Pixels, part: Pixels, scale: Pixels, box: int) -> Pixels:
    """Return a colour's mean over a box, weighted by its part of each pixel, and a little by 1."""
    total = cv2.scaleAdd(colour, COARSER, _mean(colour * part, box))
    return np.asarray(cv2.multiply(total, scale), np.float32)


def _mean(image: Pixels, box: int) -> Pixels:
    return np.asarray(cv2.boxFilter(image, -1, (box, box), borderType=cv2.BORDER_REFLECT))
