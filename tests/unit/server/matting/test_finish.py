"""The last steps of an alpha: its window, and the knobs at the window's edges."""

from __future__ import annotations

import numpy as np
import pytest

from gvm_client.settings import MatteKnobs
from gvm_server.matting.finish import in_window
from gvm_server.media.geometry import Box, ClipGeometry

CANVAS = Box(x=-10, y=-10, width=60, height=50)
DISPLAY = Box(x=0, y=0, width=40, height=30)
CROPPED = Box(x=8, y=6, width=20, height=12)


def finished(known: Box, **knobs: float) -> np.ndarray:
    """Return a solid matte of a frame with this data window, over that and the display window."""
    solid = np.ones((CANVAS.height, CANVAS.width), np.float32)
    geometry = ClipGeometry(display=DISPLAY, canvas=CANVAS)
    alpha, window = in_window(solid, geometry, known, MatteKnobs(**knobs))
    assert alpha.shape == (window.height, window.width)
    whole = DISPLAY.united(known)
    placed = np.zeros((whole.height, whole.width), np.float32)
    top, left = window.y - whole.y, window.x - whole.x
    placed[top : top + window.height, left : left + window.width] = alpha
    return placed


@pytest.mark.parametrize("known", [CROPPED, Box(x=-4, y=20, width=10, height=15)])
def test_an_alpha_is_empty_outside_of_its_plates_pixels(known):
    """Whatever the model said of the black around them; inverted it is solid there."""
    alpha, inverted = finished(known), finished(known, invert=True)
    assert alpha.sum() == known.width * known.height
    assert np.array_equal(inverted, 1 - alpha)
    window = DISPLAY.united(known)
    assert alpha.shape == (window.height, window.width)
    assert alpha[known.y - window.y, known.x - window.x] == 1


def test_the_edge_of_a_cropped_plate_grows_and_blurs_like_any_other():
    """The matte goes over it, also outward, for the display window is there."""
    grown, shrunk, blurred = (finished(CROPPED, **knob) for knob in GROWN)
    assert grown[6 - 3, 18] == grown[12, 8 - 3] == 1
    assert grown[6 - 4, 18] == grown[12, 8 - 4] == 0
    assert shrunk[6, 18] == shrunk[12, 8] == 0
    assert shrunk[6 + 3, 18] == shrunk[12, 8 + 3] == 1
    assert 0 < blurred[6 - 1, 18] < 0.5 < blurred[6, 18] < 1


GROWN = ({"grow": 3.0}, {"grow": -3.0}, {"blur": 2.0})


@pytest.mark.parametrize("knob", GROWN)
@pytest.mark.parametrize("known", [DISPLAY, CANVAS])
def test_a_frames_border_stays_no_edge_on_a_larger_canvas(known, knob):
    """A figure that leaves the frame does not shrink there because a later frame has overscan."""
    assert (finished(known, **knob) == 1).all()
