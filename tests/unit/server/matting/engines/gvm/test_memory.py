"""The memory plan against what the CPU's allocator saw, and the order of what is given up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import accumulate
from math import prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.autograd.profiler import profile

from gvm_client.settings import PlanKind, WindowSettings
from gvm_server.matting.engines.backoff import (
    SEAMLESS_HALO,
    backoff,
    chunks,
    frames_decoded_at_once,
)
from gvm_server.matting.engines.gvm.checkpoint import unet_shapes, vae_shapes
from gvm_server.matting.engines.gvm.config import RELEASED, UNetConfig
from gvm_server.matting.engines.gvm.memory import LivePeak, WindowShape, plan_memory
from gvm_server.matting.engines.gvm.network import Decoder, Encoder, UNet
from gvm_server.matting.engines.gvm.placement import Placement

VAE = RELEASED.vae
UNET = UNetConfig(
    in_channels=8,
    out_channels=4,
    widths=(320, 640),
    down_attention=(True, False),
    up_attention=(False, True),
    layers=(1, 1),
    heads=(5, 10),
    depths=(1, 1),
    contexts=(1024, 1024),
)
CONFIG = replace(RELEASED, unet=UNET)


def _placement(dtype: torch.dtype, *, channels_last: bool = False) -> Placement:
    return Placement(
        device=torch.device("cpu"),
        unet=dtype,
        vae=dtype,
        channels_last=channels_last,
    )


def _measured_peak(run: Callable[[], Tensor]) -> int:
    """Return the most bytes that the allocator held above what was there before."""
    with profile(profile_memory=True) as profiler:  # `torch.profiler` would import the compiler
        run()
    events = profiler.kineto_results.events()
    moves = sorted(
        (event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"
    )
    return max(accumulate(size for _, size in moves))


def _filled(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.device("meta"):  # PyTorch's own first values take longer than all that is measured
        network = make()
    network.to_empty(device="cpu").requires_grad_(False)
    for parameter in network.parameters():
        parameter.fill_(0.01)
    return network


def _about(measured: int) -> object:
    return pytest.approx(measured, rel=0.2)


def test_the_plan_is_within_a_fifth_of_what_the_allocator_saw():
    """Real VAE widths and the UNet's real first levels, each stage alone, at a small size."""
    job = WindowShape(height=32, width=64, frames=2, chunk=2, halo=SEAMLESS_HALO)
    plan = plan_memory(CONFIG, _placement(torch.float32), job)
    last = plan_memory(CONFIG, _placement(torch.float32, channels_last=True), job)
    encoder, unet, decoder = (
        _filled(make)
        for make in (
            lambda: Encoder(VAE),
            lambda: UNet(UNET),
            lambda: Decoder(VAE, folded=True),
        )
    )
    frame, window = torch.zeros(1, 3, 32, 64), torch.zeros(2, 4, 4, 8)
    with torch.inference_mode():
        assert plan.working["encode"] == _about(_measured_peak(lambda: encoder(frame)))
        assert plan.working["denoise"] == _about(_measured_peak(lambda: unet(window, None)))
        assert plan.working["decode"] == _about(_measured_peak(lambda: decoder(window)))
    assert plan.weights["decode"] == sum(tensor.nbytes for tensor in decoder.parameters())
    decoder.to(memory_format=torch.channels_last)
    window = window.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert last.working["decode"] == _about(_measured_peak(lambda: decoder(window)))


def test_the_plan_follows_the_job():
    """Half types halve it; window, chunk and size raise their stages; offload lowers it."""
    narrow = replace(UNET, widths=(32, 64), heads=(1, 2), contexts=(64, 64))
    config = replace(RELEASED, unet=narrow, vae=replace(VAE, widths=(64, 64), layers=1))
    job = WindowShape(height=64, width=96, frames=8, chunk=8, halo=SEAMLESS_HALO)
    full = plan_memory(config, _placement(torch.float32), job)
    half = plan_memory(config, _placement(torch.float16), job)
    assert half.peak == pytest.approx(full.peak / 2, rel=0.02)
    chunked = plan_memory(config, _placement(torch.float32), replace(job, chunk=1))
    assert chunked.working["decode"] < 0.7 * full.working["decode"]
    assert chunked.working["denoise"] == full.working["denoise"]
    assert full.peak_offloaded < full.peak
    tall = plan_memory(config, _placement(torch.float32), replace(job, height=128))
    assert tall.working["encode"] > 1.9 * full.working["encode"]


