"""The metrics against cases that were worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.metrics import dtssd, mad, mad_t, mse, unknown


def test_mad_and_mse_of_a_hand_made_pair():
    """One pixel of four is 0.5 off: MAD is 125, MSE 62.5."""
    truth = np.zeros((2, 2), np.float32)
    alpha = np.array(((0.5, 0), (0, 0)), np.float32)
    assert mad(alpha, truth) == pytest.approx(125.0)
    assert mse(alpha, truth) == pytest.approx(62.5)


def test_every_metric_of_the_truth_itself_is_zero():
    """Nothing is wrong with the truth."""
    truth = np.random.default_rng(1).random((3, 24, 24)).astype(np.float32)
    assert [metric(truth, truth) for metric in (mad, mse, mad_t, dtssd)] == [0.0] * 4


def test_dtssd_of_a_pixel_that_flickers():
    """In 1 of 4 pixels a change of 0.4 is missed twice: roots 0.2, 0.2 and the first frame's 0."""
    truth = np.zeros((3, 2, 2), np.float32)
    alpha = truth.copy()
    alpha[1, 0, 0] = 0.4
    assert dtssd(alpha, truth) == pytest.approx(100 * (0 + 0.2 + 0.2) / 3)


def test_dtssd_does_not_see_a_steady_error():
    """A matte that is wrong by the same amount in each frame does not flicker."""
    truth = np.random.default_rng(2).random((4, 8, 8)).astype(np.float32) / 2
    assert dtssd(truth + np.float32(0.25), truth) == pytest.approx(0.0, abs=1e-5)


def test_the_unknown_band_straddles_the_edge():
    """Around a hard edge the band is as wide as the ellipse reaches on both sides, less a pixel."""
    truth = np.zeros((40, 60), np.float32)
    truth[:, 30:] = 1.0
    columns = np.flatnonzero(unknown(truth)[20])
    assert columns.size == 9
    assert columns.min() in (25, 26)
    assert np.all(np.diff(columns) == 1)


def test_mad_t_counts_the_band_only():
    """An error deep inside the matte is not counted; the same error at the edge is."""
    truth = np.zeros((40, 60), np.float32)
    truth[:, 30:] = 1.0
    inside, edge = truth.copy(), truth.copy()
    inside[:, 55] = 0.5
    edge[:, 30] = 0.5
    assert mad_t(inside, truth) == 0.0
    assert mad_t(edge, truth) == pytest.approx(1e3 * 0.5 / 9)


def test_mad_t_averages_over_the_frames_that_have_an_edge():
    """A frame with nobody in it does not dilute the others."""
    truth = np.zeros((2, 40, 60), np.float32)
    truth[0, :, 30:] = 1.0
    alpha = truth.copy()
    alpha[0, :, 30] = 0.5
    assert mad_t(alpha, truth) == pytest.approx(1e3 * 0.5 / 9)
    assert mad_t(alpha[1:], truth[1:]) == 0.0
