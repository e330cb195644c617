"""Six drawn scenes whose alpha is known exactly, each a way in which an edge is hard.

Every scene is scene-linear: plate = P + (1 - alpha) B, with P the premultiplied foreground. Shapes
are drawn at four times the size and averaged, so alpha is the share of a pixel that is covered;
then a lens blurs P, alpha and B alike. Everything is a function of the scene's name and a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Image = NDArray[np.float32]
Draw = Callable[[Generator], tuple[Image, Image, Image]]

SIDE = 1024  # pixels of the plate, both sides
SUPERSAMPLING = 4
LENS = 0.5  # sigma in plate pixels
SHIFT = 4  # fractional bits of drawn coordinates


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A plate and what is true of it.

    Attributes:
        name: of the scene.
        plate: [SIDE, SIDE, 3], scene-linear, up to about 4.
        alpha: [SIDE, SIDE] in 0..1.
        premultiplied: [SIDE, SIDE, 3], alpha times the foreground.
    """

    name: str
    plate: Image
    alpha: Image
    premultiplied: Image


def draw(name: str, seed: int) -> Scene:
    """Draw a scene.

    Raises:
        KeyError: there is no such scene.
    """
    order = list(SCENES).index(name)
    premultiplied, alpha, background = SCENES[name](np.random.default_rng((seed, order)))
    seen = [cv2.GaussianBlur(each, (0, 0), LENS) for each in (premultiplied, alpha, background)]
    alpha = np.clip(_settled(seen[1]), 0.0, 1.0)
    plate = seen[0] + (1 - alpha)[..., None] * seen[2]
    return Scene(
        name=name,
        plate=np.maximum(plate, 0.0).astype(np.float32),
        alpha=alpha,
        premultiplied=seen[0].astype(np.float32),
    )


def _settled(alpha: Image) -> Image:
    """Return an alpha with the blur's last bits gone: 0 and 1 are exact where a shape ends."""
    alpha = np.where(alpha < 1e-4, np.float32(0.0), alpha)
    return np.where(alpha > 1 - 1e-4, np.float32(1.0), alpha)


def _hair_dark(rng: Generator) -> tuple[Image, Image, Image]:
    """Brown strands of 0.5 to 3 pixels around a head, over a coloured texture."""
    return *_hair(rng, np.array((0.06, 0.03, 0.015))), _texture(rng)


def _hair_light(rng: Generator) -> tuple[Image, Image, Image]:
    """Blond strands, over boxes from almost black to four times white."""
    return *_hair(rng, np.array((0.55, 0.40, 0.20))), _boxes(rng)


def _limb(rng: Generator) -> tuple[Image, Image, Image]:
    """An arm and its fingers, moving by 48 pixels while the shutter is open, over boxes."""
    mask = _canvas()
    wrist = np.array((0.45, 0.5)) + rng.uniform(-0.05, 0.05, 2)
    elbow = np.array((0.0, 0.9)) + rng.uniform(-0.05, 0.05, 2)
    _line(mask, np.array([elbow, wrist]), 130)
    cv2.circle(mask, _point(wrist), round(75 * SUPERSAMPLING), 1.0, -1, cv2.LINE_8)
    for finger in range(5):
        angle = -1.3 + 0.42 * finger + rng.uniform(-0.08, 0.08)
        tip = wrist + np.array((np.cos(angle), np.sin(angle))) * rng.uniform(0.20, 0.27)
        _line(mask, np.array([wrist, tip]), rng.uniform(24, 34))
    alpha = _averaged(mask)
    skin = np.array((0.5, 0.3, 0.2)) * _lit(rng)
    angle = rng.uniform(0, np.pi)
    return *_filtered(alpha, skin, _motion(48, angle)), _boxes(rng)


