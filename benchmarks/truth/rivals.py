"""What the ways of `gvm_server.matting.refine` are held against: the filter of version 0.1."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.matting.engines.base import Image

_BOX = (3, 3)
_FLATNESS = 1e-3


def by_luma(alpha: Image, luma: Image) -> Image:
    """Bring an alpha up by the fast guided filter on luma, as version 0.1 does.

    Args:
        alpha: [h, w] in 0..1.
        luma: [H, W] in 0..1, display-referred.
    """
    coarse = _sized(luma, alpha, cv2.INTER_AREA)
    mean_guide, mean_alpha = _mean(coarse), _mean(alpha)
    covariance = _mean(coarse * alpha) - mean_guide * mean_alpha
    flat = _flat(alpha)
    covariance[flat] = 0.0
    variance = _mean(coarse * coarse) - mean_guide * mean_guide
    slope = _mean(covariance / (variance + np.float32(_FLATNESS)))
    made = _sized(slope, luma) * luma + _sized(alpha - slope * coarse, luma)
    np.clip(made, 0.0, 1.0, out=made)
    missed = alpha - _sized(made, alpha, cv2.INTER_AREA)
    missed[flat] = 0.0
    return np.clip(made + _sized(missed, luma), 0.0, 1.0)


def _mean(image: Image) -> Image:
    return np.asarray(cv2.boxFilter(image, -1, _BOX, borderType=cv2.BORDER_REFLECT))


def _flat(image: Image) -> NDArray[np.bool_]:
    box = np.ones(_BOX, np.uint8)
    return np.asarray(cv2.dilate(image, box) == cv2.erode(image, box))


def _sized(image: Image, like: Image, way: int = cv2.INTER_LINEAR) -> Image:
    return np.asarray(cv2.resize(image, like.shape[::-1], interpolation=way))
