"""Primaries: which red, green and blue a file means, and the way from them to linear Rec.709."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

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
_NEAR = 1e-3  # files round chromaticities to three digits

# Bradford cone responses, as ICC.1:2022, annex E.
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def names_of(chromaticities: Sequence[float]) -> tuple[str, ...]:
    """Return what configurations call the linear space of these primaries; () for others."""
    for known, names in LINEAR_SPACES.items():
        if len(chromaticities) == len(known) and np.allclose(chromaticities, known, atol=_NEAR):
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
