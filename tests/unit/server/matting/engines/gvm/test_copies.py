"""Copies beside the work: nobody looks or writes early, and the bits are the plain ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from gvm_server.matting.engines.base import DeviceLost
from gvm_server.matting.engines.gvm.config import RELEASED, GvmOptions
from gvm_server.matting.engines.gvm.copies import PinnedCopies, PlainCopies, copies_for
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.load import Networks
from gvm_server.matting.engines.gvm.placement import place_on
from gvm_server.matting.engines.machine import Step
from tests.support.slow_device import SlowLanes

CPU = torch.device("cpu")


def _pinned(lanes: SlowLanes, said: list[str] | None = None) -> PinnedCopies:
    return PinnedCopies(lanes, PlainCopies(CPU), (said if said is not None else []).append)


def test_what_goes_up_and_comes_home_is_the_same_bits():
    """Whatever the order in which it is taken, and also after its buffer has others."""
    lanes = SlowLanes()
    copies = _pinned(lanes)
    values = [np.random.default_rng(seed).random((2, 3, 4), np.float32) for seed in range(7)]
    there = [copies.up(value, torch.float32) for value in values]
    coming = [copies.down(value) for value in there]
    home = [arrival.take() for arrival in reversed(coming)][::-1]
    lanes.finish()
    assert [one.tobytes() for one in home] == [one.tobytes() for one in values]
    assert coming[0].take() is home[0]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (0, 3, 2, 1)])
@pytest.mark.parametrize("step", [1, 2])
def test_a_value_has_the_plain_way_s_strides(order: tuple[int, ...], step: int):
    """Which kernel a library takes follows them, and so may bits."""
    wide = np.random.default_rng(0).random((1, 5, 6, 3), np.float32)
    value = wide[:, ::step].transpose(order)
    plain, pinned = PlainCopies(CPU), _pinned(SlowLanes())
    ours, theirs = (copies.up(value, torch.float32) for copies in (pinned, plain))
    if step == 1:  # else the CPU's plain way has the array itself
        assert ours.stride() == theirs.stride()
    assert torch.equal(ours, theirs)
    home = pinned.down(ours).take()
    assert home.tobytes() == value.tobytes()


def test_pinned_memory_is_made_once_a_buffer():
    """Two a way; a larger value makes a buffer larger, a smaller one takes what is there."""
    lanes = SlowLanes()
    copies = _pinned(lanes)
    for count in (4, 4, 4, 2, 6, 6, 3):
        copies.down(copies.up(np.zeros(count, np.float32), torch.float32)).take()
    assert sorted(lanes.made) == [4, 4, 4, 4, 6, 6, 6, 6]


def test_no_more_than_two_values_are_on_their_way_home():
    """The third waits until the first was taken out of its buffer."""
    lanes = SlowLanes()
    copies = _pinned(lanes)
    for number in range(6):
        copies.down(torch.full((3,), float(number)))
    assert lanes.most == 2


def test_a_half_type_is_the_plain_way_s():
    """Rounded on the device as it is at home."""
    value = np.random.default_rng(0).normal(size=1000).astype(np.float32)
    ours = _pinned(SlowLanes()).up(value, torch.float16)
    assert torch.equal(ours, PlainCopies(CPU).up(value, torch.float16))


def test_where_no_memory_can_be_pinned_it_is_copied_plainly_and_said_once(
    monkeypatch: pytest.MonkeyPatch,
):
    """The step is left for good."""
    lanes, said = SlowLanes(), []
    copies = _pinned(lanes, said)

    def none(count: int) -> torch.Tensor:
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(lanes, "pinned", none)
    value = np.ones((2, 2), np.float32)
    for _ in range(2):
        assert copies.down(copies.up(value, torch.float32)).take().tobytes() == value.tobytes()
    assert len(said) == 1
    assert "could be pinned (CUDA error: out of memory)" in said[0]


def test_only_a_cuda_device_has_pinned_copies():
    """On the CPU the step is the plain way."""
    placed = replace(
        place_on(CPU, GvmOptions(), RELEASED.vae), steps=frozenset({Step.PINNED_COPIES})
    )
    assert isinstance(copies_for(placed, print), PlainCopies)


def _matte(engine: GvmEngine) -> bytes:
    """Return the mattes of two windows, in chunks."""
    frames = np.random.default_rng(0).random((5, 3, 32, 48), np.float32)
    windows = []
    for first in (0, 1):
        latents = [engine.encode(frame) for frame in frames[first : first + 4]]
        windows.append(engine.decode(engine.denoise(latents, steps=1), chunk=1, halo=1))
    return np.concatenate(windows).tobytes()


@pytest.fixture(scope="module")
def plain(networks: Networks) -> bytes:
    """The mattes by plain copies."""
    return _matte(GvmEngine(networks, GvmOptions(device="cpu"), print))


@pytest.mark.parametrize("stays", [False, True])
def test_the_engine_gives_the_same_bits_through_a_slow_device(
    networks: Networks, plain: bytes, *, stays: bool
):
    """Several windows in chunks: no alpha is looked at before its event, no buffer overwritten."""
    engine, lanes = _slow_engine(networks, *([Step.DEVICE_LATENTS] if stays else []))
    assert _matte(engine) == plain
    lanes.finish()
    assert lanes.most == 2


def _slow_engine(networks: Networks, *steps: Step) -> tuple[GvmEngine, SlowLanes]:
    """Return an engine whose copies end only when they are waited for."""
    placement = replace(networks.placement, steps=frozenset(steps))
    placed = replace(networks, placement=placement)
    engine, lanes = GvmEngine(placed, GvmOptions(device="cpu"), lambda _: None), SlowLanes()
    engine.stages.copies = _pinned(lanes)
    return engine, lanes


def test_a_device_that_is_lost_while_something_comes_home_is_said(
    networks: Networks, monkeypatch: pytest.MonkeyPatch
):
    """Errors of kernels come at the wait; they are the device's all the same."""
    engine, lanes = _slow_engine(networks)

    class Broken:
        def synchronize(self) -> None:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(lanes, "fetch", lambda *_: Broken())
    with pytest.raises(DeviceLost, match="encode stage"):
        engine.encode(np.zeros((3, 32, 48), np.float32))