def _bokeh(rng: Generator) -> tuple[Image, Image, Image]:
    """A subject out of focus, its disc of confusion 14 pixels in radius, over boxes."""
    mask = _canvas()
    for _ in range(9):
        centre = rng.uniform(0.25, 0.75, 2)
        axes = tuple(int(side) for side in rng.uniform(60, 170, 2) * SUPERSAMPLING)
        tilt = rng.uniform(0, 180)
        cv2.ellipse(mask, _point(centre), axes, tilt, 0, 360, 1.0, -1)
    disc = cv2.circle(np.zeros((29 * 8, 29 * 8), np.float32), (116, 116), 14 * 8, 1.0, -1)
    disc = cv2.resize(disc, (29, 29), interpolation=cv2.INTER_AREA)
    cloth = np.array((0.25, 0.3, 0.5)) * _lit(rng)
    return *_filtered(_averaged(mask), cloth, disc / disc.sum()), _boxes(rng)


def _wires(rng: Generator) -> tuple[Image, Image, Image]:
    """Wires of 0.7 to 2.5 pixels, and a lattice with 196 holes of 4 to 19 pixels."""
    mask = _canvas()
    low, high = (round(each * SIDE * SUPERSAMPLING) for each in (0.30, 0.72))
    mask[low:high, low:high] = 1.0
    pitch = (high - low) / 14
    for row in range(14):
        for column in range(14):
            centre = low + (np.array((column, row)) + 0.5) * pitch
            radius = rng.uniform(2, 9.5) * SUPERSAMPLING
            at = tuple(int(each) for each in np.round(centre))
            cv2.circle(mask, at, round(radius), 0.0, -1)
    for _ in range(26):
        ends = rng.uniform(0, 1, (2, 2))
        ends[:, rng.integers(2)] = (-0.02, 1.02)
        _line(mask, ends, rng.uniform(0.7, 2.5))
    alpha = _averaged(mask)
    metal = np.array((0.12, 0.13, 0.15)) * _lit(rng)
    return alpha[..., None] * metal.astype(np.float32), alpha, _texture(rng)


def _edge(rng: Generator) -> tuple[Image, Image, Image]:
    """A soft contour; 5 pixels behind it a dark line, a window at 3.0, and bars that cross it."""
    across, down = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    phase = rng.uniform(0, 2 * np.pi, 2)
    contour = 0.45 * SIDE + 60 * np.sin(down / 170 + phase[0]) + 18 * np.sin(down / 47 + phase[1])
    away = (across - contour).astype(np.float32)  # pixels to the right of the contour
    alpha = np.clip(0.5 - away / 3, 0.0, 1.0)
    alpha = alpha * alpha * (3 - 2 * alpha)
    background = np.full((SIDE, SIDE, 3), (0.30, 0.34, 0.38), np.float32)
    background[(away > 5) & (away < 8)] = 0.02
    window = (away > 6) & (down > 0.55 * SIDE) & (down < 0.85 * SIDE)
    background[window] = 3.0
    for _ in range(22):
        top, thick = int(rng.uniform(0, SIDE)), int(rng.integers(2, 14))
        background[top : top + thick] *= np.float32(rng.uniform(0.1, 2.2))
    coat = np.array((0.18, 0.12, 0.10)) * _lit(rng)
    return alpha[..., None] * coat.astype(np.float32), alpha.astype(np.float32), background


SCENES: Mapping[str, Draw] = MappingProxyType(
    {
        "hairdark": _hair_dark,
        "hairlight": _hair_light,
        "limb": _limb,
        "bokeh": _bokeh,
        "wires": _wires,
        "edge": _edge,
    }
)


def _hair(rng: Generator, colour: NDArray[np.float64]) -> tuple[Image, Image]:
    """Return P and alpha of a head with 420 strands, each of its own shade."""
    size = SIDE * SUPERSAMPLING
    shade = np.zeros((size, size), np.float32)  # of whatever lies on top; 0 is nothing
    head = np.array((0.5, 0.58)) + rng.uniform(-0.03, 0.03, 2)
    cv2.circle(shade, _point(head), round(0.20 * size), 1.0, -1)
    along = np.linspace(0.0, 1.0, 40)[:, None]
    for _ in range(420):
        angle = rng.uniform(0, 2 * np.pi)
        out = np.array((np.cos(angle), np.sin(angle)))
        side = np.array((-out[1], out[0]))
        reach = 0.16 + along * rng.uniform(0.08, 0.28)
        bend = along**2 * rng.normal(0, 0.10) + 0.006 * np.sin(along * rng.uniform(6, 20))
        curve = head + reach * out + bend * side
        _line(shade, curve, rng.uniform(0.5, 3.0), float(rng.uniform(0.5, 1.6)))
    alpha = _averaged((shade > 0).astype(np.float32))
    return (_averaged(shade)[..., None] * colour).astype(np.float32), alpha


