"""Tone mapping, from light to the picture that the model sees: exposure, and highlights.

Light of 1.0 is diffuse white. A plate may hold more of it, or be given more by `exposure`, and the
model's picture ends at white. With `rolloff` light up to 0.8 is unchanged, and above it

    y = k + (x - k) / (1 + (x - k) / (1 - k) * (1 - 1 / U)),   k = 0.8,  U = (w - k) / (1 - k)

where w is the most light that there can be: a rational shoulder (the operator of Reinhard et al.
2002, equation 4, begun at k) of value k and slope 1 at k, monotone, 1 at w. Where there is no most,
1 / U is 0 and y approaches 1: light of 1, 2, 4 and 16 is 0.9, 0.971, 0.988 and 0.997.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from gvm_client.settings import Highlights
from gvm_server.media.pixels import Pixels

KNEE = 0.8
_MOST = np.float32(1e6)  # more light is white to the last bit, and its quotient would overflow


@dataclass(frozen=True, kw_only=True, slots=True)
class ToneMapping:
    """What is done to light before it is displayed.

    Attributes:
        exposure: stops; light is multiplied by two to this power.
        highlights: what becomes of light above white.
    """

    exposure: float = 0.0
    highlights: Highlights = Highlights.CLIP

    @property
    def gain(self) -> float:
        """What light is multiplied by."""
        return float(2.0**self.exposure)

    def apply(self, light: Pixels, *, most: float = inf) -> Pixels:
        """Return light as the model is to see it; clipping above 1 is left to the display curve.

        Args:
            light: linear, of any shape; it is not changed.
            most: the greatest value that the plate can hold.
        """
        exposed = light if self.exposure == 0.0 else light * np.float32(self.gain)
        if self.highlights is Highlights.CLIP:
            return exposed
        return roll_off(exposed, most=max(1.0, most * self.gain))


NO_TONE_MAPPING = ToneMapping()


def roll_off(light: Pixels, *, most: float = inf) -> Pixels:
    """Return light with a shoulder from `KNEE` to 1; values up to `KNEE` keep their bits.

    Args:
        light: linear, of any shape; it is not changed.
        most: the value that becomes 1, from 1 on; with 1 nothing is changed.
    """
    knee = np.float32(KNEE)
    above = light > knee
    if most <= 1.0 or not above.any():
        return light
    bend = np.float32((1.0 - (1.0 - KNEE) / (most - KNEE)) / (1.0 - KNEE))
    over = np.minimum(light[above], _MOST) - knee
    rolled = light.copy()
    rolled[above] = np.maximum(knee + over / (np.float32(1.0) + over * bend), knee)
    return rolled
