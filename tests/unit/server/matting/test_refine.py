"""From working size to plate size: what the plate adds, and what it must not touch."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from gvm_server.matting.engines.base import Image, Upsampling
from gvm_server.matting.refine import refine
from tests.support import synthetic
from tests.support.metrics import mad_t

WIDTH, HEIGHT = 960, 540


def downsampled(alpha: Image, factor: int) -> Image:
    """Return the alpha averaged down by a whole factor, as a perfect model would give it."""
    height, width = alpha.shape
    size = (width // factor, height // factor)
    return np.asarray(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA))


def grain(image: Image, sigma: float) -> Image:
    """Return the image with normal noise, cut to 0..1."""
    noise = np.random.default_rng(5).standard_normal(image.shape).astype(np.float32)
    return np.clip(image + np.float32(sigma) * noise, 0.0, 1.0)


@pytest.mark.parametrize("upsampling", Upsampling)
@pytest.mark.parametrize("size", [(90, 160), (45, 80), (36, 64), (24, 40)])
def test_the_result_has_the_plates_size_and_range(upsampling: Upsampling, size: tuple[int, int]):
    """Larger, equal and smaller plates, with sides that divide into nothing."""
    rng = np.random.default_rng(0)
    alpha, guide = rng.random((45, 80), np.float32), rng.random(size, np.float32)
    refined = refine(alpha, guide, upsampling)
    assert refined.shape == size
    assert refined.dtype == np.float32
    assert refined.min() >= 0.0
    assert refined.max() <= 1.0


@pytest.mark.parametrize(("factor", "share"), [(2, 0.4), (4, 0.65)])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_guide_brings_strands_back(factor: int, share: float, noise: float):
    """On the drawn plate, clean or with grain of 2 %, MAD-T is well below bilinear's."""
    plate, truth = synthetic.frame(3, WIDTH, HEIGHT)
    guide, small = grain(synthetic.guide(plate), noise), downsampled(truth, factor)
    guided = mad_t(refine(small, guide, Upsampling.GUIDED), truth)
    bilinear = mad_t(refine(small, guide, Upsampling.BILINEAR), truth)
    assert guided < share * bilinear


def test_averaged_back_the_matte_is_the_models():
    """The guide adds only what the working size could not hold."""
    plate, truth = synthetic.frame(3, WIDTH, HEIGHT)
    small = downsampled(truth, 4)
    guide = synthetic.guide(plate)
    back = {way: downsampled(refine(small, guide, way), 4) for way in Upsampling}
    error = {way: float(np.abs(back[way] - small).mean()) for way in Upsampling}
    assert error[Upsampling.GUIDED] < 0.5 * error[Upsampling.BILINEAR]


def test_solid_and_empty_stay_exact_under_any_texture():
    """Where the model's alpha is flat the plate's texture leaves no trace."""
    guide = np.random.default_rng(1).random((400, 400), np.float32)
    alpha = np.zeros((100, 100), np.float32)
    alpha[:, 50:] = 1.0
    refined = refine(alpha, guide, Upsampling.GUIDED)
    assert not refined[:, : 4 * 46].any()
    assert np.all(refined[:, 4 * 54 :] == 1.0)
    assert np.ptp(refined[:, 4 * 48 : 4 * 52]) > 0.5


def test_a_featureless_plate_adds_nothing():
    """Without anything to follow a soft ramp stays the ramp that bilinear makes."""
    alpha = np.linspace(0.1, 0.9, 40, dtype=np.float32)[None].repeat(30, axis=0)
    guide = np.full((120, 160), 0.4, np.float32)
    guided = refine(alpha, guide, Upsampling.GUIDED)
    plain = refine(alpha, guide, Upsampling.BILINEAR)
    np.testing.assert_allclose(guided[:, 8:-8], plain[:, 8:-8], atol=1e-5)


@pytest.mark.parametrize("upsampling", Upsampling)
def test_at_working_size_nothing_changes(upsampling: Upsampling):
    """A plate that the model saw in full has nothing to add."""
    rng = np.random.default_rng(3)
    alpha, guide = rng.random((30, 40), np.float32), rng.random((30, 40), np.float32)
    assert np.array_equal(refine(alpha, guide, upsampling), alpha)


@pytest.mark.parametrize("upsampling", Upsampling)
def test_a_read_only_view_is_taken(upsampling: Upsampling):
    """A working alpha cut out of its padding, in a buffer that nobody may write, is fine."""
    rng = np.random.default_rng(4)
    padded, guide = rng.random((32, 64), np.float32), rng.random((90, 180), np.float32)
    padded.flags.writeable = False
    guide.flags.writeable = False
    view = padded[1:31, 2:62]
    refined = refine(view, guide, upsampling)
    assert np.array_equal(refined, refine(view.copy(), guide.copy(), upsampling))


def test_a_smaller_plate_gets_averages():
    """A plate below working size gets the mean of the pixels it stands for."""
    alpha = np.array(((0.0, 1.0), (1.0, 1.0)), np.float32)
    refined = refine(alpha, np.zeros((1, 1), np.float32), Upsampling.GUIDED)
    assert refined == pytest.approx(0.75)
