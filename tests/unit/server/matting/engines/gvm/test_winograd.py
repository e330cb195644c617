"""Convolutions by four products a pixel: the same as by nine, and nearer to the truth."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from gvm_server.matting.engines.gvm import winograd
from tests.support.threads import hashes

FORMATS = [torch.contiguous_format, torch.channels_last]
SIDES = [(1, 1), (1, 7), (5, 5), (6, 8), (7, 15), (23, 41)]


@pytest.fixture(autouse=True)
def inference() -> Iterator[None]:
    """Run as the engine does."""
    with torch.inference_mode():
        yield


def _values(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(len(shape)))


def _kernel(before: int, width: int) -> tuple[Tensor, Tensor]:
    return _values(width, before, 3, 3) / (9 * before) ** 0.5, _values(width)


@pytest.mark.parametrize("sides", SIDES, ids=str)
@pytest.mark.parametrize("frames", [1, 3])
def test_it_is_a_3x3_convolution_within_rounding(sides: tuple[int, int], frames: int):
    """In float64, at even and odd sides, with and without a bias."""
    image = _values(frames, 6, *sides).double()
    weight, bias = (part.double() for part in _kernel(6, 10))
    for offset in (bias, None):
        expected = functional.conv2d(image, weight, offset, padding=1)
        result = winograd.convolve(image, weight, offset)
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("block", [1, 1 << 12, 1 << 16])
def test_blocks_of_any_size_give_the_whole_image(monkeypatch: pytest.MonkeyPatch, block: int):
    """Rows of tiles one at a time, a remainder at the end, and several small frames at once."""
    monkeypatch.setattr(winograd, "BLOCK", block)
    image = _values(3, 6, 22, 9).double()
    weight, bias = (part.double() for part in _kernel(6, 10))
    expected = functional.conv2d(image, weight, bias, padding=1)
    torch.testing.assert_close(winograd.convolve(image, weight, bias), expected, rtol=0, atol=1e-12)


def test_it_is_nearer_to_the_truth_than_the_direct_way():
    """In float32 its sums are a ninth as long: rounding gathers less."""
    image = _values(1, 256, 32, 32)
    weight, bias = _kernel(256, 256)
    truth = functional.conv2d(image.double(), weight.double(), bias.double(), padding=1)
    direct = functional.conv2d(image, weight, bias, padding=1).double() - truth
    ours = winograd.convolve(image, weight, bias).double() - truth
    assert ours.square().mean() < direct.square().mean()
    assert ours.abs().max() < 1e-5


@pytest.mark.parametrize(("before", "width"), [(32, 32), (64, 96), (128, 256)])
def test_it_gives_the_same_bits_on_any_count_of_threads_and_in_both_formats(
    before: int, width: int
):
    """At sizes whose tiles are many and few, even and odd; products of fewer rows are not taken."""
    weight, bias = _kernel(before, width)
    for sides in ((8, 8), (13, 28), (23, 41), (40, 64)):
        said: set[str] = set()
        for layout in FORMATS:
            parts = (_values(3, before, *sides), weight)
            image, kernel = (part.contiguous(memory_format=layout) for part in parts)
            said.update(hashes(partial(winograd.convolve, image, kernel, bias)))
        assert len(said) == 1, sides


def test_it_pays_where_tiles_are_many_and_kernels_neither_narrow_nor_too_large():
    """By the sizes alone, never by a clock."""
    latents = torch.empty(4, 320, 32, 32, device="meta")
    assert winograd.pays(latents, 320)
    assert not winograd.pays(latents[:, :, :8, :8], 320)
    assert not winograd.pays(latents, 128)
    assert not winograd.pays(torch.empty(4, 1280, 32, 32, device="meta"), 1280)
