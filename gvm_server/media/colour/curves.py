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

HDR_WHITE = 203.0  # cd/m2: the white of diffuse objects (ITU-R BT.2408-7, table 1)
# SMPTE ST 2084, section 5.2.
_PQ_M1, _PQ_M2 = 2610 / 16384, 2523 / 4096 * 128
_PQ_C1, _PQ_C2, _PQ_C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
_PQ_PEAK = 10_000.0
# ITU-R BT.2100-2, table 5.
_HLG_A, _HLG_B, _HLG_C = 0.17883277, 0.28466892, 0.55991073
_HLG_GAMMA, _HLG_PEAK = 1.2, 1000.0
_DISPLAY_GAMMA = 2.4


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


def linear_from_pq(signal: Pixels) -> Pixels:
    """Return linear light, 1.0 at 203 cd/m2, for PQ signals 0..1 (SMPTE ST 2084, its EOTF)."""
    power = _power(np.clip(signal, np.float32(0.0), np.float32(1.0)), 1.0 / _PQ_M2)
    above = np.maximum(power - np.float32(_PQ_C1), np.float32(0.0))
    below = np.float32(_PQ_C2) - np.float32(_PQ_C3) * power
    light = _power(above / below, 1.0 / _PQ_M1)
    return np.asarray(light * np.float32(_PQ_PEAK / HDR_WHITE), dtype=np.float32)


def linear_from_hlg(signal: Pixels) -> Pixels:
    """Return linear display light, 1.0 at 203 cd/m2, for HLG signals 0..1, [H, W, 3].

    ITU-R BT.2100-2, table 5: inverse OETF, then the OOTF of a display of 1000 cd/m2 (gamma 1.2).
    """
    clipped = np.clip(signal, np.float32(0.0), np.float32(1.0))
    exponent = (clipped - np.float32(_HLG_C)) / np.float32(_HLG_A)
    upper = np.asarray(cv2.exp(exponent.reshape(-1)), dtype=np.float32).reshape(signal.shape)
    upper = (upper + np.float32(_HLG_B)) / np.float32(12.0)
    scene = np.where(clipped <= np.float32(0.5), clipped * clipped / np.float32(3.0), upper)
    weighted = scene * np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)
    luminance = weighted[..., 0] + weighted[..., 1] + weighted[..., 2]
    gain = _power(np.maximum(luminance, np.float32(1e-6)), _HLG_GAMMA - 1.0)
    return np.asarray(
        scene * gain[..., np.newaxis] * np.float32(_HLG_PEAK / HDR_WHITE), dtype=np.float32
    )


def linear_from_display(signal: Pixels) -> Pixels:
    """Return display light for signals 0..1 (ITU-R BT.1886 with a black of 0: gamma 2.4)."""
    return _power(np.clip(signal, np.float32(0.0), np.float32(1.0)), _DISPLAY_GAMMA)


def display_from_linear(light: Pixels) -> Pixels:
    """Return signals 0..1 for display light, clipped (the inverse of `linear_from_display`)."""
    return _power(np.clip(light, np.float32(0.0), np.float32(1.0)), 1.0 / _DISPLAY_GAMMA)


def _power(base: Pixels, exponent: float) -> Pixels:
    # As one row: a matrix would be cut into pieces whose last pixels are rounded another way.
    raised = cv2.pow(np.ascontiguousarray(base).reshape(-1), exponent)
    return np.asarray(raised, dtype=np.float32).reshape(base.shape)
