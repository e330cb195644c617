"""What stands around the model gives the same bits on any count of threads."""

from __future__ import annotations

import numpy as np
import pytest

from gvm_client.settings import MatteKnobs, Refine
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.preview.engine import PreviewEngine
from gvm_server.matting.knobs import apply
from gvm_server.matting.preprocess import luma
from gvm_server.matting.refine import refine
from gvm_server.media.pixels import downscale, upscale
from tests.support.portrait import portrait
from tests.support.threads import hashes

SIDES = [(180, 320), (271, 483)]
KNOBS = [
    MatteKnobs(black=0.05, white=0.9, gamma=1.3),
    MatteKnobs(grow=2.5),
    MatteKnobs(grow=-9.0, invert=True),
    MatteKnobs(blur=3.3),
    MatteKnobs(blur=40.0),
]


def _random(*shape: int) -> Image:
    return np.random.default_rng(0).random(shape, np.float32)


@pytest.mark.parametrize("sides", SIDES)
def test_a_plate_comes_in_with_the_same_bits(sides: tuple[int, int]):
    """Luma, and both directions of the resize."""
    display = _random(*sides, 3)
    assert len(set(hashes(lambda: luma(display)))) == 1
    assert len(set(hashes(lambda: downscale(display, 96, 170)))) == 1
    assert len(set(hashes(lambda: upscale(display, 701, 997)))) == 1


def test_luma_is_the_weighted_sum():
    """The weights of Rec.709, as in float64."""
    display = _random(31, 47, 3)
    expected = display.astype(np.float64) @ np.array([0.2126, 0.7152, 0.0722])
    np.testing.assert_allclose(luma(display), expected, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(luma(display[:, ::-1]), luma(display)[:, ::-1])


@pytest.mark.parametrize("way", Refine)
@pytest.mark.parametrize("sides", SIDES)
def test_an_alpha_comes_up_to_the_plate_with_the_same_bits(sides: tuple[int, int], way: Refine):
    """Every way, at sizes that divide evenly and that do not; the guide and its grain too."""
    alpha, display = _random(60, 107), _random(*sides, 3)

    def brought_up() -> Image:
        return refine(alpha, Guide.of(display, luma(display)), way, 0.35)

    assert len(set(hashes(brought_up))) == 1


@pytest.mark.parametrize("knobs", KNOBS)
def test_every_knob_gives_the_same_bits(knobs: MatteKnobs):
    """Levels, both directions of growth, narrow and wide blur, invert."""
    alpha = _random(271, 483)
    assert len(set(hashes(lambda: apply(alpha, knobs)))) == 1


def test_the_preview_engine_gives_the_same_bits():
    """A person is found, so all looks run, and the mean over time after them."""
    frames = [portrait(240, 320 + 2 * wide)[..., :320] for wide in range(3)]

    def made() -> Image:
        return engine.decode([engine.encode(frame) for frame in frames], chunk=3, halo=0)

    engine = PreviewEngine()
    expected = made()
    assert expected.mean() > 0.05
    assert len(set(hashes(made))) == 1
    for threads in (2, 3, 8):
        engine = PreviewEngine(threads=threads)
        np.testing.assert_array_equal(made(), expected)
