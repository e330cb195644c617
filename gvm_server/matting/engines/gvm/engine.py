"""The GVM engine: encode, denoise, decode, each in bounded memory and checked for NaN.

- The same frames give the same bits on the same device, whatever ran before: no random state and no
  PyTorch flag of the process is touched
  (test_the_same_window_gives_the_same_bits_whatever_ran_before).
- When memory runs out, only what does not change pixels is reduced: what the failed attempt held is
  given back, the idle networks go to host memory. Then it is an error with the numbers.
- A result with NaN or infinity is computed once more in float32, and the artist is told.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from gvm_client.errors import EngineError, ErrorCode
from gvm_client.settings import Noise
from gvm_server.matting.engines.backoff import SEAMLESS_HALO, chunks
from gvm_server.matting.engines.base import ALL, DeviceLost, Image, Latent
from gvm_server.matting.engines.gvm.compilation import (
    compile_blocks,
    is_of_compiling,
    not_compiled,
)
from gvm_server.matting.engines.gvm.config import GvmOptions, SchedulerConfig
from gvm_server.matting.engines.gvm.load import Networks, Say, load_networks
from gvm_server.matting.engines.gvm.placement import (
    empty_cache,
    free_bytes,
    is_out_of_memory,
    lost_its_context,
)
from gvm_server.matting.engines.gvm.simplify import timestep_biases

log = logging.getLogger(__name__)

_REMEDY = (
    "Use fewer frames per window, then a smaller decode chunk, then a smaller size, in this order."
)


class GvmEngine:
    """The released model, loaded; see `gvm_server.matting.engines.base.Engine` for the verbs.

    A latent is [C, h / 8, w / 8] float32 in host memory, scaled as the UNet takes it.
    """

    def __init__(self, networks: Networks, options: GvmOptions, say: Say) -> None:
        self.networks = networks
        self.report = networks.report
        self._options = options
        self._say = say
        self._stages = {
            "encode": networks.encoder,
            "denoise": networks.unet,
            "decode": networks.decoder,
        }
        self._offloads = False
        for network in self._stages.values():
            compile_blocks(network, options.compile_backend, networks.placement.steps)

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
            raise _exhausted("Loading the model", str(error)) from error
        return cls(networks, options, say)

    def encode(self, frame: Image) -> Image:
        """Encode [3, h, w] float32 0..1, sides multiples of the VAE's reduction."""
        scale = self.networks.config.vae.scaling_factor

        def run(encoder: nn.Module, pixels: Tensor) -> Tensor:
            latent: Tensor = encoder(pixels * 2.0 - 1.0)
            return latent.float() * scale

        latent: Image = self._run("encode", run, frame[None])[0]
        return latent

    def denoise(self, latents: Sequence[Latent], *, steps: int) -> list[Image]:
        """Turn the latents of one window into alpha latents.

        With zero noise, steps after the first take the last result as their noise latent, as the
        original does; the model was not trained for that.
        """
        sampler = self._gaussian if self._options.noise is Noise.GAUSSIAN else self._from_zeros

        def run(unet: nn.Module, window: Tensor) -> Tensor:
            return sampler(unet, window, steps).float()

        return list(self._run("denoise", run, _window(latents)))

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
        window = _window(latents)

        def run(decoder: nn.Module, part: Tensor) -> Tensor:
            decoded: Tensor = decoder(part / scale)
            return decoded.float().mul_(0.5).add_(0.5)

        parts = [
            self._run("decode", run, window[frames])[kept]
            for frames, kept in chunks(len(window), chunk, halo)
        ]
        alphas = np.concatenate(parts)[own]
        return np.clip(alphas, 0.0, 1.0, out=alphas)

    def release(self) -> None:
        """Give the device's memory back; the engine is not used after."""
        device = self.networks.placement.device
        for network in self._stages.values():
            network.to("meta")
        self.networks.time.clear()
        gc.collect()
        empty_cache(device)

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

    def _run(self, stage: str, run: Callable[[nn.Module, Tensor], Tensor], host: Image) -> Image:
        """Run one stage on host data; on NaN once more in float32, on lack of memory tighter."""
        result = self._within_memory(stage, run, host)
        if np.isfinite(result).all():
            return result
        network = self._stages[stage]
        dtype = next(network.parameters()).dtype
        if dtype is not torch.float32:
            self._aloud(f"The {stage} stage gave NaN in {_name(dtype)}; it runs again in float32.")
            with self._widened(stage, dtype):
                result = self._within_memory(stage, run, host)
        if not np.isfinite(result).all():
            raise EngineError(
                f"The {stage} stage gave NaN or infinite values in float32.",
                remedy="Check the plate for extreme values, and the weights with "
                "`gvm weights verify`.",
            )
        return result

    @contextmanager
    def _widened(self, stage: str, dtype: torch.dtype) -> Iterator[None]:
        """Hold a network in float32; going back is exact, for every value came from `dtype`."""
        network = self._stages[stage]
        try:
            network.float()
            yield
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            raise _exhausted(f"The {stage} network in float32", str(error), self._free()) from error
        finally:
            network.to(dtype)

    def _within_memory(
        self, stage: str, run: Callable[[nn.Module, Tensor], Tensor], host: Image
    ) -> Image:
        said = ""
        for _ in self._ladder():
            try:
                if self._offloads:
                    self._bring(stage)
                with torch.inference_mode():
                    return self._once(stage, run, host)
            except RuntimeError as error:
                if lost_its_context(error):
                    raise _lost(stage, error) from error
                if not is_out_of_memory(error):
                    if is_of_compiling(error):
                        raise not_compiled(self._options.compile_backend, error) from error
                    raise
                said = str(error)
            gc.collect()
            empty_cache(self.networks.placement.device)
            log.warning("%s ran out of memory: %s", stage, said)
        shape = " x ".join(str(side) for side in host.shape)
        raise _exhausted(f"The {stage} stage on {shape} values", said, self._free())

    def _ladder(self) -> Iterator[None]:
        """Yield before each attempt, reducing more each time.

        Attention with fewer queries at a time is no step of it: it saves 56 MiB a copy of the
        scores and rounds otherwise.
        """
        yield
        if self.networks.placement.device.type != "cpu" and not self._offloads:
            self._offloads = True
            self._aloud("Memory ran out: idle networks now wait in host memory.")
        yield

    def _once(self, stage: str, run: Callable[[nn.Module, Tensor], Tensor], host: Image) -> Image:
        device = self.networks.placement.device
        network = self._stages[stage]
        dtype = next(network.parameters()).dtype
        value = torch.from_numpy(host).to(device, dtype)
        if self.networks.placement.images_last(stage):
            value = value.contiguous(memory_format=torch.channels_last)
        return run(network, value).cpu().numpy()

    def _bring(self, stage: str) -> None:
        """Leave only this stage's network on the device."""
        for name, network in self._stages.items():
            if name != stage:
                network.to("cpu")
        self._stages[stage].to(self.networks.placement.device)

    def _free(self) -> str:
        free = free_bytes(self.networks.placement.device)
        return "" if free is None else f", {free / 2**30:.2f} GiB were free"

    def _aloud(self, sentence: str) -> None:
        log.warning(sentence)
        self._say(sentence)


