"""How far a matte is from the truth: the field's metrics, from their formulas.

`alpha` and `truth` are [T, H, W] (or [H, W] where one frame will do), float, in 0..1. Names and
scales are those of RobustVideoMatting's evaluation (Lin et al., WACV 2022); MAD-T is VideoMaMa's.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Mattes = NDArray[np.floating]

UNKNOWN_ELLIPSE = (10, 10)  # pixels; of MAD-T's definition


def mad(alpha: Mattes, truth: Mattes) -> float:
    """Return the mean absolute difference x 1e3."""
    return float(np.abs(_wide(alpha) - _wide(truth)).mean() * 1e3)


def mse(alpha: Mattes, truth: Mattes) -> float:
    """Return the mean squared error x 1e3."""
    return float(np.square(_wide(alpha) - _wide(truth)).mean() * 1e3)


def unknown(truth: Mattes) -> NDArray[np.bool_]:
    """Return where one frame's truth [H, W] is neither deep inside nor deep outside.

    It is the complement of the eroded opaque region and of the eroded empty region, each eroded
    by an ellipse of 10 x 10 pixels.
    """
    ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, UNKNOWN_ELLIPSE)
    sure = [cv2.erode((truth == value).astype(np.uint8), ellipse) for value in (0, 1)]
    return ~(sure[0] | sure[1]).astype(bool)


def mad_t(alpha: Mattes, truth: Mattes) -> float:
    """Return MAD-T: MAD in each frame's unknown region, averaged over the frames that have one."""
    pairs = zip(_frames(alpha), _frames(truth), strict=True)
    bands = [(matte, true, unknown(true)) for matte, true in pairs]
    errors = [mad(matte[band], true[band]) for matte, true, band in bands if band.any()]
    return float(np.mean(errors)) if errors else 0.0


def dtssd(alpha: Mattes, truth: Mattes) -> float:
    """Return dtSSD as RobustVideoMatting defines it, x 1e2.

    Per frame the root of the mean square of the difference between the two frame-to-frame
    changes; the first frame counts as 0 and enters the average. (Other codes take a sum, or leave
    the first frame out: their numbers do not compare with these.)
    """
    change = np.diff(_wide(alpha), axis=0) - np.diff(_wide(truth), axis=0)
    per_frame = np.sqrt(np.square(change).mean(axis=(1, 2)))
    return float(per_frame.sum() / len(alpha) * 1e2)


def _frames(mattes: Mattes) -> Mattes:
    return mattes if mattes.ndim == 3 else mattes[None]


def _wide(mattes: Mattes) -> NDArray[np.float64]:
    return mattes.astype(np.float64)
