"""The GVM engine: encode, denoise, decode, each in bounded memory and checked for NaN.

The same frames give the same bits on the same device, whatever ran before: no random state and no
PyTorch flag of the process is touched
(test_the_same_window_gives_the_same_bits_whatever_ran_before). Memory and NaN are `stages.py`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from gvm_client.settings import Noise
from gvm_server.matting.engines.backoff import SEAMLESS_HALO, chunks
from gvm_server.matting.engines.base import ALL, Image, Latent
from gvm_server.matting.engines.gvm.compilation import compile_blocks
from gvm_server.matting.engines.gvm.config import INDUCTOR, GvmOptions, SchedulerConfig
from gvm_server.matting.engines.gvm.kernels import keep_kernels
from gvm_server.matting.engines.gvm.latents import DeviceLatent, Staying, at_home, on_device
from gvm_server.matting.engines.gvm.load import Networks, Say, load_networks
from gvm_server.matting.engines.gvm.placement import is_out_of_memory
from gvm_server.matting.engines.gvm.simplify import timestep_biases
from gvm_server.matting.engines.gvm.stages import Flight, Stages, exhausted
from gvm_server.matting.engines.machine import Step


class GvmEngine:
    """The released model, loaded; see `gvm_server.matting.engines.base.Engine` for the verbs.

    A latent is [C, h / 8, w / 8] float32, scaled as the UNet takes it; in host memory, but with the
    step `device-latents` on the device.
    """

    def __init__(self, networks: Networks, options: GvmOptions, say: Say) -> None:
        self.networks = networks
        self.report = networks.report
        self._options = options
        placement = networks.placement
        by_stage = {
            "encode": networks.encoder,
            "denoise": networks.unet,
            "decode": networks.decoder,
        }
        if options.compile_backend == INDUCTOR and options.kernels:
            keep_kernels(Path(options.kernels), placement.device, say)
        for network in by_stage.values():
            compile_blocks(network, options.compile_backend, placement.steps)
        self.stages = Stages(by_stage, placement, say, options.compile_backend)
        self._staying = Staying() if Step.DEVICE_LATENTS in placement.steps else None

    @classmethod
    def load(cls, folder: Path, options: GvmOptions, say: Say) -> GvmEngine:
        """Load a checkpoint folder.

        Raises:
            EngineError: the checkpoint or the device is missing, or does not fit.
        """
        try:
            networks = load_networks(folder, options, say)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise exhausted("Loading the model", str(error)) from error
        return cls(networks, options, say)

    def encode(self, frame: Image) -> Latent:
        """Encode [3, h, w] float32 0..1, sides multiples of the VAE's reduction."""
        scale = self.networks.config.vae.scaling_factor

        def run(encoder: nn.Module, pixels: Tensor) -> Tensor:
            latent: Tensor = encoder(pixels * 2.0 - 1.0)
            return latent.float() * scale

        made, flight = self.stages.start("encode", run, frame[None])
        if self._staying is None:
            latent: Image = flight.land()[0]
            return latent
        return self._staying.add(DeviceLatent(made[0], flight))

    def denoise(self, latents: Sequence[Latent], *, steps: int) -> list[Latent]:
        """Turn the latents of one window into alpha latents.

        With zero noise, steps after the first take the last result as their noise latent, as the
        original does; the model was not trained for that.
        """
        sampler = self._gaussian if self._options.noise is Noise.GAUSSIAN else self._from_zeros

        def run(unet: nn.Module, window: Tensor) -> Tensor:
            return sampler(unet, window, steps).float()

        window = self._window(latents)
        if self._staying is None:
            return list(self.stages.start("denoise", run, window)[1].land())
        return [DeviceLatent(latent) for latent in self.stages.stay("denoise", run, window)]

    def decode(
        self,
        latents: Sequence[Latent],
        *,
        chunk: int,
        halo: int = SEAMLESS_HALO,
        own: slice = ALL,
    ) -> Image:
        """Turn the alpha latents of one window into alphas [T, h, w] float32, 0..1.

        Args:
            latents: of the window's frames.
            chunk: consecutive frames decoded together.
            halo: frames decoded on each side of a chunk and thrown away; the original has none.
            own: those whose alphas are returned.
        """
        scale = self.networks.config.vae.scaling_factor
        window = self._window(latents)

        def run(decoder: nn.Module, part: Tensor) -> Tensor:
            decoded: Tensor = decoder(part / scale)
            return decoded.float().mul_(0.5).add_(0.5)

        parts: list[Image] = []
        ahead: tuple[Flight, slice] | None = None  # comes home while the next chunk is decoded
        for frames, kept in chunks(len(window), chunk, halo):
            flight = self.stages.start("decode", run, window[frames])[1]
            if ahead is not None:
                parts.append(ahead[0].land()[ahead[1]])
            ahead = flight, kept
        if ahead is not None:
            parts.append(ahead[0].land()[ahead[1]])
        alphas = np.concatenate(parts)[own]
        return np.clip(alphas, 0.0, 1.0, out=alphas)

    def release(self) -> None:
        """Give the device's memory back; the engine is not used after."""
        if self._staying is not None:
            self._staying.leave()
        self.networks.time.clear()
        self.stages.release()

    def _window(self, latents: Sequence[Latent]) -> Image | Tensor:
        """Return [T, C, h, w] of the latents, where a stage takes them from."""
        if self._staying is None:
            return at_home(latents)
        return on_device(latents, self.networks.placement.device)

    def _from_zeros(self, unet: nn.Module, window: Tensor, steps: int) -> Tensor:
        noise: Tensor | None = None
        for _ in range(steps):
            noise = unet(window, noise)
        if noise is None:
            raise ValueError("a window takes at least one step")
        return noise

    def _gaussian(self, unet: nn.Module, window: Tensor, steps: int) -> Tensor:
        generator = torch.Generator("cpu").manual_seed(self._options.seed)
        noise = torch.randn(window.shape, generator=generator).to(window)
        return self._euler(unet, window, noise, steps)

    def _euler(self, unet: nn.Module, window: Tensor, noise: Tensor, steps: int) -> Tensor:
        """Integrate from noise to data, setting the network's timestep before each step."""
        scheduler = self.networks.config.scheduler
        levels = noise_levels(scheduler, steps)
        for level, following in pairwise(levels):
            biases = timestep_biases(self.networks.time, level * scheduler.train_steps)
            for name, bias in biases.items():
                unet.get_parameter(name).copy_(bias)
            velocity: Tensor = unet(window, noise)
            noise = noise + velocity * (following - level)  # two roundings, on every thread
        return noise


def noise_levels(config: SchedulerConfig, steps: int) -> list[float]:
    """Return `steps + 1` falling noise levels, the last 0; a level times 1000 is a timestep."""
    lowest = _shifted(1.0 / config.train_steps, config.shift)
    span = max(steps - 1, 1)
    even = [1.0 + (lowest - 1.0) * index / span for index in range(steps)]
    return [*(_shifted(level, config.shift) for level in even), 0.0]


def _shifted(level: float, shift: float) -> float:
    return shift * level / (1.0 + (shift - 1.0) * level)
