"""How a supervisor looks at a matte: the plate, the matte, over grounds that show faults, the edge.

`picture` is a plate [H, W, 3], display-referred 0..1, not multiplied with its matte; `alpha` is
[H, W] in 0..1. Everything is composited as displayed, for the eye: it is no deliverable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np

from gvm_server.media.pixels import Pixels

COLOUR = (0.10, 0.35, 0.20)  # display-referred; unlike skin, hair and most clothes
EDGE = (0.02, 0.98)  # between: a matte's edge, as the eye has it
EDGE_COLOUR = (1.0, 0.25, 0.15)
MATTE = "matte"  # the look that is the matte itself
DIMMED = 0.35  # the plate behind the edge's colour

Look = Callable[[Pixels, Pixels], Pixels]


def over(picture: Pixels, alpha: Pixels, ground: tuple[float, float, float]) -> Pixels:
    """Return a picture over an even ground, [H, W, 3]."""
    share = alpha[..., np.newaxis]
    return picture * share + np.asarray(ground, np.float32) * (1 - share)


def edge(alpha: Pixels) -> Pixels:
    """Return where a matte is neither 0 nor 1: [H, W], 1 or 0."""
    low, high = EDGE
    return ((alpha > low) & (alpha < high)).astype(np.float32)


def _grey(_: Pixels, alpha: Pixels) -> Pixels:
    return np.repeat(alpha[..., np.newaxis], 3, axis=2)


def _band(picture: Pixels, alpha: Pixels) -> Pixels:
    inside = edge(alpha)[..., np.newaxis]
    colour = np.asarray(EDGE_COLOUR, np.float32)
    return colour * inside + picture * np.float32(DIMMED) * (1 - inside)


LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "plate": lambda picture, _: picture,
        MATTE: _grey,
        "over colour": lambda picture, alpha: over(picture, alpha, COLOUR),
        "over black": lambda picture, alpha: over(picture, alpha, (0, 0, 0)),
        "over white": lambda picture, alpha: over(picture, alpha, (1, 1, 1)),
        "edge": _band,
    }
)
