"""The plate as a guide: its light, its grain, and the grain's smoothing."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.truth.measures import with_grain
from benchmarks.truth.scenes import draw as draw_scene
from gvm_server.matting.edges.guide import MOST_GRAIN, Guide, grain_of
from gvm_server.matting.edges.near import near_band
from gvm_server.matting.preprocess import luma
from gvm_server.media.colour.encodings import linear_from_srgb, srgb_from_linear

draw = cache(draw_scene)


def grainy(name: str, grain: float) -> Guide:
    """Return a scene's guide."""
    display = with_grain(srgb_from_linear(draw(name, 8).plate), grain, 8)
    return Guide.of(display, luma(display))


@pytest.mark.parametrize("name", ["hairlight", "bokeh", "edge"])
def test_the_grain_is_read_from_the_frame(name: str):
    """Of what lies over smooth places, textures notwithstanding; a clean frame has none."""
    assert grainy(name, 0.0).grain < 0.004
    assert grainy(name, 0.02).grain == pytest.approx(0.02, rel=0.25)
    assert grainy(name, 0.045).grain == pytest.approx(0.045, rel=0.25)


def test_grain_has_a_most_and_black_bars_do_not_dilute_it():
    """Noise is no grain; black and clipped pixels are no proof of a clean frame."""
    noise = np.random.default_rng(0).random((300, 400), np.float32)
    assert grain_of(noise) == MOST_GRAIN
    soft = np.clip(0.5 + 0.01 * (noise - 0.5), 0, 1)
    barred = np.zeros((1000, 400), np.float32)
    barred[:300] = soft
    barred[600:] = 1.0
    assert grain_of(barred) == pytest.approx(grain_of(soft), rel=0.05)
    assert grain_of(np.zeros((40, 40), np.float32)) == 0.0
    assert grain_of(np.full((2, 2), 0.5, np.float32)) == 0.0


def test_its_rows_are_in_linear_light():
    """Within half a code value of what the display's values say."""
    display = np.random.default_rng(3).random((50, 70, 3), np.float32)
    guide = Guide.of(display, luma(display))
    everywhere = near_band(np.ones((1, 1), np.bool_), (50, 70), 50)
    rows = np.concatenate([guide.linear(part) for part in everywhere])
    np.testing.assert_allclose(rows, linear_from_srgb(display), atol=0.5 / 255 * 2.3)
    one = near_band(np.ones((1, 1), np.bool_), (50, 70), 1)
    np.testing.assert_allclose(
        guide.averaged(1, 1, everywhere, one).ravel(), rows.mean(axis=(0, 1)), atol=1e-5
    )
    ends = np.zeros((2, 2, 3), np.float32)
    ends[1] = 1.0
    (both,) = near_band(np.ones((1, 1), np.bool_), (2, 2), 2)
    assert set(Guide.of(ends, luma(ends)).linear(both).ravel()) == {0.0, 1.0}


def test_smoothing_takes_grain_and_leaves_edges():
    """Of a grainy step the noise falls to less than half, and the step stays where it was."""
    display = np.full((120, 160, 3), 0.3, np.float32)
    display[:, 80:] = 0.6
    guide = Guide.of(with_grain(display, 0.02, 1), luma(with_grain(display, 0.02, 1)))
    smooth = guide.smoothed().display.astype(np.float32) / 255
    before = guide.display.astype(np.float32) / 255
    assert smooth[:, :70].std() < 0.7 * before[:, :70].std()
    assert np.abs(smooth[:, 78:82] - display[:, 78:82]).mean() < 0.015
    clean = Guide.of(display, luma(display))
    assert clean.smoothed() is clean
