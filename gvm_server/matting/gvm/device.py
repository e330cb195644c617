"""Where and in which types the networks run, decided from the options."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gvm_server.matting.device import resolved_device
from gvm_server.matting.gvm.config import VaeConfig
from gvm_server.matting.gvm.options import GvmOptions, resolve

OutOfMemory = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)
_HOST_WORDS = ("can't allocate memory", "out of memory")


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """A device, the types of the UNet and of the VAE, and the decoder's memory format."""

    device: torch.device
    unet: torch.dtype
    vae: torch.dtype
    channels_last: bool


def place(options: GvmOptions, vae: VaeConfig) -> Placement:
    """Resolve the options on this machine.

    Raises:
        EngineError: the device that was asked for is not there.
    """
    return place_on(torch.device(resolved_device(options.device)), options, vae)


def place_on(device: torch.device, options: GvmOptions, vae: VaeConfig) -> Placement:
    """Resolve the options for a device, which this machine need not have."""
    resolved = resolve(device.type, options, vae)
    return Placement(
        device=device,
        unet=getattr(torch, resolved.unet.value),
        vae=getattr(torch, resolved.vae.value),
        channels_last=resolved.channels_last,
    )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Say whether an error means that an allocation failed; hosts and MPS have no class for it."""
    return isinstance(error, OutOfMemory) or any(word in str(error) for word in _HOST_WORDS)


def free_bytes(device: torch.device) -> int | None:
    """Return the device's free memory, or None where it cannot be asked."""
    if device.type != "cuda":
        return None
    return int(torch.cuda.mem_get_info(device)[0])


def empty_cache(device: torch.device) -> None:
    """Give the allocator's unused memory back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