@given(count=st.integers(1, 40), chunk=st.integers(1, 40), halo=st.integers(0, 4))
def test_chunks_keep_every_frame_once_and_in_order(count: int, chunk: int, halo: int):
    """What is kept of each chunk makes the window, with as much halo as the window has."""
    kept = []
    for frames, keep in chunks(count, chunk, halo):
        decoded = range(count)[frames]
        kept += decoded[keep]
        first, last = decoded[keep][0], decoded[keep][-1]
        assert decoded[0] == max(0, first - halo)
        assert decoded[-1] == min(count - 1, last + halo)
    assert kept == list(range(count))


@given(
    window=st.integers(1, 64),
    chunk=st.integers(0, 64),
    size=st.integers(32, 2048),
    plan=st.sampled_from(PlanKind),
)
def test_backing_off_goes_down_in_the_guides_order_and_ends(
    window: int, chunk: int, size: int, plan: PlanKind
):
    """Window first, then decode chunk, then size; each step asks for less; then None."""
    settings = WindowSettings(
        frames_per_window=window,
        overlap=window // 2,
        decode_chunk=chunk,
        size=size,
        max_resolution=min(2 * size, 8192),
        plan=plan,
    )
    order = []
    while (following := backoff(settings)) is not None:
        assert following != settings
        assert (following.steps, following.plan) == (settings.steps, settings.plan)
        if following.frames_per_window < settings.frames_per_window:
            order.append(0)
        elif following.size == settings.size:
            order.append(1)
            assert frames_decoded_at_once(following) < frames_decoded_at_once(settings)
        else:
            order.append(2)
            assert following.size < settings.size
            assert following.max_resolution < settings.max_resolution
        settings = following
        assert len(order) < 100
    assert order == sorted(order)
    assert settings.frames_per_window <= 4 or window <= 4
    assert settings.size <= 256


def test_the_guides_numbers_back_off_as_it_says():
    """Sixteen frames become eight, then four; only then the size goes."""
    settings = WindowSettings(frames_per_window=16, overlap=2, size=720)
    first = backoff(settings)
    assert first is not None
    assert (first.frames_per_window, first.overlap, first.size) == (8, 2, 720)
    second = backoff(first)
    assert second is not None
    assert (second.frames_per_window, second.overlap, second.size) == (4, 2, 720)
    third = backoff(second)
    assert third is not None
    assert (third.frames_per_window, third.chunk) == (4, 1) or third.size == 540


def test_the_released_shape_has_the_released_number_of_parameters():
    """1,521,999,082 in the UNet and 97,742,847 in the VAE."""
    assert sum(prod(shape) for shape in unet_shapes(RELEASED.unet).values()) == 1_521_999_082
    assert sum(prod(shape) for shape in vae_shapes(RELEASED.vae).values()) == 97_742_847


ATEN = torch.ops.aten
LAST = {"memory_format": torch.channels_last}


@pytest.mark.parametrize(
    ("operator", "make"),
    [
        (ATEN.addmm.default, lambda new: (new(6), new(5, 4), new(4, 6))),
        (ATEN.gelu.default, lambda new: (new(2, 3, 4),)),
        (ATEN.silu_.default, lambda new: (new(2, 3, 4, 5, **LAST),)),
        (ATEN.add.Tensor, lambda new: (new(2, 3, 4), new(4))),
        (ATEN.add.Tensor, lambda new: (new(2, 3, 4), new(2, 1, 4))),
        (ATEN.add.Tensor, lambda new: (new(4), new(2, 3, 4))),
        (ATEN.add_.Tensor, lambda new: (new(2, 3, 4, 5, **LAST), new(2, 3, 4, 5))),
        (ATEN.cat.default, lambda new: ([new(2, 3, 4, 5, **LAST)] * 2, 1)),
        (ATEN.cat.default, lambda new: ([new(2, 3, 4, 5, **LAST), new(2, 3, 4, 5)], 1)),
    ],
)
def test_a_stand_in_makes_what_the_operator_makes(
    operator: Callable[..., Tensor], make: Callable[[Callable[..., Tensor]], tuple[object, ...]]
):
    """The same shape, type and order in memory, in as many bytes."""
    made, peaks = [], []
    for device in ("cpu", "meta"):
        given_to = make(partial(torch.empty, device=device))
        with torch.no_grad(), LivePeak(copies=1) as live:
            made.append(operator(*given_to))
        peaks.append(live.peak)
    real, stand_in = made
    assert (real.shape, real.dtype, real.stride()) == (
        stand_in.shape,
        stand_in.dtype,
        stand_in.stride(),
    )
    assert peaks[0] == peaks[1]
