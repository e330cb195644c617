"""From a checkpoint's folder to networks on a device, never holding a second copy of the weights.

Names and shapes are checked for both networks before the first tensor is read. A network is built
on the meta device; its tensors are read into memory of their own, folded, and moved one by one into
their place (test_loading_never_holds_a_second_copy_of_the_weights).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from gvm_client.errors import EngineError, ErrorCode
from gvm_client.settings import Noise
from gvm_server.matting.engines.gvm.checkpoint import (
    StoredTensor,
    check_layout,
    read_tensor,
    stored_tensors,
    unet_shapes,
    vae_shapes,
)
from gvm_server.matting.engines.gvm.config import CheckpointConfig, GvmOptions
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.lora import adapter_file, merge_adapter
from gvm_server.matting.engines.gvm.network import Decoder, Encoder, UNet, take_steps
from gvm_server.matting.engines.gvm.placement import Placement, place
from gvm_server.matting.engines.gvm.range_shift import shift_norms, shift_range
from gvm_server.matting.engines.gvm.simplify import (
    SimplificationReport,
    Weights,
    simplify_unet,
    simplify_vae,
)
from gvm_server.matting.engines.machine import Step

log = logging.getLogger(__name__)

Say = Callable[[str], None]

_PREFIXES = {"encode": "encoder.", "denoise": "", "decode": "decoder."}  # of weights, by stage


@dataclass(kw_only=True, slots=True)
class Networks:
    """The loaded model.

    Attributes:
        config: the checkpoint's.
        placement: where and how it runs.
        encoder: pixels to latent.
        unet: latents to alpha latents.
        decoder: alpha latents to alphas.
        time: the layers of the time embedding and the biases they add to, in float32 on the host;
            empty where the one timestep is folded in.
        report: what the simplifications saved.
    """

    config: CheckpointConfig
    placement: Placement
    encoder: nn.Module
    unet: nn.Module
    decoder: nn.Module
    time: Weights
    report: SimplificationReport


def load_networks(folder: Path, options: GvmOptions, say: Say) -> Networks:
    """Load a checkpoint.

    Args:
        folder: holds `unet/`, `vae/` and `scheduler/` as released.
        options: device, types, adapter, another UNet.
        say: is told how far it is, in whole sentences.

    Raises:
        EngineError: the checkpoint is missing, damaged, of another network or of another shape.
    """
    unet_folder = Path(options.unet) if options.unet else folder / "unet"
    config = read_config(folder, unet_folder)
    placement = place(options, config.vae)
    stored = {"UNet": stored_tensors(unet_folder), "VAE": stored_tensors(folder / "vae")}
    check_layout(stored["UNet"], unet_shapes(config.unet), unet_folder)
    check_layout(stored["VAE"], vae_shapes(config.vae), folder / "vae")

    def read(network: str) -> Weights:
        weights = _read(network, stored[network], say)
        if network == "UNet" and options.lora:
            _merge(weights, Path(options.lora), say)
        return weights

    networks = assemble(config, placement, options, read)
    say(f"The model is on {placement.device}: {networks.report}.")
    return networks


def assemble(
    config: CheckpointConfig,
    placement: Placement,
    options: GvmOptions,
    read: Callable[[str], Weights],
) -> Networks:
    """Make the networks of weights that `read` gives for "UNet", then for "VAE"."""
    unet, time, saved = _unet(read("UNet"), config, placement, options)
    weights = read("VAE")
    report = saved + simplify_vae(weights, folded=placement.folds)
    with torch.device("meta"):
        encoder, decoder = Encoder(config.vae), Decoder(config.vae, folded=placement.folds)
    if Step.HALF_DECODER in placement.steps:
        shift_range(weights)
        shift_norms(decoder)
    for network in (encoder, unet, decoder):
        take_steps(network, placement.steps)
    _place(encoder, weights, "encode", placement)
    _place(decoder, weights, "decode", placement)
    return Networks(
        config=config,
        placement=placement,
        encoder=encoder,
        unet=unet,
        decoder=decoder,
        time=time,
        report=report,
    )


def _unet(
    weights: Weights, config: CheckpointConfig, placement: Placement, options: GvmOptions
) -> tuple[nn.Module, Weights, SimplificationReport]:
    """Fold and place the UNet; a sampler with many timesteps keeps the time embedding aside."""
    folded = options.noise is Noise.ZEROS
    report = simplify_unet(
        weights,
        latent_channels=config.vae.latent_channels,
        timestep=config.scheduler.train_steps - 1 if folded else None,
    )
    time = {} if folded else _take_time(weights)
    with torch.device("meta"):
        unet = UNet(config.unet)
    _place(unet, weights, "denoise", placement)
    return unet, time, report


def _take_time(weights: Weights) -> Weights:
    """Take the time embedding's layers out of the weights, with copies of the biases they shift."""
    names = [name for name in weights if "time_emb" in name]
    time = {name: weights.pop(name) for name in names}
    for name in names:
        if name.endswith(".time_emb_proj.weight"):
            bias = name.replace(".time_emb_proj.weight", ".conv1.bias")
            time[bias] = weights[bias].clone()
    return time


def _read(network: str, stored: Mapping[str, StoredTensor], say: Say) -> Weights:
    total = sum(tensor.nbytes for tensor in stored.values())
    weights: Weights = {}
    done, told = 0, 0
    for name, tensor in stored.items():
        weights[name] = read_tensor(tensor)
        done += tensor.nbytes
        if (percent := done * 10 // total * 10) > told:
            told = percent
            say(f"Reading the {network}'s weights: {percent} % of {total / 2**30:.2f} GiB.")
    return weights


def _merge(weights: Weights, path: Path, say: Say) -> None:
    """Merge an adapter given as its folder or as a file of it; a folder without one is as good."""
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        raise EngineError(
            f"There is no folder {folder} to take a LoRA adapter from.",
            remedy="Give the folder of a PEFT adapter of the GVM UNet, or no adapter.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(folder),
        )
    if adapter_file(folder) is None:
        say(f"No LoRA adapter lies in {folder}: the UNet is used as it is.")
        return
    say(f"Merged a LoRA adapter into {merge_adapter(weights, folder)} layers of the UNet.")


def _place(network: nn.Module, weights: Weights, stage: str, placement: Placement) -> None:
    """Move a stage's weights into its network, one tensor at a time."""
    prefix = _PREFIXES[stage]
    dtype = placement.dtype(stage)
    images_last = placement.images_last(stage)
    placed: Weights = {}
    for name in [name for name in weights if name.startswith(prefix)]:
        tensor = weights.pop(name)
        image = images_last and tensor.dim() == 4
        moved = tensor.to(
            placement.device,
            dtype,
            memory_format=torch.channels_last if image else torch.contiguous_format,
        )
        if dtype is torch.float16 and not bool(moved.isfinite().all()):
            raise EngineError(
                f"The weight {name} does not fit float16.",
                remedy="Choose bfloat16 or float32 for this network.",
                code=ErrorCode.ENGINE_UNAVAILABLE,
            )
        placed[name.removeprefix(prefix)] = moved
    network.load_state_dict(placed, assign=True)
    network.requires_grad_(False)
    network.eval()
