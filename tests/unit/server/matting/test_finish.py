"""A finished alpha: the cross-fade of its windows, its own window, the knobs at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.settings import MatteKnobs
from gvm_client.windows import Blend, Plan, Window, blends
from gvm_server.matting.engines.base import Image
from gvm_server.matting.finish import crossfade, in_window
from gvm_server.media.geometry import Box, ClipGeometry

WINDOW = Window(first=1, last=8)


def flat(value: float) -> Image:
    """Return an alpha of one value."""
    return np.full((2, 3), value, np.float32)


def share(numerator: int, denominator: int) -> Blend:
    """Return a share whose window does not matter."""
    return Blend(window=WINDOW, numerator=numerator, denominator=denominator)


def test_one_window_passes_unchanged():
    """A single share is the window's own alpha, bit for bit, in another array."""
    alpha = np.random.default_rng(0).random((4, 5), np.float32)
    faded = crossfade([(share(1, 1), alpha)])
    assert np.array_equal(faded, alpha)
    assert faded is not alpha


def test_two_windows_by_hand():
    """At the first of three shared frames the new window has a quarter."""
    faded = crossfade([(share(1, 1), flat(0.0)), (share(1, 4), flat(1.0))])
    assert np.array_equal(faded, flat(0.25))


def test_three_windows_fold_in_order():
    """0 and 1 at a half give 0.5; with 0 at a half again, 0.25."""
    shares = [(share(1, 1), flat(0.0)), (share(1, 2), flat(1.0)), (share(1, 2), flat(0.0))]
    assert np.array_equal(crossfade(shares), flat(0.25))


def test_the_inputs_stay_untouched():
    """A window's alpha serves several frames and jobs."""
    first, second = flat(0.2), flat(0.8)
    crossfade([(share(1, 1), first), (share(1, 2), second)])
    assert np.array_equal(first, flat(0.2))
    assert np.array_equal(second, flat(0.8))


@given(
    width=st.integers(1, 9),
    length=st.integers(1, 60),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_a_fade_stays_between_its_windows(width: int, length: int, seed: int, data: st.DataObject):
    """Under any plan the result lies between the smallest and the largest alpha, in each pixel."""
    overlap = data.draw(st.integers(0, width // 2))
    plan = Plan(first=1, last=length, frames_per_window=width, overlap=overlap)
    frame = data.draw(st.integers(1, length))
    rng = np.random.default_rng(seed)
    shares = [(blend, rng.random((3, 4), np.float32)) for blend in blends(plan, frame)]
    faded = crossfade(shares)
    alphas = np.stack([alpha for _, alpha in shares])
    assert np.all(faded >= alphas.min(axis=0) - 1e-6)
    assert np.all(faded <= alphas.max(axis=0) + 1e-6)


@given(value=st.floats(0.0, 1.0, width=32), frame=st.integers(1, 30))
def test_windows_that_agree_leave_no_seam(value: float, frame: int):
    """Where all windows say the same, so does the fade, bit for bit."""
    plan = Plan(first=1, last=30, frames_per_window=8, overlap=3)
    faded = crossfade([(blend, flat(value)) for blend in blends(plan, frame)])
    assert np.array_equal(faded, flat(value))


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


@pytest.mark.parametrize("knobs", [{}, {"black": 0.1, "white": 0.9, "gamma": 1.2}, {"blur": 2.0}])
@pytest.mark.parametrize("known", [CANVAS, CROPPED])
def test_what_is_kept_as_half_stays_half(known: Box, knobs: dict[str, float]):
    """Without a guide nothing is made float for a file of halves, and the bits are the same."""
    rng = np.random.default_rng(3)
    alpha = rng.random((CANVAS.height, CANVAS.width), np.float32).astype(np.float16)
    geometry = ClipGeometry(display=DISPLAY, canvas=CANVAS)
    rest = geometry, known, MatteKnobs(**knobs)
    kept, window = in_window(alpha, *rest, halves=True)
    rounded, other = in_window(alpha, *rest)
    assert (kept.dtype, rounded.dtype) == (np.float16, np.float32)
    assert np.array_equal(kept.view(np.uint16), rounded.astype(np.float16).view(np.uint16))
    assert window == other
