"""Metrics of one frame.

`matte` and `truth` are [H, W], float, as stored: 0..1, not clipped. Definitions and scales are
those of Robust Video Matting's evaluation (Lin et al., WACV 2022), except where a name is given.
"""

from __future__ import annotations

from math import ceil, log, pi, sqrt

import cv2
import numpy as np
from numpy.typing import NDArray

Matte = NDArray[np.floating]
Mask = NDArray[np.bool_]

UNKNOWN_ELLIPSE = (10, 10)  # pixels; of MAD-T's definition
GRAD_SIGMA, GRAD_CUT = 1.4, 0.01  # pixels; how small the Gaussian is where the filter ends
CONN_THRESHOLDS = tuple(step / 10 for step in range(1, 11))
CONN_TOLERANCE = 0.15  # a pixel that is cut off by less counts as connected
PER_THOUSAND = 1e3


def mad(matte: Matte, truth: Matte) -> float:
    """Return the mean absolute difference x 1e3."""
    return float(np.abs(matte - truth).mean(dtype=np.float64)) * PER_THOUSAND


def mse(matte: Matte, truth: Matte) -> float:
    """Return the mean squared difference x 1e3."""
    return float(np.square(matte - truth).mean(dtype=np.float64)) * PER_THOUSAND


def grad(matte: Matte, truth: Matte, *, normalized: bool) -> float:
    """Return the sum of the squared differences of the gradients' lengths / 1e3.

    It is a sum: it grows with the frame's size.

    Args:
        matte: [H, W].
        truth: [H, W].
        normalized: each image is stretched to 0..1 before, as `evaluate_lr.py` does and
            `evaluate_hr.py` does not.
    """
    pair = (_stretched(matte), _stretched(truth)) if normalized else (matte, truth)
    lengths = [_gradient(each) for each in pair]
    return float(np.square(lengths[0] - lengths[1]).sum(dtype=np.float64)) / PER_THOUSAND


def conn(matte: Matte, truth: Matte) -> float:
    """Return the sum of the differences of connectivity / 1e3, whole frame (`evaluate_lr.py`).

    A pixel's level is the last of the thresholds 0.1 to 1.0, taken in turn, at which it is in the
    largest 4-connected region where matte and truth both reach it. Its connectivity is 1 less what
    it lies above that level, where that is 0.15 or more.
    """
    level = np.ones(truth.shape, np.float32)
    held = np.ones(truth.shape, np.bool_)
    below = 0.0
    for threshold in CONN_THRESHOLDS:
        region = _largest((matte >= threshold) & (truth >= threshold))
        level[held & ~region] = below
        held &= region
        below = threshold
    connected = [_connectivity(each - level) for each in (matte, truth)]
    return float(np.abs(connected[0] - connected[1]).sum(dtype=np.float64)) / PER_THOUSAND


def unknown(truth: Matte) -> Mask:
    """Return where a frame's truth is neither deep inside nor deep outside: MAD-T's band.

    It is the complement of the eroded opaque region and of the eroded empty region, each eroded
    by an ellipse of 10 x 10 pixels (VideoMaMa).
    """
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, UNKNOWN_ELLIPSE)
    sure = [cv2.erode((truth == value).astype(np.uint8), ellipse) for value in (0, 1)]
    return np.asarray(np.maximum(*sure) == 0)


def mad_within(matte: Matte, truth: Matte, band: Mask) -> float | None:
    """Return MAD over a mask's pixels x 1e3; None where it has none."""
    return mad(matte[band], truth[band]) if band.any() else None


def _stretched(image: Matte) -> Matte:
    """Return an image whose smallest value is 0 and whose largest is 1; a flat one is 0."""
    low, high = image.min(), image.max()
    return (image - low) / (high - low) if high > low else np.zeros_like(image)


def _gradient(image: Matte) -> NDArray[np.float64]:
    """Return the length of an image's gradient by a Gaussian's derivatives: [H, W]."""
    wide = image.astype(np.float64)
    edge = cv2.BORDER_REPLICATE
    across = cv2.sepFilter2D(wide, -1, _SLOPE, _BELL, borderType=edge)
    down = cv2.sepFilter2D(wide, -1, _BELL, _SLOPE, borderType=edge)
    return np.asarray(np.hypot(across, down))


def _gaussian() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a Gaussian and its derivative of length 1: so is their product's over a square."""
    reach = ceil(GRAD_SIGMA * sqrt(-2 * log(sqrt(2 * pi) * GRAD_SIGMA * GRAD_CUT)))
    x = np.arange(-reach, reach + 1, dtype=np.float64)
    bell = np.exp(-(x**2) / (2 * GRAD_SIGMA**2))
    slope = -x * bell
    return bell / np.linalg.norm(bell), slope / np.linalg.norm(slope)


_BELL, _SLOPE = _gaussian()


def _largest(mask: Mask) -> Mask:
    """Return the largest 4-connected region of a mask; the first of several."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    sizes = stats[1:, cv2.CC_STAT_AREA]
    if not sizes.size:
        return np.zeros_like(mask)
    return np.asarray(labels == 1 + int(np.argmax(sizes)))


def _connectivity(above: Matte) -> Matte:
    return 1 - above * (above >= CONN_TOLERANCE)
