"""The two resizes against torch's definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gvm_server.media.pixels import downscale, upscale

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


@pytest.mark.parametrize("resize", [downscale, upscale])
@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 1), (20, 30, 3)])
def test_the_number_of_axes_and_channels_stays(resize, shape):
    """A plane stays a plane; one channel stays one channel."""
    image = noise(20, 30, 3)[..., : shape[2] if len(shape) == 3 else 1].reshape(shape)
    result = resize(image, 10, 12)
    assert result.shape == (10, 12, *shape[2:])
    assert np.array_equal(resize(image, 20, 30), image)


@pytest.mark.parametrize("resize", [downscale, upscale])
def test_the_same_bits_whatever_the_memory_layout(resize):
    """A view, a transposed copy and the original give one result."""
    image = noise(37, 53)
    inside = np.pad(image, ((3, 2), (1, 4), (0, 0)))[3:-2, 1:-4]
    by_columns = np.asfortranarray(image)
    result = resize(image, 19, 31)
    assert np.array_equal(resize(inside, 19, 31), result)
    assert np.array_equal(resize(by_columns, 19, 31), result)
