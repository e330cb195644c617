"""The drawn plate: its alpha is exact, it moves, and it is the same everywhere."""

from __future__ import annotations

import cv2
import numpy as np

from tests.support import synthetic


def test_the_drawn_plate_is_scene_linear_and_its_alpha_is_whole():
    """There are highlights above 1, and empty, solid and soft pixels, all within 0..1."""
    plate, alpha = synthetic.frame(0, 320, 180)
    assert plate.shape == (180, 320, 3)
    assert plate.dtype == alpha.dtype == np.float32
    assert plate.min() >= 0.0
    assert plate.max() > 1.5
    assert alpha.min() == 0.0
    assert alpha.max() == 1.0
    assert 0.02 < ((alpha > 0) & (alpha < 1)).mean() < 0.3


def test_the_same_frame_is_drawn_twice_alike():
    """A frame is a formula of its number and size."""
    once, again = synthetic.frame(7, 160, 90), synthetic.frame(7, 160, 90)
    assert np.array_equal(once[0], again[0])
    assert np.array_equal(once[1], again[1])


def test_the_matte_moves():
    """The next frame differs, by a little."""
    first, second = (synthetic.frame(t, 160, 90)[1] for t in (0, 1))
    assert 0.0 < np.abs(first - second).mean() < 0.05


def test_another_size_shows_the_same_scene():
    """Averaged down by four the large alpha is the small one, but for the strands' sub-pixels."""
    large, small = synthetic.frame(2, 640, 360)[1], synthetic.frame(2, 160, 90)[1]
    averaged = cv2.resize(large, (160, 90), interpolation=cv2.INTER_AREA)
    assert np.abs(averaged - small).mean() < 0.01


def test_the_guide_is_bounded():
    """The luminance that a display shows stays in 0..1 where the plate does not."""
    guide = synthetic.guide(synthetic.frame(0, 160, 90)[0])
    assert guide.dtype == np.float32
    assert guide.min() >= 0.0
    assert guide.max() == 1.0