def _filtered(alpha: Image, colour: Image, kernel: Image) -> tuple[Image, Image]:
    """Return P and alpha of a coloured shape, each seen through a kernel."""
    premultiplied = (alpha[..., None] * colour).astype(np.float32)
    edge = cv2.BORDER_REPLICATE
    return (
        cv2.filter2D(premultiplied, -1, kernel, borderType=edge),
        cv2.filter2D(alpha, -1, kernel, borderType=edge),
    )


def _motion(length: int, angle: float) -> Image:
    """Return a line of so many pixels as a kernel that sums to 1."""
    side = length + 3
    line = np.zeros((side * 8, side * 8), np.float32)
    half = np.array((np.cos(angle), np.sin(angle))) * length * 4
    middle = side * 4
    ends = [tuple(int(each) for each in np.round(middle + sign * half)) for sign in (-1, 1)]
    cv2.line(line, ends[0], ends[1], 1.0, 8)
    kernel = cv2.resize(line, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _texture(rng: Generator) -> Image:
    """Return a coloured background with detail at every size, 0.02 to 0.8."""
    total = np.zeros((SIDE, SIDE, 3), np.float32)
    for octave in range(2, 9):
        cells = 2**octave
        noise = rng.standard_normal((cells, cells, 3)).astype(np.float32)
        total += cv2.resize(noise, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) / (octave + 1)
    grey = total.mean(axis=2, keepdims=True)
    return (0.3 * np.exp(0.6 * (grey + 0.5 * (total - grey)))).clip(0.02, 0.8).astype(np.float32)


def _boxes(rng: Generator) -> Image:
    """Return a background of boxes, 0.01 to 4.0."""
    image = np.full((SIDE, SIDE, 3), 0.2, np.float32)
    for _ in range(160):
        left, top = (int(each) for each in rng.uniform(-0.05, 1, 2) * SIDE)
        wide, high = (int(each) for each in rng.uniform(0.01, 0.22, 2) * SIDE)
        value = np.exp(rng.uniform(np.log(0.01), np.log(4.0)))
        colour = np.clip(value * rng.uniform(0.6, 1.4, 3), 0.01, 4.0)
        image[max(top, 0) : top + high, max(left, 0) : left + wide] = colour
    return image


def _lit(rng: Generator) -> Image:
    """Return a soft light [SIDE, SIDE, 1] around 1, with fine detail of a few per cent."""
    coarse = cv2.resize(rng.random((4, 4)), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    fine = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), 1.5)
    return np.asarray((0.7 + 0.6 * coarse + 0.15 * fine).clip(0.2, 2.0)[..., None], np.float32)


def _canvas() -> Image:
    return np.zeros((SIDE * SUPERSAMPLING, SIDE * SUPERSAMPLING), np.float32)


def _averaged(drawn: Image) -> Image:
    return np.asarray(cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def _point(place: NDArray[np.float64]) -> tuple[int, int]:
    """Return a place (x, y in 0..1) in drawn pixels."""
    x, y = np.round(place * SIDE * SUPERSAMPLING).astype(int)
    return int(x), int(y)


def _line(canvas: Image, curve: NDArray[np.float64], width: float, value: float = 1.0) -> None:
    """Draw a curve (x, y in 0..1) of a width in plate pixels."""
    points = np.round(curve * SIDE * SUPERSAMPLING * (1 << SHIFT)).astype(np.int32)
    thickness = max(1, round(width * SUPERSAMPLING))
    cv2.polylines(canvas, [points], False, value, thickness, cv2.LINE_8, SHIFT)
