"""Clips that move as real ones do, and what hosts make of their pictures: curves, sizes, bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.float32]
WIDTH, HEIGHT, FRAMES = 640, 360, 40


def _ground(seed: int, width: int, height: int) -> Pixels:
    """Return a landscape of noise at all sizes, [height, width, 3] in 0..1."""
    random = np.random.default_rng(seed)
    ground = np.zeros((height, width, 3), np.float32)
    for octave in range(7):
        cells = 3 * 2**octave
        noise = random.random((cells, cells, 3), np.float32) - 0.5
        ground += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) / 1.7**octave
    grey = ground.mean(axis=2, keepdims=True)
    return np.clip(0.4 + 0.35 * (grey + 0.4 * (ground - grey)), 0.01, 0.98).astype(np.float32)


_FAR, _NEAR = _ground(1, 2 * WIDTH, 2 * HEIGHT), _ground(2, WIDTH, HEIGHT)


def _window(x: float, y: float, scale: float = 1.0) -> Pixels:
    move = np.array([[scale, 0.0, -x], [0.0, scale, -y]], np.float32)
    return np.asarray(
        cv2.warpAffine(_FAR, move, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR), np.float32
    )


def _with_person(ground: Pixels, x: float, sway: float) -> Pixels:
    """Lay a textured body and head over a ground, at a part of its width."""
    across, down = np.meshgrid(np.arange(WIDTH) / WIDTH, np.arange(HEIGHT) / HEIGHT)
    body = ((across - x) / 0.09) ** 2 + ((down - 0.8) / 0.35) ** 2 < 1
    head = ((across - x - sway) / 0.045) ** 2 + ((down - 0.36) / 0.1) ** 2 < 1
    dressed = np.roll(_NEAR, round(x * WIDTH), axis=1)
    return np.where((body | head)[..., None], 0.2 + 0.7 * dressed, ground).astype(np.float32)


def _walk(frame: int) -> Pixels:
    return _with_person(_window(200, 100), 0.15 + 0.014 * frame, 0.01 * np.sin(frame / 3))


def _pan(frame: int) -> Pixels:
    return _window(6.0 * frame, 80 + 10 * np.sin(frame / 9))


def _zoom(frame: int) -> Pixels:
    return _window(180 + 3 * frame, 90 + 2 * frame, 1.0 + 0.006 * frame)


def _handheld(frame: int) -> Pixels:
    shake = 9 * np.sin(frame / 2.3) + 5 * np.sin(frame / 0.9)
    seen = _window(200 + 2.5 * frame + shake, 120 + 6 * np.cos(frame / 1.7))  # it follows her
    return _with_person(seen, 0.42 + 0.004 * frame, 0.02 * np.sin(frame / 2))


CLIPS: Mapping[str, Callable[[int], Pixels]] = {
    "walk": _walk,
    "pan": _pan,
    "zoom": _zoom,
    "handheld": _handheld,
}


def linear(pixels: Pixels) -> Pixels:
    """Return sRGB pixels as linear light."""
    bent = ((pixels + 0.055) / 1.055) ** 2.4
    return np.where(pixels <= 0.04045, pixels / 12.92, bent).astype(np.float32)


def srgb(light: Pixels) -> Pixels:
    """Return linear light as sRGB, cut to 0..1."""
    kept = np.clip(light, 0.0, 1.0)
    bent = 1.055 * kept ** (1 / 2.4) - 0.055
    return np.where(kept <= 0.0031308, kept * 12.92, bent).astype(np.float32)


def log(light: Pixels) -> Pixels:
    """Return linear light on a camera's log curve."""
    return (0.247190 * np.log10(5.555556 * light + 0.052272) + 0.385537).astype(np.float32)


def eight_bit(pixels: Pixels) -> Pixels:
    """Return pixels in 255 steps, cut to 0..1."""
    return (np.rint(np.clip(pixels, 0.0, 1.0) * 255) / 255).astype(np.float32)


def half(pixels: Pixels) -> Pixels:
    """Return pixels at half the size."""
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float32)


def letterboxed(pixels: Pixels, aspect: float) -> Pixels:
    """Return a picture between black bars."""
    height, width = pixels.shape[:2]
    wide, high = max(width, round(height * aspect)), max(height, round(width / aspect))
    whole = np.zeros((high, wide, pixels.shape[2]), np.float32)
    top, left = (high - height) // 2, (wide - width) // 2
    whole[top : top + height, left : left + width] = pixels
    return whole


# What a host may show of linear light, and it is the same frame.
SHOWN: Mapping[str, Callable[[Pixels], Pixels]] = {
    "as it is": lambda light: light,
    "two stops up": lambda light: 4 * light,
    "two stops down": lambda light: light / 4,
    "sRGB, 8 bit": lambda light: eight_bit(srgb(light)),
    "two stops up, 8 bit": lambda light: eight_bit(srgb(4 * light)),
    "two stops down, 8 bit": lambda light: eight_bit(srgb(light / 4)),
    "log": log,
    "log, 8 bit": lambda light: eight_bit(log(light)),
    "half size": half,
    "half size, log, two stops down, 8 bit": lambda light: eight_bit(log(half(light / 4))),
    "4:3 between bars": lambda light: letterboxed(light, 4 / 3),
    "2.39:1 between bars, log, 8 bit": lambda light: letterboxed(eight_bit(log(light)), 2.39),
    "square between bars, half size, two stops down, 8 bit": lambda light: letterboxed(
        eight_bit(srgb(half(light / 4))), 1.0
    ),
}
