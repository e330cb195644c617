"""The metrics of neighbouring frames, and the means over a clip, worked out by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gvm_server.measure.meter import METRICS, Meter
from gvm_server.measure.motion import dtssd, flow_of, messddt


def clip(*values: float) -> list[np.ndarray]:
    """Return frames of 2 x 2 pixels that are 0 but for the first one's value."""
    frames = [np.zeros((2, 2), np.float32) for _ in values]
    for frame, value in zip(frames, values, strict=True):
        frame[0, 0] = value
    return frames


def test_dtssd_of_a_pixel_that_flickers():
    """In 1 of 4 pixels a change of 0.4 is missed: the root of 0.16 / 4 is 0.2, times 100."""
    truth, (before, after) = np.zeros((2, 2), np.float32), clip(0.0, 0.4)
    assert dtssd((before, truth), (after, truth)) == pytest.approx(20.0)


def test_dtssd_does_not_see_a_steady_error():
    """A matte that is wrong by the same amount in each frame does not flicker."""
    truth = np.random.default_rng(2).random((2, 8, 8)).astype(np.float32) / 2
    pairs = [(each + np.float32(0.25), each) for each in truth]
    assert dtssd(*pairs) == pytest.approx(0.0, abs=1e-5)


def test_messddt_follows_the_motion():
    """An error of 0.5 that moves with the subject by (2, 1) is steady; one left behind is not.

    Squared it is 0.25. Left behind, it is missed at the one pixel it leaves and found at the one
    whose motion ends there: twice 0.25 over the band's 30 pixels, times 1e4.
    """
    zero = np.zeros((10, 12), np.float32)
    flow = np.zeros((10, 12, 2), np.float32)
    flow[..., 0], flow[..., 1] = 2.2, 0.8  # rounded to whole pixels
    band = np.zeros((10, 12), bool)
    band[2:7, 2:8] = True
    before, moved = zero.copy(), zero.copy()
    before[4, 5], moved[5, 7] = 0.5, 0.5
    assert messddt((before, zero), (moved, zero), flow, band) == 0.0
    stayed = messddt((before, zero), (before, zero), flow, band)
    assert stayed == pytest.approx(2 * 0.25 / 30 * 1e4)


def test_messddt_leaves_out_what_leaves_the_frame():
    """Pixels whose motion ends outside do not count; where none is left there is no figure."""
    zero = np.zeros((4, 4), np.float32)
    flow = np.full((4, 4, 2), 0.0, np.float32)
    flow[..., 0] = 3.0
    wrong = zero.copy()
    wrong[0, 0] = 0.5
    everywhere = np.ones((4, 4), bool)
    assert messddt((wrong, zero), (zero, zero), flow, everywhere) == pytest.approx(0.25 / 4 * 1e4)
    flow[..., 0] = 9.0
    assert messddt((wrong, zero), (zero, zero), flow, everywhere) is None


def test_the_flow_finds_a_shift():
    """A textured truth that moves by 3 and 2 pixels does so in its middle; a still one stays."""
    noise = np.random.default_rng(3).random((96, 128)).astype(np.float32)
    before = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 4), None, 0, 1, cv2.NORM_MINMAX)
    after = np.roll(before, (2, 3), axis=(0, 1))
    middle = np.rint(flow_of(before, after)[24:-24, 24:-24])
    assert np.mean((middle == (3, 2)).all(axis=-1)) > 0.95
    assert not flow_of(before, before).any()


def test_a_clips_means():
    """Three frames, errors 0, 0.4, 0: dtSSD 0, 20 and 20, its first frame in the mean as 0."""
    truth, meter = np.zeros((2, 2), np.float32), Meter()
    for frame, matte in enumerate(clip(0.0, 0.4, 0.0), start=7):
        meter.add(frame, matte, truth)
    figures = meter.figures()
    assert figures["dtssd"] == pytest.approx(40 / 3)
    assert figures["mad"] == pytest.approx(100 / 3)
    assert figures["mse"] == pytest.approx(40 / 3)
    assert list(figures) == list(METRICS)


def test_frames_apart_are_no_neighbours():
    """Between frames 1 and 3 nothing is said of flicker: each counts as a first frame."""
    truth, meter = np.zeros((2, 2), np.float32), Meter()
    for frame, matte in zip((1, 3), clip(0.0, 0.4), strict=True):
        meter.add(frame, matte, truth)
    assert meter.figures()["dtssd"] == 0.0
    assert meter.figures()["messddt"] is None


def test_frames_without_a_band_do_not_dilute_it():
    """MAD in the band is the mean over the frames that have one; without any there is none."""
    truth = np.zeros((40, 60), np.float32)
    matte, meter = truth.copy(), Meter()
    matte[:, 30] = 0.5
    band = np.zeros((40, 60), bool)
    meter.add(1, truth, truth, band)
    assert meter.figures()["mad_unknown"] is None
    band = band.copy()
    band[:, 30:32] = True
    meter.add(2, matte, truth, band)
    assert meter.figures()["mad_unknown"] == pytest.approx(250.0)
