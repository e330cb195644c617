"""The memory plan against what the CPU's allocator saw, and the order of what is given up."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile

from gvm_client.settings import PlanKind, WindowSettings
from gvm_server.matting.gvm.backoff import HALO, backoff, chunks, frames_decoded_at_once
from gvm_server.matting.gvm.config import (
    CheckpointConfig,
    SchedulerConfig,
    UNetConfig,
    VaeConfig,
)
from gvm_server.matting.gvm.device import Placement
from gvm_server.matting.gvm.memory import Job, plan_memory
from gvm_server.matting.gvm.unet import UNet
from gvm_server.matting.gvm.vae import Decoder, Encoder

VAE = VaeConfig(
    in_channels=3,
    out_channels=3,
    latent_channels=4,
    widths=(128, 256, 512, 512),
    layers=2,
    scaling_factor=0.18215,
    force_upcast=True,
)
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
CONFIG = CheckpointConfig(
    unet=UNET, vae=VAE, scheduler=SchedulerConfig(train_steps=1000, shift=3.0)
)


def _placement(dtype: torch.dtype, *, channels_last: bool = False) -> Placement:
    return Placement(device=torch.device("cpu"), unet=dtype, vae=dtype, channels_last=channels_last)


def _measured_peak(run: Callable[[], Tensor]) -> int:
    """Return the most bytes that the allocator held above what was there before."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    events = profiler.profiler.kineto_results.events()
    moves = sorted(
        (event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]"
    )
    return max(accumulate(size for _, size in moves))


def _random(network: nn.Module, dtype: torch.dtype) -> nn.Module:
    network.to(dtype).requires_grad_(False)
    for parameter in network.parameters():
        parameter.fill_(0.01)
    return network


@pytest.mark.parametrize(
    ("dtype", "channels_last"),
    [(torch.float32, False), (torch.float32, True)],
)
def test_the_plan_is_within_a_fifth_of_what_the_allocator_saw(
    dtype: torch.dtype,
    channels_last: bool,  # noqa: FBT001
):
    """Real VAE widths and the UNet's real first levels, each stage alone, at a small size."""
    job = Job(height=64, width=96, frames=3, chunk=3, halo=2)
    plan = plan_memory(CONFIG, _placement(dtype, channels_last=channels_last), job)
    decoder = _random(Decoder(VAE), dtype)
    window = torch.zeros(3, 4, 8, 12, dtype=dtype)
    part = window
    if channels_last:
        decoder.to(memory_format=torch.channels_last)
        part = part.contiguous(memory_format=torch.channels_last)
    encoder, unet = _random(Encoder(VAE), dtype), _random(UNet(UNET), dtype)
    frame = torch.zeros(1, 3, 64, 96, dtype=dtype)
    with torch.inference_mode():
        measured = {
            "encode": _measured_peak(lambda: encoder(frame)),
            "denoise": _measured_peak(lambda: unet(window, None)),
            "decode": _measured_peak(lambda: decoder(part)),
        }
    for stage, peak in measured.items():
        assert plan.working[stage] == pytest.approx(peak, rel=0.2), stage
    assert plan.weights["decode"] == sum(tensor.nbytes for tensor in decoder.parameters())


def test_the_plan_follows_the_job():
    """Half types halve it; window, chunk and size raise their stages; offload lowers it."""
    job = Job(height=64, width=96, frames=8, chunk=8, halo=HALO)
    full = plan_memory(CONFIG, _placement(torch.float32), job)
    half = plan_memory(CONFIG, _placement(torch.float16), job)
    assert half.peak == pytest.approx(full.peak / 2, rel=0.02)
    chunked = plan_memory(
        CONFIG, _placement(torch.float32), Job(height=64, width=96, frames=8, chunk=1, halo=HALO)
    )
    assert chunked.working["decode"] < 0.7 * full.working["decode"]
    assert chunked.working["denoise"] == full.working["denoise"]
    assert full.peak_offloaded < full.peak
    wide = plan_memory(
        CONFIG, _placement(torch.float32), Job(height=128, width=96, frames=8, chunk=8, halo=HALO)
    )
    assert wide.working["encode"] > 1.9 * full.working["encode"]


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
