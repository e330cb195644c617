"""The matte knobs: exact on hand-made shapes, steady in every value, nothing in neutral."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gvm_client.settings import MatteKnobs
from gvm_server.matting.engines.base import Image
from gvm_server.matting.knobs import apply, apply_to_half, is_identity

ALPHAS = arrays(
    np.float32,
    array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=24),
    elements=st.floats(0.0, 1.0, width=32),
)
RADII = st.floats(-20.0, 20.0)
KNOBS = st.builds(
    MatteKnobs,
    black=st.floats(-0.5, 0.4),
    white=st.floats(0.5, 1.5),
    gamma=st.floats(0.1, 10.0),
    grow=RADII,
    blur=st.floats(0.0, 40.0),
    invert=st.booleans(),
)


def step(width: int = 60, height: int = 9, edge: int = 30) -> Image:
    """Return a matte that is 0 left of a column and 1 from it on."""
    alpha = np.zeros((height, width), np.float32)
    alpha[:, edge:] = 1.0
    return alpha


def test_neutral_knobs_return_the_very_same_array():
    """Nothing is copied, nothing is clipped."""
    alpha = np.array(((-0.5, 2.0),), np.float32)
    assert apply(alpha, MatteKnobs()) is alpha
    assert is_identity(MatteKnobs())


@given(KNOBS)
def test_halves_come_out_as_floats_of_their_values(knobs):
    """Levels of an alpha that is kept as half are a table's; they differ by rounding alone."""
    alpha = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64).astype(np.float16)
    shaped = apply(alpha, knobs)
    assert shaped.dtype == np.float32
    np.testing.assert_allclose(shaped, apply(alpha.astype(np.float32), knobs), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "knobs",
    [
        MatteKnobs(black=0.1),
        MatteKnobs(white=0.9),
        MatteKnobs(gamma=1.1),
        MatteKnobs(grow=-0.5),
        MatteKnobs(blur=0.5),
        MatteKnobs(invert=True),
    ],
)
def test_any_knob_that_moved_is_no_identity(knobs: MatteKnobs):
    """Each knob alone counts, and changes a soft edge."""
    assert not is_identity(knobs)
    alpha = np.linspace(0.0, 1.0, 11, dtype=np.float32)[None].repeat(3, axis=0)
    assert not np.array_equal(apply(alpha, knobs), alpha)


@given(alpha=ALPHAS, knobs=KNOBS)
@settings(max_examples=60, deadline=None)
def test_the_result_is_bounded_and_the_input_untouched(alpha: Image, knobs: MatteKnobs):
    """Any knobs give a float32 matte in 0..1 of the same size, in another array."""
    before = alpha.copy()
    result = apply(alpha, knobs)
    assert result.shape == alpha.shape
    assert result.dtype == np.float32
    assert result.min() >= 0.0
    assert result.max() <= 1.0
    assert np.array_equal(alpha, before)


@given(alpha=ALPHAS, radii=st.tuples(RADII, RADII))
@settings(max_examples=60, deadline=None)
def test_growing_more_never_gives_less(alpha: Image, radii: tuple[float, float]):
    """In every pixel the matte rises with the grow knob, through 0 and through fractions."""
    less, more = (apply(alpha, MatteKnobs(grow=radius)) for radius in sorted(radii))
    assert np.all(less <= more + 1e-6)


@given(alpha=ALPHAS, radius=RADII)
@settings(max_examples=60, deadline=None)
def test_shrinking_is_growing_the_background(alpha: Image, radius: float):
    """Shrink equals invert, grow, invert."""
    shrunk = apply(alpha, MatteKnobs(grow=-radius))
    background = apply(np.float32(1.0) - alpha, MatteKnobs(grow=radius))
    np.testing.assert_allclose(shrunk, 1.0 - background, atol=1e-6)


@given(alpha=ALPHAS, cut=st.floats(0.0, 0.9))
@settings(max_examples=40, deadline=None)
def test_levels_keep_the_order_of_alphas(alpha: Image, cut: float):
    """What was more opaque is not less opaque afterwards."""
    order = np.argsort(alpha, axis=None)
    result = apply(alpha, MatteKnobs(black=cut, gamma=2.0)).ravel()[order]
    assert np.all(np.diff(result) >= 0.0)


