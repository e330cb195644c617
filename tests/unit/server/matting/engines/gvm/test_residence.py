"""Which networks leave the device, in which order, and what stays of them at home."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from gvm_server.matting.engines.gvm.residence import LEAVING, Residence


def _networks() -> dict[str, nn.Module]:
    return {stage: nn.Conv2d(4, 4, 3).requires_grad_(False) for stage in LEAVING}


def _residence(
    networks: dict[str, nn.Module], keep: Callable[[Tensor], Tensor] | None, said: list[str]
) -> tuple[Residence, list[str]]:
    moved: list[str] = []
    made = Residence(
        networks, torch.device("cpu"), keep=keep, moved=moved.append, aloud=said.append
    )
    made._device = _Gpu()
    return made, moved


class _Gpu:
    """A device of another type than the host's, which PyTorch takes for the host."""

    type = "test"


@pytest.fixture(autouse=True)
def host_is_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have moves to the device end at the host."""

    def to_host(to: Callable[..., object]) -> Callable[..., object]:
        def moved(self: object, *args: object, **kwargs: object) -> object:
            return to(self, *("cpu" if isinstance(arg, _Gpu) else arg for arg in args), **kwargs)

        return moved

    monkeypatch.setattr(Tensor, "to", to_host(Tensor.to))
    monkeypatch.setattr(nn.Module, "to", to_host(nn.Module.to))


def test_idle_networks_leave_by_need_the_largest_first():
    """The UNet, then the encoder, then the decoder; never the one that runs."""
    said: list[str] = []
    residence, moved = _residence(_networks(), torch.clone, said)
    residence.ready("decode")
    assert moved == []
    assert residence.tighten()
    residence.ready("decode")
    assert moved == ["denoise"]
    assert residence.tighten()
    residence.ready("decode")
    assert moved == ["denoise", "encode"]
    assert not residence.tighten()
    assert said == [
        "Memory ran out: an idle network now waits in host memory.",
        "Memory ran out: idle networks now wait in host memory.",
    ]
    moved.clear()
    residence.ready("denoise")
    assert moved == ["decode", "denoise"]  # the first leaves before the other comes


def test_plainly_all_idle_ones_leave_at_once():
    """As without the step."""
    residence, moved = _residence(_networks(), None, [])
    assert residence.tighten()
    residence.ready("encode")
    assert moved == ["denoise", "decode"]
    assert not residence.tighten()


def test_a_copy_at_home_is_made_once_and_leaving_again_is_free():
    """Weights are the same bits after any number of turns, in the memory format they had."""
    networks = _networks()
    networks["denoise"].to(memory_format=torch.channels_last)
    before = {stage: networks[stage].weight.clone() for stage in LEAVING}
    kept: list[int] = []

    def keep(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor.clone()

    residence, _ = _residence(networks, keep, [])
    residence.tighten()
    residence.tighten()
    for stage in ("encode", "denoise", "decode") * 3:
        residence.ready(stage)
    assert len(kept) == 2 * len(LEAVING)
    for stage in LEAVING:
        assert torch.equal(networks[stage].weight, before[stage])
    assert networks["denoise"].weight.is_contiguous(memory_format=torch.channels_last)


def test_a_network_that_cannot_be_pinned_waits_as_it_is_and_that_is_said():
    """Page-locked memory is scarce on some machines; the job goes on."""
    networks, said = _networks(), []
    before = networks["denoise"].weight.clone()

    def none(_: Tensor) -> Tensor:
        raise RuntimeError("CUDA error: out of memory")

    residence, _ = _residence(networks, none, said)
    residence.tighten()
    residence.ready("encode")
    residence.ready("denoise")
    assert torch.equal(networks["denoise"].weight, before)
    assert any("The UNet could not be pinned (CUDA error: out of memory)" in one for one in said)


def test_a_cpu_has_nowhere_to_move_networks_to():
    """Host memory is where they are."""
    networks = _networks()
    residence = Residence(
        networks, torch.device("cpu"), keep=None, moved=lambda _: None, aloud=print
    )
    assert not residence.tighten()
