"""The engine beside diffusers' stock networks, on one checkpoint and the same frames.

Each stage of ours gets what the stock stage before it gave, so that a difference is that stage's.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.latents import at_home

# Of float32 on the CPU, as the tests hold them to the original's numbers.
ALPHA = 3e-4  # from float64: the original, made with AVX-512, 1e-4; ours, with AVX2, 2.9e-4
LATENT = 1e-3  # the tiny UNet's deepest norm is over 4 values, which magnifies rounding


@dataclass(frozen=True, kw_only=True, slots=True)
class StageDifference:
    """The largest difference of one stage, and what is allowed."""

    stage: str
    difference: float
    allowed: float

    @property
    def holds(self) -> bool:
        """Whether it is within what is allowed; NaN is not."""
        return self.difference <= self.allowed


def compare(folder: Path, frames: Image, say: Callable[[str], None]) -> tuple[StageDifference, ...]:
    """Run both on the CPU in float32, one after the other, so that one's weights are held.

    Args:
        folder: of the weights.
        frames: [T, 3, h, w] float32, display-referred 0..1, sides multiples of 32.
        say: is told how far it is.

    Raises:
        EngineError: diffusers is not installed, or the weights cannot be read.
    """
    latents, denoised, alphas = _stock(folder, frames, say)
    say("The engine runs.")
    engine = GvmEngine.load(folder, GvmOptions(device="cpu"), say)
    ours = (
        at_home([engine.encode(frame) for frame in frames]),
        at_home(engine.denoise(list(latents), steps=1)),
        engine.decode(list(denoised), chunk=len(frames), halo=0),
    )
    engine.release()
    stages = (("encode", latents, LATENT), ("denoise", denoised, LATENT), ("decode", alphas, ALPHA))
    return tuple(
        StageDifference(
            stage=stage, difference=float(np.max(np.abs(mine - theirs))), allowed=allowed
        )
        for mine, (stage, theirs, allowed) in zip(ours, stages, strict=True)
    )


def _stock(folder: Path, frames: Image, say: Callable[[str], None]) -> tuple[Image, Image, Image]:
    """Return the stock networks' latents, alpha latents and alphas."""
    try:
        from gvm_server.matting.engines.gvm.stock import Straightforward  # noqa: PLC0415

        stock = Straightforward.load(folder)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"The stock networks are diffusers', which is not installed here ({error}).",
            remedy=f'Install it: {sys.executable} -m pip install "diffusers>=0.32" safetensors',
            code=ErrorCode.ENGINE_UNAVAILABLE,
        ) from error
    say("The stock networks run.")
    latents = stock.encode(torch.from_numpy(frames))
    denoised = stock.denoise(latents)
    alphas = stock.decode(denoised, len(frames))
    made = (latents.numpy(), denoised.numpy(), alphas.numpy())
    del stock
    gc.collect()
    return made
