"""A scene at a working size, the ways to bring it up, and how far each is from the truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.rivals import by_luma
from benchmarks.truth.scenes import Scene
from gvm_client.settings import Refine
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.engines.base import Image
from gvm_server.matting.preprocess import luma
from gvm_server.matting.refine import refine
from gvm_server.media.colour.encodings import srgb_from_linear

SOFTENED = 0.6  # sigma of what a lens and a debayering do to grain, in plate pixels
BAND = 8  # plate pixels around the truth's soft pixels
SPREAD = 0.35  # of the shipped engines: what is measured here is what they get


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """What a way is given, and the truth.

    Attributes:
        alpha: [h, w], the truth averaged, in half.
        display: [H, W, 3], the plate with grain, 0..1.
        guide: the same as the server holds it.
        truth: [H, W].
        band: [H, W], where errors count.
    """

    alpha: Image
    display: Image
    guide: Guide
    truth: Image
    band: NDArray[np.bool_]


def case(scene: Scene, ratio: float, grain: float, seed: int) -> Case:
    """Return a scene seen by a perfect model at 1/ratio of its size.

    Args:
        scene: what is seen.
        ratio: plate pixels in a working pixel, along one side.
        grain: standard deviation a channel, in display values.
        seed: of the grain.
    """
    side = round(scene.alpha.shape[0] / ratio)
    small = cv2.resize(scene.alpha, (side, side), interpolation=cv2.INTER_AREA)
    display = with_grain(srgb_from_linear(scene.plate), grain, seed)
    soft = ((scene.alpha > 0) & (scene.alpha < 1)).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * BAND + 1, 2 * BAND + 1))
    return Case(
        alpha=small.astype(np.float16).astype(np.float32),
        display=display,
        guide=Guide.of(display, luma(display)),
        truth=scene.alpha,
        band=cv2.dilate(soft, disc).astype(bool),
    )


def with_grain(display: Image, grain: float, seed: int) -> Image:
    """Return a picture with grain of this deviation, softened, each channel's own; cut to 0..1."""
    noise = np.random.default_rng(seed).standard_normal(display.shape, np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), SOFTENED)
    return np.clip(display + soft * np.float32(grain / soft.std()), 0.0, 1.0)


WAYS: Mapping[str, Callable[[Case], Image]] = MappingProxyType(
    {
        "bilinear": lambda of: refine(of.alpha, of.guide, Refine.NONE, SPREAD),
        "luma": lambda of: by_luma(of.alpha, luma(of.display)),
        "guided": lambda of: refine(of.alpha, of.guide, Refine.GUIDED, SPREAD),
        "detail": lambda of: refine(of.alpha, of.guide, Refine.DETAIL, SPREAD),
    }
)


def error(made: Image, of: Case) -> float:
    """Return the mean absolute difference in the band, x 1e3."""
    return float(np.abs(made - of.truth)[of.band].mean() * 1e3)
