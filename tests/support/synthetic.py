"""A plate whose alpha is known exactly: strands and soft blobs that move over a texture.

1. The plate is scene-linear, with highlights above 1: plate = alpha F + (1 - alpha) B, exactly.
2. Strands are drawn larger and averaged: their alpha is the share of the pixel that they cover.
3. Everything is a formula of (t, width, height); a frame of another size shows the same scene.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]

SUPERSAMPLING = 4  # sub-pixels along each side of a pixel
STRANDS = 48
STRAND_WIDTH = 1 / 360  # of the frame's height
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)  # spreads the strands evenly and never twice the same
BLOBS = ((0.36, 0.62, 0.30, 0.05), (0.66, 0.55, 0.16, 0.5), (0.82, 0.25, 0.09, 0.9))
"""Centre x and y, radius (of width, height, height), and the softness of the edge."""
HAIR = np.array((0.03, 0.018, 0.01), np.float32)  # scene-linear
SHIRT = np.array((0.55, 0.2, 0.12), np.float32)
LUMA = np.array((0.2126, 0.7152, 0.0722), np.float32)  # Rec. 709


def frame(t: float, width: int, height: int) -> tuple[Image, Image]:
    """Return the plate [H, W, 3], scene-linear, and its alpha [H, W] in 0..1, at frame t."""
    solid = _blobs(t, width, height)
    hair = _strands(t, width, height)
    alpha = hair + (1 - hair) * solid
    foreground = (hair[..., None] * HAIR + ((1 - hair) * solid)[..., None] * SHIRT) / np.maximum(
        alpha, 1e-6
    )[..., None]
    share = alpha[..., None]
    plate = share * foreground + (1 - share) * _texture(width, height)
    return plate.astype(np.float32), alpha


def guide(plate: Image) -> Image:
    """Return the luminance of a scene-linear plate, roughly as a display shows it: 0..1."""
    return np.clip(plate @ LUMA, 0.0, 1.0) ** np.float32(1 / 2.2)


def _places(width: int, height: int) -> tuple[Image, Image]:
    """Return the pixel centres' x in 0..width/height and y in 0..1: squares stay square."""
    x = (np.arange(width, dtype=np.float32) + 0.5) / height
    y = (np.arange(height, dtype=np.float32) + 0.5) / height
    across, down = np.meshgrid(x, y)
    return across, down


def _texture(width: int, height: int) -> Image:
    x, y = _places(width, height)
    weave = 0.5 + 0.25 * np.sin(61 * x + 9 * np.sin(5 * y)) * np.sin(47 * y + 7 * np.sin(4 * x))
    lamp = 3.0 * np.exp(-((x - 1.5) ** 2 + (y - 0.2) ** 2) / 0.02)  # a highlight above 1
    tint = np.stack([0.30 + 0.1 * y, np.full_like(x, 0.36), 0.42 - 0.1 * y], axis=-1)
    return np.asarray(weave[..., None] * tint + lamp[..., None], np.float32)


def _blobs(t: float, width: int, height: int) -> Image:
    x, y = _places(width, height)
    clear = np.ones_like(x)
    for across, down, radius, softness in BLOBS:
        sway = 0.03 * np.sin(0.21 * t + 9 * across)
        distance = np.hypot(x - (across + sway) * width / height, y - down) / radius
        inner = 1 - softness
        ramp = np.clip((distance - inner) / (1 - inner), 0.0, 1.0)
        clear *= 0.5 - 0.5 * np.cos(np.pi * ramp)  # 0 inside, 1 outside, smooth at both ends
    return 1 - clear


def _strands(t: float, width: int, height: int) -> Image:
    """Return the coverage [H, W] of curved strands that root in the first blob and wave."""
    scale = height * SUPERSAMPLING
    canvas = np.zeros((scale, width * SUPERSAMPLING), np.uint8)
    across, down, radius, _ = BLOBS[0]
    root = np.array((across * width / height + 0.03 * np.sin(0.21 * t + 9 * across), down))
    along = np.linspace(0.0, 1.0, 24)[:, None]
    for index in range(STRANDS):
        angle = index * GOLDEN_ANGLE
        out = np.array((np.cos(angle), np.sin(angle)))
        bend = np.array((-out[1], out[0])) * 0.06 * np.sin(0.13 * t + index)
        length = radius + 0.09 + 0.06 * np.sin(2.4 * index)
        reach = 0.7 * radius + along * (length - 0.7 * radius)
        curve = root + reach * out + along**3 * bend
        points = np.round(curve * scale * 16).astype(np.int32)  # 4 fractional bits
        thickness = max(1, round(STRAND_WIDTH * scale * (0.4 + 0.6 * ((index * 7) % 5) / 4)))
        cv2.polylines(canvas, [points], isClosed=False, color=255, thickness=thickness, shift=4)
    covered = cv2.resize(canvas.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    return covered / np.float32(255)
