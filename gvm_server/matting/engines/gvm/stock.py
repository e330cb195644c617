"""GVM as one would write it first: diffusers' stock networks, whole batches, nothing folded.

It is the independent reference of the tests and of `gvm weights compare`, and the benchmarks' other
side. diffusers is imported here and nowhere else, when a network is made: it takes seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from gvm_server.matting.engines.gvm.checkpoint import weight_files
from gvm_server.matting.engines.gvm.config import CheckpointConfig


class _Nothing(nn.Module):
    """Stands where the stock UNet adds time ids, which GVM's has not."""

    def forward(self, embedding: Tensor) -> Tensor:
        """Return zeros, which broadcast over the time embedding."""
        return embedding.new_zeros(())


def stock_unet(config: dict[str, object]) -> nn.Module:
    """Return the stock UNet without the added time ids."""
    from diffusers import UNetSpatioTemporalConditionModel as Kind  # noqa: PLC0415 - heavy

    unet = _of_config(Kind, config)
    unet.add_embedding = _Nothing()
    return unet


def stock_vae(config: dict[str, object]) -> nn.Module:
    """Return the stock VAE."""
    from diffusers import AutoencoderKLTemporalDecoder as Kind  # noqa: PLC0415 - heavy

    return _of_config(Kind, config)


def _of_config(kind: Any, config: dict[str, object]) -> nn.Module:  # noqa: ANN401 - has no types
    network: nn.Module = kind.from_config(config)
    return network.eval().requires_grad_(False)


def stock_of(
    config: CheckpointConfig, weights: Callable[[str], dict[str, Tensor]]
) -> tuple[nn.Module, nn.Module]:
    """Return the stock networks of a configuration with the weights of "UNet" and "VAE"."""
    unet, vae = config.unet, config.vae
    attends = {True: "CrossAttn{}BlockSpatioTemporal", False: "{}BlockSpatioTemporal"}
    networks = (
        stock_unet(
            {
                "in_channels": unet.in_channels,
                "out_channels": unet.out_channels,
                "block_out_channels": unet.widths,
                "layers_per_block": unet.layers,
                "num_attention_heads": unet.heads,
                "transformer_layers_per_block": unet.depths,
                "cross_attention_dim": unet.contexts,
                "down_block_types": [attends[a].format("Down") for a in unet.down_attention],
                "up_block_types": [attends[a].format("Up") for a in unet.up_attention],
            }
        ),
        stock_vae(
            {
                "in_channels": vae.in_channels,
                "out_channels": vae.out_channels,
                "latent_channels": vae.latent_channels,
                "block_out_channels": vae.widths,
                "layers_per_block": vae.layers,
                "down_block_types": ["DownEncoderBlock2D"] * len(vae.widths),
                "scaling_factor": vae.scaling_factor,
                "force_upcast": vae.force_upcast,
            }
        ),
    )
    for network, name in zip(networks, ("UNet", "VAE"), strict=True):
        network.load_state_dict(weights(name))
    return networks


class Straightforward:
    """The stock pipeline over one checkpoint folder, or over networks that are given."""

    def __init__(self, unet: nn.Module, vae: nn.Module, timestep: int = 999) -> None:
        self.unet: Any = unet  # diffusers has no types
        self.vae: Any = vae
        self.timestep = timestep

    @classmethod
    def load(cls, folder: Path, dtype: torch.dtype = torch.float32) -> Straightforward:
        """Load a checkpoint, every name and shape of which must fit."""
        networks = {}
        for name, make in (("unet", stock_unet), ("vae", stock_vae)):
            network = make(json.loads((folder / name / "config.json").read_text()))
            weights: dict[str, Tensor] = {}
            for path in weight_files(folder / name):
                weights |= load_file(path)
            network.load_state_dict(weights)
            networks[name] = network.to(dtype)
        schedule = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
        return cls(networks["unet"], networks["vae"], schedule["num_train_timesteps"] - 1)

    @torch.inference_mode()
    def encode(self, frames: Tensor) -> Tensor:
        """Encode all frames [T, 3, h, w] 0..1 at once."""
        posterior = self.vae.encode(frames * 2 - 1).latent_dist
        latents: Tensor = posterior.mode() * self.vae.config.scaling_factor
        return latents

    @torch.inference_mode()
    def denoise(self, latents: Tensor, steps: int = 1) -> Tensor:
        """Turn the latents of one window into alpha latents."""
        noise = torch.zeros_like(latents)
        for _ in range(steps):
            noise = self.step(latents, noise, self.timestep)
        return noise

    @torch.inference_mode()
    def step(self, latents: Tensor, noise: Tensor, timestep: float) -> Tensor:
        """Run the UNet once."""
        width = self.unet.config.cross_attention_dim
        context = latents.new_zeros(1, 1, width if isinstance(width, int) else width[0])
        sample = torch.cat((noise, latents), dim=1)[None]
        result: Tensor = self.unet(
            sample, torch.tensor(timestep), context, added_time_ids=latents.new_zeros(1, 3)
        ).sample[0]
        return result

    @torch.inference_mode()
    def decode(self, latents: Tensor, chunk: int) -> Tensor:
        """Turn the alpha latents of one window into alphas [T, h, w], chunks without halo."""
        scaled = latents / self.vae.config.scaling_factor
        parts = [self.vae.decode(part, num_frames=len(part)).sample for part in scaled.split(chunk)]
        return (torch.cat(parts).mean(dim=1) * 0.5 + 0.5).clamp(0, 1)
