"""The matting step, an option: what the networks were sure of stays, the rest follows colours.

A is the alpha for which x' L x + (x - p)' W (x - p) is least: L the matting Laplacian of Levin,
Lischinski and Weiss ("A Closed-Form Solution to Natural Image Matting", 2008), p the networks'
alpha, W large where they were sure. Its products are means over boxes (He, Sun and Tang, "Fast
Matting Using Large Kernel Matting Laplacian Matrices", 2010), so no matrix is held. The small
solution comes up by its own local lines through colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np

from gvm_server.matting.engines.base import Image

SIDE = 448  # pixels of the longer side at which it is solved
SURE = 0.1  # an alpha this near to 0 or 1 is trusted,
SURE_BEYOND = 0.015  # of the longer side: but not this near to one that is not
SURE_WEIGHT = 100.0
FLAT = 1e-4  # of a box's colours, squared sRGB: below it they say nothing
STEPS = 20  # of conjugate gradients
_BOX = (3, 3)
# Of colours, as `Lines.inverse` has them.
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))

Planes: TypeAlias = tuple[Image, ...]
"""One plane [h, w] for each colour, or slope."""


def settled(picture: Image, alpha: Image) -> Image:
    """Return an alpha [h, w] in 0..1 that follows the colours of a picture [h, w, 3] where unsure.

    Args:
        picture: sRGB in 0..1.
        alpha: [h, w] in 0..1, the networks'.
    """
    height, width = alpha.shape
    scale = min(1.0, SIDE / max(height, width))
    size = (max(1, round(scale * width)), max(1, round(scale * height)))
    colours = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    prior = np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA), np.float32)
    lines = Lines.of(colours)
    least = solved(lines, prior, weights_of(prior))
    *slopes, offset = (_grown(part, width, height) for part in lines.through(least))
    made = _dots(slopes, _planes(picture)) + offset
    return cast("Image", np.clip(made, 0.0, 1.0, dtype=np.float32))


def weights_of(prior: Image) -> Image:
    """Return how much a prior counts: more where all around it is as surely 0, or as surely 1."""
    reach = max(1, round(SURE_BEYOND * max(prior.shape)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    sure = (cv2.erode(prior, disc) > 1 - SURE) | (cv2.dilate(prior, disc) < SURE)
    return np.where(sure, np.float32(SURE_WEIGHT), np.float32(1.0))


def solved(lines: Lines, prior: Image, weights: Image) -> Image:
    """Return the least by conjugate gradients from the prior on: STEPS of them, always."""
    made = prior.copy()
    rest = -lines.laplacian(made)  # the prior fits itself
    step = rest.copy()
    length = _dot(rest, rest)
    for _ in range(STEPS):
        if length == 0.0:
            break
        along = lines.laplacian(step) + weights * step
        far = np.float32(length / _dot(step, along))
        made += far * step
        rest -= far * along
        before, length = length, _dot(rest, rest)
        step = rest + np.float32(length / before) * step
    return made


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """The boxes of 3 x 3 of a picture, cut at its border, and what its colours tell in each.

    Attributes:
        colours: red, green and blue, [h, w] each.
        count: [h, w], pixels of each box.
        means: of the colours, likewise.
        inverse: of the ridged covariance: rr, rg, rb, gg, gb, bb, [h, w] each.
    """

    colours: Planes
    count: Image
    means: Planes
    inverse: Planes

    @classmethod
    def of(cls, picture: Image) -> Lines:
        """Return those of a picture [h, w, 3]."""
        colours = _planes(picture)
        count = _sums(np.ones_like(colours[0]))
        means = tuple(_sums(colour) / count for colour in colours)
        covariance = [
            _sums(colours[a] * colours[b]) / count - means[a] * means[b] for a, b in _PAIRS
        ]
        for at, (a, b) in enumerate(_PAIRS):
            if a == b:
                covariance[at] += FLAT / count
        return cls(colours=colours, count=count, means=means, inverse=_inverted(covariance))

    def through(self, values: Image) -> Planes:
        """Return each pixel's mean of its boxes' best lines: three slopes and the offset."""
        return tuple(_sums(part) / self.count for part in self._best(values))

    def laplacian(self, values: Image) -> Image:
        """Return the Laplacian's product: how far each pixel is off the lines of its boxes."""
        *slopes, offset = (_sums(part) for part in self._best(values))
        return cast("Image", self.count * values - offset - _dots(slopes, self.colours))

    def _best(self, values: Image) -> Planes:
        """Return the line through colour of each box that fits best: three slopes, the offset."""
        mean = _sums(values) / self.count
        red, green, blue = (
            _sums(colour * values) / self.count - of * mean
            for colour, of in zip(self.colours, self.means, strict=True)
        )
        rr, rg, rb, gg, gb, bb = self.inverse
        slopes = (
            rr * red + rg * green + rb * blue,
            rg * red + gg * green + gb * blue,
            rb * red + gb * green + bb * blue,
        )
        return (*slopes, mean - _dots(slopes, self.means))


def _inverted(covariance: Sequence[Image]) -> Planes:
    """Return the inverse of symmetric 3 x 3 matrices; in float64, for it cancels."""
    rr, rg, rb, gg, gb, bb = (plane.astype(np.float64) for plane in covariance)
    minors = (
        gg * bb - gb * gb,
        rb * gb - rg * bb,
        rg * gb - rb * gg,
        rr * bb - rb * rb,
        rb * rg - rr * gb,
        rr * gg - rg * rg,
    )
    whole = rr * minors[0] + rg * minors[1] + rb * minors[2]
    return tuple((minor / whole).astype(np.float32) for minor in minors)


def _dots(one: Sequence[Image], other: Sequence[Image]) -> Image:
    """Return the products of three planes each, added up."""
    red, green, blue = (a * b for a, b in zip(one, other, strict=True))
    return cast("Image", red + green + blue)


def _planes(picture: Image) -> Planes:
    return tuple(np.asarray(plane, np.float32) for plane in cv2.split(picture))


def _sums(image: Image) -> Image:
    """Return the sums over boxes of 3 x 3, cut at the border: [h, w]."""
    summed = cv2.boxFilter(image, -1, _BOX, normalize=False, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(summed, np.float32)


def _grown(image: Image, width: int, height: int) -> Image:
    grown = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown, np.float32)


def _dot(one: Image, other: Image) -> float:
    """Return the sum of products; not by a library of matrices, whose threads change its bits."""
    return float(np.sum(one * other, dtype=np.float64))
