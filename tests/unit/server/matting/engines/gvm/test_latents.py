"""Latents that stay on the device: settled late, bounded in number, whole at home."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gvm_client.errors import EngineError
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.latents import LARGEST_COUNT, DeviceLatent
from gvm_server.matting.engines.gvm.load import load_networks
from gvm_server.matting.engines.machine import Precision, Step

FRAMES = np.random.default_rng(0).random((3, 3, 16, 24), np.float32)


def _engine(folder: Path, said: list[str] | None = None, **options: object) -> GvmEngine:
    chosen = GvmOptions(device="cpu", **options)
    networks = load_networks(folder, chosen, lambda _: None)
    object.__setattr__(networks.placement, "steps", frozenset({Step.DEVICE_LATENTS}))
    return GvmEngine(networks, chosen, (said if said is not None else []).append)


def _matte(engine: GvmEngine, latents: list[object]) -> Image:
    return engine.decode(engine.denoise(latents, steps=1), chunk=2)


class Spoiled(nn.Module):
    """Gives NaN the first times."""

    def __init__(self, network: nn.Module, times: int) -> None:
        super().__init__()
        self.network, self.times = network, times

    def forward(self, *args: Tensor) -> Tensor:
        """Run the network."""
        self.times -= 1
        made: Tensor = self.network(*args)
        return made * float("nan") if self.times >= 0 else made


def test_the_matte_is_the_plain_one_bit_for_bit(smallest: Path):
    """And so are the latents, for whoever looks at them at home."""
    plain = GvmEngine.load(smallest, GvmOptions(device="cpu"), lambda _: None)
    engine = _engine(smallest)
    theirs = [plain.encode(frame) for frame in FRAMES]
    ours = [engine.encode(frame) for frame in FRAMES]
    assert all(isinstance(latent, DeviceLatent) for latent in ours)
    assert _matte(engine, ours).tobytes() == _matte(plain, theirs).tobytes()
    for mine, other in zip(ours, theirs, strict=True):
        assert np.asarray(mine).tobytes() == other.tobytes()
        assert mine.nbytes == other.nbytes


def test_a_frame_is_looked_at_while_the_next_one_is_encoded(smallest: Path):
    """One encoding is in flight when `encode` returns; no more than one source frame is held."""
    engine = _engine(smallest)
    first, second, third = (engine.encode(frame) for frame in FRAMES)
    assert [latent._flight is None for latent in (first, second, third)] == [True, True, False]
    engine.denoise([first, second, third], steps=1)
    assert third._flight is None


def test_latents_of_an_engine_that_is_gone_are_taken_by_the_next(smallest: Path):
    """A cache outlives its engine: all it kept has come home, also what nobody had looked at."""
    engine = _engine(smallest)
    latents = [engine.encode(frame) for frame in FRAMES]
    expected = _matte(_engine(smallest), [np.asarray(latent) for latent in latents])
    latents = [engine.encode(frame) for frame in FRAMES]
    engine.release()
    assert all(latent._value is None for latent in latents)
    assert _matte(_engine(smallest), latents).tobytes() == expected.tobytes()
    plain = GvmEngine.load(smallest, GvmOptions(device="cpu"), lambda _: None)
    assert _matte(plain, latents).tobytes() == expected.tobytes()


def test_no_more_than_two_windows_of_latents_stay(smallest: Path):
    """The oldest go home, and are copied to the device again where they are wanted."""
    engine = _engine(smallest)
    latents = [engine.encode(frame[:, :8, :8]) for frame in FRAMES for _ in range(12)]
    there = [latent._value is not None for latent in latents]
    assert (there.count(True), there.index(True)) == (LARGEST_COUNT, len(latents) - LARGEST_COUNT)
    again = [engine.encode(FRAMES[0][:, :8, :8]), latents[-1]]
    assert _matte(engine, [latents[0], latents[-1]]).tobytes() == _matte(engine, again).tobytes()


def test_nan_is_found_when_the_frame_is_looked_at_and_made_again(smallest: Path):
    """Of encode and of denoise; the artist is told, the matte is finite."""
    said: list[str] = []
    engine = _engine(smallest, said, precision=Precision.FLOAT16, vae_precision=Precision.FLOAT16)
    networks = engine.stages.networks
    networks["encode"] = Spoiled(networks["encode"], 1)
    latents = [engine.encode(frame) for frame in FRAMES[:2]]
    assert any("encode stage gave NaN in float16" in sentence for sentence in said)
    networks["denoise"] = Spoiled(networks["denoise"], 1)
    assert np.isfinite(_matte(engine, latents)).all()
    assert any("denoise stage gave NaN in float16" in sentence for sentence in said)


def test_nan_in_float32_is_an_error_of_the_window_that_wants_the_frame(smallest: Path):
    """It stands as often as it is asked for."""
    engine = _engine(smallest)
    engine.stages.networks["encode"] = Spoiled(engine.stages.networks["encode"], 100)
    latent = engine.encode(FRAMES[0])
    engine.encode(FRAMES[1])  # another job's, which has nothing to do with it
    for _ in range(2):
        with pytest.raises(EngineError, match="encode stage gave NaN"):
            engine.denoise([latent], steps=1)


def test_a_latent_is_an_array_for_numpy():
    """In another type, or as a copy, where that is asked."""
    latent = DeviceLatent(torch.ones(2, 3))
    assert np.asarray(latent, np.float64).dtype == np.float64
    copied = np.array(latent, copy=True)
    copied[0] = 5
    assert np.asarray(latent).max() == 1
