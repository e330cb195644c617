"""The model that the kit measures: a configuration's widths with seeded random weights.

Time and memory are those of the released weights; what the mattes show is not.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import torch

from benchmarks.gpu import ROOT
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.checkpoint import unet_shapes, vae_shapes
from gvm_server.matting.engines.gvm.config import RELEASED, CheckpointConfig, GvmOptions
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.load import assemble
from gvm_server.matting.engines.gvm.placement import Placement, empty_cache, place
from gvm_server.matting.engines.gvm.simplify import Weights
from gvm_server.matting.engines.machine import Step, steps_named
from tests.tools.make_tiny_checkpoint import random_tensors

GOLDEN = ROOT / "tests" / "golden" / "gvm"


@dataclass(frozen=True, kw_only=True)
class Size:
    """A window's padded sides in pixels, and its frames."""

    height: int
    width: int
    frames: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height} T{self.frames}"

    def frame_stack(self) -> Image:
        """Return seeded frames [T, 3, h, w] float32, 0..1."""
        shape = (self.frames, 3, self.height, self.width)
        return np.random.default_rng(0).random(shape, np.float32)


@dataclass(kw_only=True)
class Model:
    """One configuration's weights, made once in host memory, and engines of them on a device."""

    device: torch.device
    config: CheckpointConfig
    _weights: dict[str, Weights] = field(default_factory=dict)

    @classmethod
    def of(cls, device: torch.device, *, tiny: bool) -> Model:
        """Return the released widths, or tiny ones, which try the kit on a CPU."""
        return cls(device=device, config=_two_levels() if tiny else RELEASED)

    def weights(self, network: str) -> Weights:
        """Return seeded float32 weights of "UNet" or "VAE" by name; the dictionary is a copy."""
        if network not in self._weights:
            config = self.config
            shapes = unet_shapes(config.unet) if network == "UNet" else vae_shapes(config.vae)
            made = random_tensors(shapes, 0)
            self._weights[network] = {name: torch.from_numpy(made[name]) for name in made}
        return dict(self._weights[network])

    def engine(self, options: GvmOptions) -> GvmEngine:
        """Return an engine on the device; it is released by `gone`.

        A CPU takes the steps too, so that their rows can be tried there.
        """
        placement = replace(
            place(options, self.config.vae), steps=frozenset(steps_named(options.gpu_steps))
        )
        networks = assemble(self.config, placement, options, self.weights)
        return GvmEngine(networks, options, lambda _: None)

    def placed(self, steps: Collection[Step]) -> Placement:
        """Return how the networks run on the device by default, with some steps."""
        return replace(
            place(GvmOptions(device=str(self.device)), self.config.vae), steps=frozenset(steps)
        )

    def gone(self, engines: Iterable[GvmEngine]) -> None:
        """Release engines and give their memory back."""
        for engine in engines:
            engine.release()
        gc.collect()
        empty_cache(self.device)


def _two_levels() -> CheckpointConfig:
    """Return the two finest levels of the reference checkpoint: a tiny network is overhead."""
    config = read_config(GOLDEN / "checkpoint")
    unet, vae = config.unet, config.vae
    kept = replace(
        unet,
        widths=unet.widths[:2],
        down_attention=(True, False),
        up_attention=(False, True),
        layers=unet.layers[:2],
        heads=unet.heads[:2],
        depths=unet.depths[:2],
        contexts=unet.contexts[:2],
    )
    return replace(config, unet=kept, vae=replace(vae, widths=vae.widths[:2]))
