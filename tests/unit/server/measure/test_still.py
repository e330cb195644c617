"""The metrics of one frame against values that were worked out by hand."""

from __future__ import annotations

from math import exp, sqrt

import numpy as np
import pytest

from gvm_server.measure.still import conn, grad, mad, mad_within, mse, unknown


def edge(height: int = 40, width: int = 60) -> np.ndarray:
    """Return a hard vertical edge in the middle."""
    truth = np.zeros((height, width), np.float32)
    truth[:, width // 2 :] = 1.0
    return truth


def test_mad_and_mse_of_a_hand_made_pair():
    """One pixel of four is 0.5 off: MAD is 125, MSE 62.5."""
    truth = np.zeros((2, 2), np.float32)
    matte = np.array(((0.5, 0), (0, 0)), np.float32)
    assert mad(matte, truth) == pytest.approx(125.0)
    assert mse(matte, truth) == pytest.approx(62.5)


def test_nothing_is_wrong_with_the_truth():
    """Every metric of the truth itself is 0."""
    truth = np.random.default_rng(1).random((24, 24)).astype(np.float32)
    whole = [mad(truth, truth), mse(truth, truth), conn(truth, truth)]
    gradients = [grad(truth, truth, normalized=either) for either in (False, True)]
    assert [*whole, *gradients] == [0.0] * 5


def test_grad_of_a_ramp_against_nothing():
    """A ramp of slope s has one gradient everywhere: s times sum(x * x * g) over the norm.

    With g(x) = exp(-x^2 / 2 sigma^2), x = -4..4 and sigma = 1.4, the filter across is
    -x g(x) g(y), divided by its length; on s * x it gives s * sum(x^2 g) * sum(g) / length. Only
    the columns that the filter reaches from no border are counted, by a ramp between flat ends.
    """
    bell = {x: exp(-(x**2) / (2 * 1.4**2)) for x in range(-4, 5)}
    length = sqrt(sum((x * bell[x] * bell[y]) ** 2 for x in bell for y in bell))
    response = sum(x * x * bell[x] for x in bell) * sum(bell.values()) / length
    slope, columns = 0.01, 60
    ramp = (slope * np.arange(columns, dtype=np.float64))[None].repeat(7, axis=0)
    whole = grad(ramp, np.zeros_like(ramp), normalized=False)
    # The first and the last four columns see the repeated border: there x stops at the border.
    near = 0.0
    for distance in range(4):
        moved = sum(x * max(x, -distance) * bell[x] for x in bell)
        near += (slope * moved * sum(bell.values()) / length) ** 2
    by_hand = 7 * ((columns - 8) * (slope * response) ** 2 + 2 * near) / 1000
    assert whole == pytest.approx(by_hand, rel=1e-9)


def test_only_the_lr_variant_of_grad_stretches():
    """A matte of half the contrast: nothing is wrong stretched, something as stored."""
    truth = edge()
    assert grad(truth * 0.5, truth, normalized=True) == pytest.approx(0.0, abs=1e-12)
    assert grad(truth * 0.5, truth, normalized=False) == pytest.approx(
        grad(truth, np.zeros_like(truth), normalized=False) / 4
    )


def test_grad_of_a_flat_frame_is_taken():
    """An empty matte against an empty truth has nothing to stretch."""
    empty = np.zeros((12, 12), np.float32)
    assert grad(empty, empty, normalized=True) == 0.0


def test_conn_of_an_island_that_the_matte_lost():
    """Two solid regions of 12 and 4 pixels; the matte lacks the small one.

    The small one is in no region of both: its level is 0. The truth lies 1 above it, so its
    connectivity is 0; the matte lies 0 above, so its is 1. Four pixels, each 1 off.
    """
    truth = np.zeros((6, 10), np.float32)
    truth[1:4, 1:5] = 1
    truth[1:3, 7:9] = 1
    matte = truth.copy()
    matte[1:3, 7:9] = 0
    assert conn(matte, truth) == pytest.approx(4 / 1000)


def test_conn_takes_the_last_threshold_held_and_its_tolerance():
    """One region; in one pixel the truth is 0.95 and the matte 0.55, in another 0.95 and 0.85.

    The first is in the region of both up to 0.5. The truth lies 0.45 above that: connectivity
    0.55; the matte 0.05, less than 0.15: connectivity 1. The second is in it up to 0.8: 0.15 above
    counts, 0.05 does not: 0.85 and 1. Together 0.45 + 0.15.
    """
    truth = np.zeros((5, 8), np.float64)
    truth[1:4, 1:7] = 1
    matte = truth.copy()
    truth[2, 2], matte[2, 2] = 0.95, 0.55
    truth[2, 5], matte[2, 5] = 0.951, 0.85
    assert conn(matte, truth) == pytest.approx((0.45 + 0.151) / 1000)


def test_conn_joins_along_sides_only():
    """A pixel that touches the region at its corner is an island, to the matte and the truth."""
    truth = np.zeros((6, 6), np.float32)
    truth[1:4, 1:4] = 1
    truth[4, 4] = 1
    matte = truth.copy()
    matte[4, 4] = 0.5
    # Level 0 for the pixel: 1 and 0.5 above, connectivity 0 and 0.5.
    assert conn(matte, truth) == pytest.approx(0.5 / 1000)


def test_the_unknown_band_straddles_the_edge():
    """Around a hard edge the band is as wide as the ellipse reaches on both sides, less a pixel."""
    columns = np.flatnonzero(unknown(edge())[20])
    assert columns.size == 9
    assert columns.min() in (25, 26)
    assert np.all(np.diff(columns) == 1)


def test_mad_within_counts_the_band_only():
    """An error deep inside the matte is not counted; the same error at the edge is."""
    truth = edge()
    band = unknown(truth)
    inside, at_edge = truth.copy(), truth.copy()
    inside[:, 55] = 0.5
    at_edge[:, 30] = 0.5
    assert mad_within(inside, truth, band) == 0.0
    assert mad_within(at_edge, truth, band) == pytest.approx(1e3 * 0.5 / 9)
    assert mad_within(inside, truth, np.zeros_like(band)) is None
