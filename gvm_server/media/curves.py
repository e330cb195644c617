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
    # The power of zero costs ten times as much; below 1e-4 the straight part decides anyway.
    base = np.maximum(clipped, np.float32(1e-4))
    encoded = np.asarray(cv2.pow(base.reshape(-1), 1.0 / 2.4), dtype=np.float32)
    encoded = encoded.reshape(linear.shape)
    encoded *= np.float32(1.055)
    encoded -= np.float32(0.055)
    # The greater of power and straight part is the curve, to 1e-5 where they meet.
    clipped *= np.float32(12.92)
    np.minimum(clipped, np.float32(12.92 * 0.0031308), out=clipped)
    return np.maximum(encoded, clipped, out=encoded)


def linear_from_cineon(code: Pixels) -> Pixels:
    """Return linear values, white 1.0, for Cineon code values 0..1 of 1023."""
    offset = math.exp((_CINEON_BLACK - _CINEON_WHITE) * _CINEON_EXPONENT)
    exponent = code.reshape(-1) * np.float32(1023.0 * _CINEON_EXPONENT)
    exponent -= np.float32(_CINEON_WHITE * _CINEON_EXPONENT)
    linear = np.asarray(cv2.exp(exponent), dtype=np.float32).reshape(code.shape)
    linear -= np.float32(offset)
    linear /= np.float32(1.0 - offset)
    return linear
