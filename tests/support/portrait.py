"""A drawn head and shoulders: a formula that a person-segmentation network takes for a person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def portrait(height: int, width: int) -> NDArray[np.float32]:
    """Return a still [3, height, width] float32, sRGB in 0..1, with one drawn person.

    Only arithmetic and exponentials of the pixel's place, so that every machine draws the same
    picture to within float32 rounding.
    """
    y, x = np.meshgrid(
        (np.arange(height) + 0.5) / height,
        (np.arange(width) - (width - 1) / 2) / height,
        indexing="ij",
    )
    wall = np.stack([0.55 + 0.15 * y, 0.62 + 0.1 * x, 0.7 - 0.2 * y])
    head = _inside((x / 0.13) ** 2 + ((y - 0.36) / 0.18) ** 2)
    hair = _inside((x / 0.15) ** 2 + ((y - 0.31) / 0.19) ** 2)
    neck = _inside((x / 0.06) ** 8 + ((y - 0.55) / 0.12) ** 8)
    body = _inside((x / 0.32) ** 4 + ((y - 1.0) / 0.4) ** 4)
    eyes = _inside(((np.abs(x) - 0.05) / 0.018) ** 2 + ((y - 0.35) / 0.012) ** 2)
    mouth = _inside((x / 0.045) ** 2 + ((y - 0.45) / 0.012) ** 2)
    skin, brown, shirt, lips = (
        (0.85, 0.64, 0.54),
        (0.2, 0.13, 0.1),
        (0.15, 0.2, 0.35),
        (0.6, 0.3, 0.3),
    )
    picture = wall
    layers = (
        (body, shirt),
        (hair, brown),
        (neck, skin),
        (head, skin),
        (eyes, brown),
        (mouth, lips),
    )
    for coverage, colour in layers:
        picture = picture + coverage * (np.array(colour)[:, None, None] - picture)
    return picture.astype(np.float32)


def _inside(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a soft coverage: 1 where the shape's equation is below 1, 0 well above."""
    return 1.0 / (1.0 + np.exp(np.clip((distance - 1.0) * 20.0, -50.0, 50.0)))
