"""Graphs hold for one size and one place of the weights, where they give the plain bits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gvm_client.settings import Noise
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.graphs import Graphed
from tests.support.slow_device import Recording


@pytest.fixture(autouse=True)
def none_made() -> None:
    """Count anew."""
    Recording.made = 0


class Doubles(nn.Module):
    """A network whose calls are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(2.0), requires_grad=False)
        self.calls = 0

    def forward(self, window: Tensor, noise: Tensor | None) -> Tensor:
        """Multiply, and add the noise."""
        self.calls += 1
        return window * self.factor + (0.0 if noise is None else noise)


def _graphed(record: object = Recording) -> tuple[Graphed, list[str]]:
    said: list[str] = []
    return Graphed(Doubles(), record, said.append), said


def _twice(network: Graphed, window: Tensor, noise: Tensor | None = None) -> Tensor:
    """Run a window as often as a graph of it takes to be recorded."""
    network(window, noise)
    result: Tensor = network(window, noise)
    return result


def test_a_graph_is_recorded_when_a_size_is_repeated_and_one_is_kept():
    """Another size, or a noise beside the window, is another; sizes that take turns are none."""
    network, said = _graphed()
    small, large = torch.ones(2, 3), torch.ones(4, 3)
    for window, noise, made in (
        (small, None, 0),
        (small, None, 1),
        (small, None, 1),
        (large, None, 1),
        (small, None, 1),
        (large, None, 1),
        (large, None, 2),
        (small, small, 2),
        (small, small, 3),
        (small, None, 3),
        (small, small, 3),
        (small.double(), None, 3),
    ):
        expected = window * 2 + (0 if noise is None else noise)
        assert torch.equal(network(window, noise), expected)
        assert Recording.made == made
    assert said == []


@pytest.mark.parametrize("move", ["float", "double", "to"])
def test_weights_that_move_or_are_cast_drop_it(move: str):
    """A graph would read where they were; `Recording` fails the test if it is run then."""
    network, said = _graphed()
    window = torch.ones(2, 3)
    _twice(network, window)
    getattr(network, move)(*(["meta"] if move == "to" else []))
    if move == "to":
        network.to_empty(device="cpu").network.factor.fill_(2.0)
    for _ in range(2):
        assert torch.equal(network(window, None), window * 2)
    assert (Recording.made, said) == (2, [])


def test_a_weight_that_is_written_in_place_is_seen():
    """As the samplers with many timesteps write their biases."""
    network, _ = _graphed()
    window = torch.ones(2, 3)
    _twice(network, window)
    network.get_parameter("factor").fill_(5.0)
    assert torch.equal(network(window, None), window * 5)
    assert Recording.made == 1


def test_a_graph_that_gives_other_bits_is_given_up_aloud_for_good():
    """The first window has the plain way's result, and so have all that follow."""

    class Wrong(Recording):
        def run(self, window: Tensor, noise: Tensor | None) -> Tensor:
            return super().run(window, noise) + 1e-6

    network, said = _graphed(Wrong)
    window = torch.ones(2, 3)
    for _ in range(3):
        assert torch.equal(network(window, None), window * 2)
    assert said == [
        "The GPU step cuda-graphs is not taken any more: its result is not the plain way's."
    ]
    assert Wrong.made == 1


def test_what_cannot_be_recorded_is_given_up_aloud():
    """No room, or an operation that no graph may hold."""

    def fails(*_: object) -> Recording:
        raise RuntimeError("CUDA error: operation not permitted when stream is capturing")

    network, said = _graphed(fails)
    window = torch.ones(2, 3)
    assert torch.equal(_twice(network, window), window * 2)
    assert "could not be recorded (CUDA error: operation not permitted" in said[0]
    assert not network.is_on


def test_a_device_that_is_lost_while_recording_is_no_matter_of_graphs_alone():
    """The error goes on to whoever says that the device failed."""

    def fails(*_: object) -> Recording:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    network, said = _graphed(fails)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        _twice(network, torch.ones(2, 3))
    assert said == []


def _engine(folder: Path, said: list[str], **options: object) -> GvmEngine:
    engine = GvmEngine.load(folder, GvmOptions(device="cpu", **options), lambda _: None)
    networks = engine.stages.networks
    networks["denoise"] = Graphed(networks["denoise"], Recording, said.append)
    return engine


@pytest.mark.parametrize("noise", Noise)
def test_the_engine_s_matte_is_the_plain_one_bit_for_bit(tiny: Path, noise: Noise):
    """With any sampler and count of steps; biases that are written between steps are seen."""
    frames = np.random.default_rng(0).random((2, 3, 32, 48), np.float32)

    def matte(engine: GvmEngine) -> bytes:
        latents = [engine.encode(frame) for frame in frames]
        return b"".join(
            engine.decode(engine.denoise(latents, steps=steps), chunk=2).tobytes()
            for steps in (1, 1, 3, 1)
        )

    said: list[str] = []
    plain = matte(GvmEngine.load(tiny, GvmOptions(device="cpu", noise=noise), lambda _: None))
    assert matte(_engine(tiny, said, noise=noise)) == plain
    assert said == []
    assert Recording.made > 0


def test_graphs_are_the_first_to_go_when_memory_runs_out(tiny: Path):
    """Their memory is kept between windows; the stage that had no room runs again without them."""
    said: list[str] = []
    engine = _engine(tiny, said)
    frames = np.random.default_rng(0).random((2, 3, 32, 48), np.float32)
    latents = [engine.encode(frame) for frame in frames]
    denoised = [engine.denoise(latents, steps=1) for _ in range(2)][1]
    assert Recording.made == 1
    expected = engine.decode(denoised, chunk=2)
    decoder, failed = engine.stages.networks["decode"], []

    class Full(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.decoder = decoder

        def forward(self, part: Tensor) -> Tensor:
            if not failed:
                failed.append(1)
                raise torch.OutOfMemoryError("CUDA out of memory.")
            made: Tensor = self.decoder(part)
            return made

    engine.stages.networks["decode"] = Full()
    assert engine.decode(denoised, chunk=2).tobytes() == expected.tobytes()
    assert said == ["The GPU step cuda-graphs is not taken any more: memory ran out."]
