"""Colour encodings: transfer curves, and primaries with the way from them to linear Rec.709.

Curves are pure functions; each gives the same bits for the same pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.media.pixels import Pixels

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

Chromaticities = tuple[float, ...]
"""CIE x, y of red, green, blue and white, as an EXR's `chromaticities` has them: 8 numbers."""

REC709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)  # ITU-R BT.709-6
REC2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)  # ITU-R BT.2020-2
P3_D65 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290)  # SMPTE EG 432-1
P3_DCI = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351)  # SMPTE RP 431-2
ADOBE_RGB = (0.64, 0.33, 0.21, 0.71, 0.15, 0.06, 0.3127, 0.3290)  # Adobe RGB (1998)
ACESCG = (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, 0.32168, 0.33767)  # S-2014-004
ACES2065 = (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.077, 0.32168, 0.33767)  # SMPTE ST 2065-1

# One space has other names in other configurations; the first that is there is taken.
LINEAR_SPACES: Mapping[Chromaticities, tuple[str, ...]] = MappingProxyType(
    {
        REC709: ("lin_rec709_scene", "lin_rec709", "Utility - Linear - sRGB"),
        ACESCG: ("lin_ap1_scene", "ACEScg", "ACES - ACEScg"),
        ACES2065: ("lin_ap0_scene", "ACES2065-1", "ACES - ACES2065-1"),
        REC2020: ("lin_rec2020_scene", "lin_rec2020", "Utility - Linear - Rec.2020"),
        P3_D65: ("lin_p3d65_scene", "lin_p3d65", "Utility - Linear - P3-D65"),
        P3_DCI: ("lin_p3dci_scene", "lin_p3dci", "Utility - Linear - P3-DCI"),
        ADOBE_RGB: ("lin_adobergb_scene", "lin_adobergb", "Utility - Linear - Adobe RGB"),
    }
)
_NEAR_XY = 1e-3  # files round chromaticities to three digits

# Bradford cone responses, as ICC.1:2022, annex E.
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


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


def linear_from_srgb(display: Pixels) -> Pixels:
    """Return linear light 0..1 for display-referred sRGB, clipped (IEC 61966-2-1)."""
    clipped = np.clip(display, np.float32(0.0), np.float32(1.0))
    power = _power((clipped + np.float32(0.055)) / np.float32(1.055), 2.4)
    return np.where(clipped <= np.float32(0.04045), clipped / np.float32(12.92), power)


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


def names_of(chromaticities: Sequence[float]) -> tuple[str, ...]:
    """Return what configurations call the linear space of these primaries; () for others."""
    for known, names in LINEAR_SPACES.items():
        if len(chromaticities) == len(known) and np.allclose(chromaticities, known, atol=_NEAR_XY):
            return names
    return ()


def to_linear_rec709(chromaticities: Sequence[float]) -> NDArray[np.float32] | None:
    """Return the matrix [3, 3] from linear light of these primaries to linear Rec.709.

    White goes to white, by Bradford's adaptation. None where no colours have such primaries.
    """
    if len(chromaticities) != len(REC709) or not np.all(np.isfinite(chromaticities)):
        return None
    ours, theirs = _to_xyz(REC709), _to_xyz(chromaticities)
    if ours is None or theirs is None:
        return None
    adapted = np.diag((_BRADFORD @ _white(REC709)) / (_BRADFORD @ _white(chromaticities)))
    matrix = np.linalg.inv(ours) @ np.linalg.inv(_BRADFORD) @ adapted @ _BRADFORD @ theirs
    return np.asarray(matrix, dtype=np.float32) if np.all(np.isfinite(matrix)) else None


def _to_xyz(chromaticities: Sequence[float]) -> NDArray[np.float64] | None:
    """Return the matrix from RGB to XYZ (SMPTE RP 177)."""
    x, y = np.array(chromaticities[0:6:2]), np.array(chromaticities[1:6:2])
    if chromaticities[7] <= 0:
        return None
    columns = np.stack([x, y, 1 - x - y])
    if abs(np.linalg.det(columns)) < 1e-6:
        return None
    scale = np.linalg.solve(columns, _white(chromaticities))
    return np.asarray(columns * scale)


def _white(chromaticities: Sequence[float]) -> NDArray[np.float64]:
    x, y = chromaticities[6], chromaticities[7]
    return np.array([x / y, 1.0, (1 - x - y) / y])