def _window(latents: Sequence[Latent]) -> Image:
    """Return [T, C, h, w] of the latents, which this engine made."""
    return np.stack([cast(Image, latent) for latent in latents])


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def _lost(stage: str, error: RuntimeError) -> DeviceLost:
    return DeviceLost(
        f"The device failed in the {stage} stage ({str(error).splitlines()[0]}); only a new server"
        " can use it again.",
        remedy="If it comes again, see the driver's log, or run on another device.",
    )


def _exhausted(what: str, said: str, free: str = "") -> EngineError:
    return EngineError(
        f"{what} ran out of memory{free} ({said.splitlines()[0] if said else 'no details'}).",
        remedy=_REMEDY,
        code=ErrorCode.OUT_OF_MEMORY,
    )


def noise_levels(config: SchedulerConfig, steps: int) -> list[float]:
    """Return `steps + 1` falling noise levels, the last 0; a level times 1000 is a timestep."""
    lowest = _shifted(1.0 / config.train_steps, config.shift)
    span = max(steps - 1, 1)
    even = [1.0 + (lowest - 1.0) * index / span for index in range(steps)]
    return [*(_shifted(level, config.shift) for level in even), 0.0]


def _shifted(level: float, shift: float) -> float:
    return shift * level / (1.0 + (shift - 1.0) * level)
