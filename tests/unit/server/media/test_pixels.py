"""The resizes against torch's definitions and the mean, tables of halves, and bad pixels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gvm_client.errors import InputError
from gvm_client.settings import BadPixels
from gvm_server.media.pixels import (
    HALVES,
    as_float,
    as_half,
    averaged,
    downscale,
    looked_up,
    require_finite,
    upscale,
)

SIDES = st.integers(2, 60)  # torch 2.13 is wrong for a side of one pixel: it repeats the first


def by_torch(image, height, width, *, antialias):
    """Resize [H, W, C] with torch."""
    batch = torch.from_numpy(image).permute(2, 0, 1)[None].contiguous()
    resized = torch.nn.functional.interpolate(
        batch, (height, width), mode="bilinear", antialias=antialias, align_corners=False
    )
    return resized[0].permute(1, 2, 0).numpy()


def noise(height, width, channels=3):
    """Return values from -1 to 3: plates are not limited to 0..1."""
    random = np.random.default_rng(height * 1000 + width)
    return random.uniform(-1, 3, (height, width, channels)).astype(np.float32)


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, SIDES, SIDES)
def test_downscale_is_torchs_antialiased_bilinear(height, width, new_height, new_width):
    """Any sizes, up or down, equal but for rounding."""
    image = noise(height, width)
    expected = by_torch(image, new_height, new_width, antialias=True)
    result = downscale(image, new_height, new_width)
    assert result.dtype == np.float32
    assert np.abs(result - expected).max() < 1e-4  # torch places its taps in float32


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, st.integers(1, 4), st.integers(1, 4))
def test_upscale_is_torchs_bilinear(height, width, times_high, times_wide):
    """Half-pixel centres, edges repeated, no antialias."""
    image = noise(height, width)
    size = (height * times_high + 1, width * times_wide + 2)
    expected = by_torch(image, *size, antialias=False)
    assert np.abs(upscale(image, *size) - expected).max() < 1e-4


@pytest.mark.parametrize("resize", [averaged, downscale, upscale])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3)])
def test_the_number_of_axes_and_channels_stays(resize, shape):
    """A plane stays a plane; one channel stays one channel."""
    image = noise(20, 30, 3)[..., : shape[2] if len(shape) == 3 else 1].reshape(shape)
    result = resize(image, 10, 12)
    assert result.shape == (10, 12, *shape[2:])
    assert np.array_equal(resize(image, 20, 30), image)


@pytest.mark.parametrize("resize", [averaged, downscale, upscale])
def test_the_same_bits_whatever_the_memory_layout(resize):
    """A view, a transposed copy and the original give one result."""
    image = noise(37, 53)
    inside = np.pad(image, ((3, 2), (1, 4), (0, 0)))[3:-2, 1:-4]
    by_columns = np.asfortranarray(image)
    result = resize(image, 19, 31)
    assert np.array_equal(resize(inside, 19, 31), result)
    assert np.array_equal(resize(by_columns, 19, 31), result)


@settings(deadline=None, max_examples=60)
@given(SIDES, SIDES, st.integers(1, 4), st.integers(1, 4))
def test_averaged_is_the_mean_of_each_area(height, width, times_high, times_wide):
    """Whole multiples, in either direction alone too; on other sizes the mean stays."""
    image = noise(height * times_high, width * times_wide)
    areas = image.astype(np.float64).reshape(height, times_high, width, times_wide, 3)
    result = averaged(image, height, width)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result, areas.mean(axis=(1, 3)), rtol=0, atol=1e-5)
    odd = averaged(image, max(1, height - 1), width)
    np.testing.assert_allclose(odd.mean(), image.mean(dtype=np.float64), rtol=0, atol=1e-4)


def test_what_grows_on_one_side_is_interpolated_there():
    """An anamorphic plate: one side is averaged, the other one not."""
    image = noise(40, 30)
    expected = upscale(averaged(image, 20, 30), 20, 45)
    assert np.array_equal(averaged(image, 20, 45), expected)


def test_every_half_is_looked_up_by_its_bits():
    """In any layout; those that are no number are the table's, too."""
    table = np.arange(1 << 16, dtype=np.float32)
    image = np.resize(HALVES, (3, 40_000))[:, ::2]
    expected = np.ascontiguousarray(image).view(np.uint16).astype(np.float32)
    assert np.array_equal(looked_up(image, table), expected)
    assert looked_up(image[:0], table).shape == (0, 20_000)
    finite = HALVES[np.isfinite(HALVES)]
    assert np.array_equal(as_float(finite), finite.astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pixels_that_are_no_number_are_found_in_each_type(dtype, bad):
    """Counted and placed, or black; the largest numbers are none of them."""
    pixels = np.full((4, 5, 3), np.finfo(dtype).max, dtype)
    assert require_finite(pixels, BadPixels.FAIL, frame=1, path="a") is pixels
    pixels[2, 3, 1] = bad
    with pytest.raises(InputError, match=r"1 NaN or infinite pixels.* x 3, y 2"):
        require_finite(pixels, BadPixels.FAIL, frame=1, path="a")
    black = require_finite(pixels, BadPixels.BLACK, frame=1, path="a")
    assert black.dtype == dtype
    assert (black[2, 3] == 0).all()
    assert np.isfinite(black).all()


@pytest.mark.parametrize("shape", [(7,), (5, 9), (2, 3, 4), (0, 3)])
def test_half_is_numpys_half(shape: tuple[int, ...]):
    """Every value of a half, what lies in the middle of two, and what is next to that."""
    halves = HALVES[:0x7C00].astype(np.float32)
    middles = (halves[1:] + halves[:-1]) / 2
    for values in (halves, middles, np.nextafter(middles, 0), np.nextafter(middles, 1e9), -middles):
        np.testing.assert_array_equal(as_half(values), values.astype(np.float16))
    some = np.random.default_rng(0).random(shape, np.float32)[..., ::-1]
    np.testing.assert_array_equal(as_half(some), some.astype(np.float16))