def test_levels_by_hand():
    """0.1 to 0.9 becomes 0 to 1, and the middle stays where it is."""
    alpha = np.array(((0.0, 0.1, 0.5, 0.7, 0.9, 1.0),), np.float32)
    result = apply(alpha, MatteKnobs(black=0.1, white=0.9))
    np.testing.assert_allclose(result, ((0.0, 0.0, 0.5, 0.75, 1.0, 1.0),), atol=1e-6)


def test_gamma_by_hand():
    """Gamma 2 is the square root, which thickens a soft edge."""
    result = apply(np.array(((0.25,),), np.float32), MatteKnobs(gamma=2.0))
    assert result == pytest.approx(0.5)


@pytest.mark.parametrize("radius", [1, 3, 8, 13, 16, 20])
def test_a_straight_edge_moves_by_the_radius(radius: int):
    """Grow moves a vertical edge out by exactly its pixels, shrink in, in every row."""
    assert np.array_equal(apply(step(), MatteKnobs(grow=radius)), step(edge=30 - radius))
    assert np.array_equal(apply(step(), MatteKnobs(grow=-radius)), step(edge=30 + radius))


def test_a_fraction_lies_between_two_radii():
    """At 2.25 the third pixel out has a quarter of the edge."""
    row = apply(step(), MatteKnobs(grow=2.25))[4]
    np.testing.assert_allclose(row[26:30], (0.0, 0.25, 1.0, 1.0), atol=1e-6)


@pytest.mark.parametrize("radius", [1, 2, 8, 12, 30])
def test_a_point_grows_to_a_disc(radius: int):
    """The shape reaches the radius along both axes, nowhere further, and is nearly as large."""
    alpha = np.zeros((71, 71), np.float32)
    alpha[35, 35] = 1.0
    rows, columns = np.nonzero(apply(alpha, MatteKnobs(grow=radius)))
    distances = np.hypot(rows - 35, columns - 35)
    assert rows.min() == columns.min() == 35 - radius
    assert distances.max() <= radius
    assert rows.size > 0.6 * np.pi * radius**2
    assert radius < 4 or rows.size > 0.9 * np.pi * radius**2


def test_the_frames_border_is_no_edge():
    """A matte that fills the frame stays full, however far it shrinks or blurs."""
    full = np.ones((20, 30), np.float32)
    assert np.array_equal(apply(full, MatteKnobs(grow=-12.5)), full)
    np.testing.assert_allclose(apply(full, MatteKnobs(blur=5.0)), full, atol=1e-6)


@pytest.mark.parametrize("sigma", [1.0, 6.0, 15.9, 16.1, 40.0])
def test_blur_is_a_gaussian_of_that_sigma(sigma: float):
    """A blurred edge is the normal distribution, at full size and at the smaller one."""
    blurred = apply(step(width=600, edge=300), MatteKnobs(blur=sigma))[4]
    slopes = np.diff(blurred.astype(np.float64))
    places = np.arange(1, 600) - 300
    mean = (slopes * places).sum() / slopes.sum()
    measured = np.sqrt((slopes * (places - mean) ** 2).sum() / slopes.sum())
    assert mean == pytest.approx(0.0, abs=0.02 * sigma)
    assert measured == pytest.approx(sigma, rel=0.02)


def test_invert_is_exact():
    """Opaque becomes empty and back."""
    assert np.array_equal(apply(step(), MatteKnobs(invert=True)), 1.0 - step())


def test_the_order_is_levels_then_grow_then_blur():
    """A faint edge that levels remove does not grow, and what grew is blurred."""
    alpha = step() * np.float32(0.2)
    assert not apply(alpha, MatteKnobs(black=0.3, grow=5.0)).any()
    blurred = apply(step(), MatteKnobs(grow=10.0, blur=2.0))[4]
    assert blurred[19] == pytest.approx(1.0 - blurred[20], abs=1e-3)


@pytest.mark.parametrize(
    "knobs",
    [
        MatteKnobs(),
        MatteKnobs(black=0.1, white=0.8, gamma=1.3),
        MatteKnobs(gamma=0.4),
        MatteKnobs(black=0.1, invert=True),
        MatteKnobs(grow=1.5, blur=2.0),
    ],
)
def test_halves_under_knobs_are_what_the_file_rounds_to(knobs):
    """Every half from 0 to 1: whichever way is taken, a file has the same bits."""
    halves = np.arange(0x3C01, dtype=np.uint16).view(np.float16).reshape(1, -1)
    rounded = apply(halves, knobs).astype(np.float16)
    assert np.array_equal(apply_to_half(halves, knobs).view(np.uint16), rounded.view(np.uint16))
