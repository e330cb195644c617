"""Drawn plates whose foreground and background are known as well: plate = P + (1 - alpha) B.

P is the premultiplied foreground. Shapes are drawn at four times the size and averaged, so that
alpha is the share of a pixel that is covered. Backgrounds reach 4.0.
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

SIDE = 384  # pixels
FINE = 4  # drawn pixels along a pixel's side
REACH = 17  # pixels: the ellipse by which the soft pixels grow into the band


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A plate and what is true of it.

    Attributes:
        plate: [SIDE, SIDE, 3] in linear light.
        premultiplied: [SIDE, SIDE, 3], alpha times the foreground.
        alpha: [SIDE, SIDE] in 0..1.
        background: [SIDE, SIDE, 3].
        elsewhere: [SIDE, SIDE, 3], another background to put the foreground over.
    """

    plate: Image
    premultiplied: Image
    alpha: Image
    background: Image
    elsewhere: Image

    @property
    def band(self) -> NDArray[np.bool_]:
        """Where errors count: the soft pixels and what is near them."""
        soft = ((self.alpha > 0) & (self.alpha < 1)).astype(np.uint8)
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (REACH, REACH))
        return np.asarray(cv2.dilate(soft, ellipse).astype(bool))


def draw(name: str) -> Scene:
    """Draw one of SCENES; the same picture every time."""
    rng = np.random.default_rng(list(SCENES).index(name))
    premultiplied, alpha = SCENES[name](rng)
    background, elsewhere = _boxes(rng), _boxes(rng)
    return Scene(
        plate=premultiplied + (1 - alpha)[..., None] * background,
        premultiplied=premultiplied,
        alpha=alpha,
        background=background,
        elsewhere=elsewhere,
    )


def fringe(scene: Scene, foreground: Image) -> float:
    """Return the mean of |alpha F - P| in the band, x 1e3."""
    error = np.abs(scene.alpha[..., None] * foreground - scene.premultiplied)
    return float(error[scene.band].mean() * 1e3)


def recomposite(scene: Scene, foreground: Image, alpha: Image | None = None) -> float:
    """Return the mean error in the band once the foreground is over `elsewhere`, x 1e3.

    Both composites are taken as a display of gamma 2.2 shows them. The foreground goes over by
    `alpha`, else by the true one.
    """
    share = (scene.alpha if alpha is None else alpha)[..., None]
    made = share * foreground + (1 - share) * scene.elsewhere
    true = scene.premultiplied + (1 - scene.alpha[..., None]) * scene.elsewhere
    shown = [np.clip(each, 0.0, 1.0) ** (1 / 2.2) for each in (made, true)]
    return float(np.abs(shown[0] - shown[1])[scene.band].mean() * 1e3)


def _strands(rng: Generator) -> tuple[Image, Image]:
    """Return P and alpha of a head with hair, each strand of its own shade."""
    drawn = np.zeros((SIDE * FINE, SIDE * FINE), np.float32)
    middle = np.array((0.5, 0.55)) * SIDE * FINE
    cv2.circle(drawn, tuple(middle.astype(int)), SIDE * FINE // 5, 1.0, -1)
    along = np.linspace(0.1, 1.0, 24)[:, None]
    for _ in range(120):
        angle = rng.uniform(0, 2 * np.pi)
        out, side = (
            np.array((np.cos(angle), np.sin(angle))),
            np.array((-np.sin(angle), np.cos(angle))),
        )
        length = rng.uniform(0.28, 0.45) * SIDE * FINE
        curve = middle + length * (along * out + rng.normal(0, 0.2) * along**2 * side)
        shade, width = float(rng.uniform(0.5, 1.6)), int(rng.integers(2, 13))
        cv2.polylines(drawn, [np.round(curve).astype(np.int32)], False, shade, width)
    colour = np.array((0.5, 0.36, 0.18), np.float32)
    return _averaged(drawn)[..., None] * colour, _averaged((drawn > 0).astype(np.float32))


def _moving(rng: Generator) -> tuple[Image, Image]:
    """Return P and alpha of an arm and fingers that a shutter blurs by 24 pixels."""
    drawn = np.zeros((SIDE * FINE, SIDE * FINE), np.float32)
    wrist = np.array((0.45, 0.5)) * SIDE * FINE
    ends = [np.array((0.0, 0.9)) * SIDE * FINE]
    ends += [wrist + 0.25 * SIDE * FINE * np.array((np.cos(a), np.sin(a))) for a in (-1.2, -0.6, 0)]
    for end, width in zip(ends, (150, 50, 46, 40), strict=True):
        cv2.line(drawn, tuple(wrist.astype(int)), tuple(end.astype(int)), 1.0, width)
    kernel = np.full((1, 25), 1 / 25, np.float32)
    skin = np.array((0.5, 0.3, 0.2), np.float32) * _light(rng)
    sharp = _averaged(drawn)
    alpha = _blurred(sharp, kernel)
    return _blurred(sharp[..., None] * skin, kernel), alpha


def _unfocused(rng: Generator) -> tuple[Image, Image]:
    """Return P and alpha of shapes seen through a disc of confusion of 7 pixels' radius."""
    drawn = np.zeros((SIDE * FINE, SIDE * FINE), np.float32)
    for _ in range(6):
        centre = rng.uniform(0.3, 0.7, 2) * SIDE * FINE
        axes = rng.uniform(0.08, 0.18, 2) * SIDE * FINE
        turn = rng.uniform(0, 180)
        cv2.ellipse(
            drawn, tuple(centre.astype(int)), tuple(axes.astype(int)), turn, 0, 360, 1.0, -1
        )
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (15, 15)).astype(np.float32)
    cloth = np.array((0.25, 0.3, 0.5), np.float32) * _light(rng)
    sharp = _averaged(drawn)
    kernel = disc / disc.sum()
    return _blurred(sharp[..., None] * cloth, kernel), _blurred(sharp, kernel)


SCENES: Mapping[str, Callable[[Generator], tuple[Image, Image]]] = MappingProxyType(
    {"strands": _strands, "moving": _moving, "unfocused": _unfocused}
)


def _averaged(drawn: Image) -> Image:
    return np.asarray(cv2.resize(drawn, (SIDE, SIDE), interpolation=cv2.INTER_AREA))


def _blurred(image: Image, kernel: Image) -> Image:
    """Return an image through a lens or a shutter; 0 and 1 stay exact where nothing is near."""
    blurred = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    if image.ndim == 2:
        blurred[blurred < 1e-5] = 0.0
        blurred[blurred > 1 - 1e-5] = 1.0
    return np.asarray(blurred)


def _light(rng: Generator) -> Image:
    """Return a soft light [SIDE, SIDE, 1] around 1."""
    coarse = rng.random((4, 4)).astype(np.float32)
    light = 0.7 + 0.6 * cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(light, np.float32)[..., None]


def _boxes(rng: Generator) -> Image:
    """Return a background of boxes, 0.01 to 4.0."""
    image = np.full((SIDE, SIDE, 3), 0.2, np.float32)
    for _ in range(120):
        left, top = (rng.uniform(-0.05, 1, 2) * SIDE).astype(int)
        wide, high = (rng.uniform(0.01, 0.22, 2) * SIDE).astype(int)
        value = np.exp(rng.uniform(np.log(0.01), np.log(4.0))) * rng.uniform(0.6, 1.4, 3)
        rows = slice(max(top, 0), max(top + high, 0))
        image[rows, max(left, 0) : max(left + wide, 0)] = np.clip(value, 0.01, 4.0)
    return image
