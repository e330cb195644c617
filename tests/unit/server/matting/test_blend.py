"""The cross-fade: by hand, within its inputs, and whole under a real plan."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.windows import Blend, Plan, Window, blends
from gvm_server.matting.engines.base import Image
from gvm_server.matting.finish import crossfade

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
