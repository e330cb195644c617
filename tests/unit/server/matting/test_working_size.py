"""The working size: the original's integer rule, reflection padding, and the crop back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.settings import WindowSettings
from gvm_server.matting.working_size import WorkingSize, working_size

SIDES = st.integers(min_value=1, max_value=4096)


def _settings(size: int, max_resolution: int) -> WindowSettings:
    return WindowSettings(size=size, max_resolution=max_resolution)


@pytest.mark.parametrize(
    ("plate", "size", "cap", "resized", "padded", "top_left"),
    [
        ((64, 109), 48, 200, (48, 81), (64, 96), (8, 7)),
        ((90, 50), 44, 76, (76, 42), (96, 64), (10, 11)),
        ((1080, 1920), 720, 1024, (576, 1024), (576, 1024), (0, 0)),
        ((1080, 1920), 1024, 1920, (1024, 1820), (1024, 1824), (0, 2)),
        ((1080, 1080), 720, 1024, (720, 720), (736, 736), (8, 8)),
        ((1080, 1080), 720, 512, (512, 512), (512, 512), (0, 0)),
        ((50, 100), 100, 400, (100, 200), (128, 224), (14, 12)),
    ],
)
def test_working_size_follows_the_original(
    plate: tuple[int, int],
    size: int,
    cap: int,
    resized: tuple[int, int],
    padded: tuple[int, int],
    top_left: tuple[int, int],
):
    """Landscape, portrait, capped, square and small plates get the original's sizes."""
    working = working_size(*plate, _settings(size, cap), 32)
    assert (working.height, working.width) == resized
    assert (working.padded_height, working.padded_width) == padded
    assert (working.top, working.left) == top_left


@given(height=SIDES, width=SIDES, size=st.integers(32, 2048), cap=st.integers(32, 2048))
def test_working_size_is_bounded_for_any_plate(height: int, width: int, size: int, cap: int):
    """No edge passes the cap, none vanishes, and the padding is even and below the multiple."""
    working = working_size(height, width, _settings(size, cap), 32)
    assert min(working.height, working.width) >= 1
    assert max(working.height, working.width) <= cap
    assert (working.height <= working.width) == (height <= width) or height == width
    for side, padded, before in (
        (working.height, working.padded_height, working.top),
        (working.width, working.padded_width, working.left),
    ):
        assert padded % 32 == 0
        assert 0 <= padded - side < 32
        assert (padded - side) // 2 == before


def test_multiple_of_one_pads_nothing():
    """An engine without a multiple sees the resized frame itself."""
    working = working_size(90, 50, _settings(44, 76), 1)
    assert (working.padded_height, working.padded_width) == (76, 42)
    image = np.ones((3, 76, 42), np.float32)
    assert working.pad(image).shape == image.shape


@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    before=st.integers(0, 31),
    seed=st.integers(0, 9),
)
def test_pad_reflects_and_crop_undoes_it(height: int, width: int, before: int, seed: int):
    """Padding bounces as in a textbook, also for frames smaller than the pad, and is undone."""
    image = np.random.default_rng(seed).random((3, height, width), np.float32)
    working = WorkingSize(
        height=height,
        width=width,
        padded_height=height + 2 * before,
        padded_width=width + before,
        top=before,
        left=before // 2,
    )
    padded = working.pad(image)
    for axis, length, first in ((1, height, before), (2, width, before // 2)):
        line = np.moveaxis(padded, axis, 0)
        for position in range(line.shape[0]):
            source = _bounce(position - first, length)
            np.testing.assert_array_equal(line[position], line[first + source])
    np.testing.assert_array_equal(working.crop(padded), image)
    np.testing.assert_array_equal(working.crop(padded[0]), image[0])


def _bounce(position: int, length: int) -> int:
    """Walk back and forth over 0..length-1."""
    if length == 1:
        return 0
    while not 0 <= position < length:
        position = -position if position < 0 else 2 * (length - 1) - position
    return position
