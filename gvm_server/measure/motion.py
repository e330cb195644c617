"""Metrics of two frames that follow each other: what flickers.

`before` and `after` are pairs (matte, truth), each [H, W], float, 0..1.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from gvm_server.measure.still import Mask, Matte

Pair = tuple[Matte, Matte]
Flow = NDArray[np.floating]

PER_HUNDRED = 1e2
PER_TEN_THOUSAND = 1e4


def dtssd(before: Pair, after: Pair) -> float:
    """Return the root of the mean square of the difference of the two changes, x 1e2.

    As Robust Video Matting scales it. TCVOM and MaGGIe take the root of a sum: their figures do
    not compare with this one.
    """
    change = (after[0] - before[0]) - (after[1] - before[1])
    return float(np.sqrt(np.square(change).mean(dtype=np.float64))) * PER_HUNDRED


def messddt(before: Pair, after: Pair, flow: Flow, band: Mask) -> float | None:
    """Return how much the squared error changes along the motion, mean over a band, x 1e4.

    Erofeev et al., "Perceptually Motivated Benchmark for Video Matting", BMVC 2015:
    |(p_t - g_t)^2 at x - (p_t+1 - g_t+1)^2 at x + v|, over the pixels x of the band whose x + v
    lies in the frame. Mean and scale are MaGGIe's, and so is v, rounded to whole pixels.

    Args:
        before: frame t.
        after: frame t + 1.
        flow: [H, W, 2], x and y in pixels: where each pixel of t is in t + 1.
        band: [H, W], the unknown pixels of frame t.

    Returns:
        None where no pixel of the band stays in the frame.
    """
    height, width = band.shape
    y, x = np.nonzero(band)
    steps = np.rint(flow[y, x]).astype(np.int64)
    to_x, to_y = x + steps[:, 0], y + steps[:, 1]
    inside = (to_x >= 0) & (to_x < width) & (to_y >= 0) & (to_y < height)
    if not inside.any():
        return None
    y, x, to_y, to_x = y[inside], x[inside], to_y[inside], to_x[inside]
    error = [np.square(matte - truth) for matte, truth in (before, after)]
    change = np.abs(error[0][y, x] - error[1][to_y, to_x])
    return float(change.mean(dtype=np.float64)) * PER_TEN_THOUSAND


def flow_of(before: Matte, after: Matte) -> Flow:
    """Return the motion [H, W, 2] from one frame of the truth to the next, in pixels.

    Farneback's method on the truth's alpha in 8 bits, with MaGGIe's parameters. Of two equal
    frames it is 0 (OpenCV finds some motion at the border there).
    """
    steps = [np.rint(np.clip(each, 0, 1) * 255).astype(np.uint8) for each in (before, after)]
    still = np.zeros((*before.shape, 2), np.float32)
    if np.array_equal(steps[0], steps[1]):
        return still
    return np.asarray(
        cv2.calcOpticalFlowFarneback(
            steps[0],
            steps[1],
            still,  # it writes here
            pyr_scale=0.5,
            levels=5,
            winsize=10,
            iterations=2,
            poly_n=7,
            poly_sigma=1.5,
            flags=cv2.OPTFLOW_FARNEBACK_GAUSSIAN,
        )
    )
