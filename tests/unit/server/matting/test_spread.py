"""An engine's blur, measured on clips of which the truth is known."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from benchmarks.truth.measures import case
from benchmarks.truth.scenes import draw as draw_scene
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.engines.base import Image
from gvm_server.matting.spread import SPREADS, measured_on

draw = cache(draw_scene)


def blurred(name: str, spread: float, grain: float = 0.0) -> tuple[Image, Guide]:
    """Return what an engine of this spread says of a scene, and the plate."""
    of = case(draw(name, 9), 4, grain, seed=9)
    if spread == 0.0:
        return of.alpha, of.guide
    alpha = cv2.GaussianBlur(of.alpha, (0, 0), spread, borderType=cv2.BORDER_REFLECT)
    return alpha, of.guide


@pytest.mark.parametrize("spread", [0.0, 0.5, 0.7, 1.0])
def test_a_clean_plate_says_the_spread_to_within_a_step(spread: float):
    """Over scenes with strands and wires together, as a clip has them."""
    measured = measured_on([blurred("hairdark", spread), blurred("wires", spread)])
    found, true = SPREADS.index(measured.spread), SPREADS.index(spread)
    assert abs(found - true) <= 1
    assert measured.is_clean
    assert 0.0 < measured.unexplained[measured.spread] < 0.5


def test_a_grainy_plate_is_said_to_be_one():
    """What is measured on it would be too small."""
    assert not measured_on([blurred("hairdark", 0.7, grain=0.04)]).is_clean


def test_no_alpha_leaves_nothing():
    """An empty matte has no structure, and divides by nothing."""
    alpha, guide = blurred("wires", 0.0)
    measured = measured_on([(np.zeros_like(alpha), guide)])
    assert set(measured.unexplained.values()) == {0.0}
    assert set(measured_on([]).unexplained.values()) == {0.0}
