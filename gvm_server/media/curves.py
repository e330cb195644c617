"""Transfer curves as pure functions; each gives the same bits for the same pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]

# Kodak Cineon (SMPTE 268 "printing density"): code values of 10 bits, density per code value,
# and the negative's gamma.
_CINEON_BLACK, _CINEON_WHITE = 95.0, 685.0
_CINEON_EXPONENT = math.log(10.0) * 0.002 / 0.6


def srgb_from_linear(linear: Pixels) -> Pixels:
    """Return display-referred sRGB 0..1 for linear values (IEC 61966-2-1).

    Values are clipped to 0..1 first: the curve is monotone and keeps 0 and 1, so that is
    the same as clipping after it, and no power of a negative number is taken.
    """
    clipped = np.clip(linear, np.float32(0.0), np.float32(1.0))
    flat = clipped.reshape(-1)
    encoded = np.asarray(cv2.pow(flat, 1.0 / 2.4), dtype=np.float32).reshape(-1)
    encoded *= np.float32(1.055)
    encoded -= np.float32(0.055)
    np.multiply(flat, np.float32(12.92), out=encoded, where=flat <= np.float32(0.0031308))
    return encoded.reshape(linear.shape)


def linear_from_cineon(code: Pixels) -> Pixels:
    """Return linear values, white 1.0, for Cineon code values 0..1 of 1023."""
    offset = math.exp((_CINEON_BLACK - _CINEON_WHITE) * _CINEON_EXPONENT)
    exponent = code.reshape(-1) * np.float32(1023.0 * _CINEON_EXPONENT)
    exponent -= np.float32(_CINEON_WHITE * _CINEON_EXPONENT)
    linear = np.asarray(cv2.exp(exponent), dtype=np.float32).reshape(code.shape)
    linear -= np.float32(offset)
    linear /= np.float32(1.0 - offset)
    return linear
