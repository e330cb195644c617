"""Where and in which types the networks run, decided from the options."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.gvm.config import VaeConfig
from gvm_server.matting.gvm.options import GvmOptions, Precision, Switch

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
    return place_on(_device(options.device), options, vae)


def place_on(device: torch.device, options: GvmOptions, vae: VaeConfig) -> Placement:
    """Resolve the options for a device, which this machine need not have."""
    unet = _dtype(options.precision)
    if unet is None:
        unet = torch.float32 if device.type == "cpu" else torch.float16
    vae_dtype = _dtype(options.vae_precision)
    if vae_dtype is None:
        vae_dtype = torch.float32 if vae.force_upcast else unet
    # On the CPU channels-last makes the decoder 12 % faster; the encoder gains less, and its
    # rounding, which the UNet magnifies, stays that of the original's kernels without it.
    wanted = {Switch.ON: True, Switch.OFF: False, Switch.AUTO: device.type == "cpu"}
    return Placement(
        device=device, unet=unet, vae=vae_dtype, channels_last=wanted[options.channels_last]
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


def _device(name: str) -> torch.device:
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if cuda else "mps" if mps else "cpu"
    device = torch.device(name)
    there = {"cpu": True, "mps": mps, "cuda": cuda and (device.index or 0) < _cuda_count()}
    if not there[device.type]:
        raise EngineError(
            f"The device {name!r} is not available to this PyTorch ({torch.__version__}).",
            remedy="Choose another device, or install a PyTorch build for it.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        )
    return device


def _cuda_count() -> int:
    return torch.cuda.device_count()


def _dtype(precision: Precision) -> torch.dtype | None:
    return {
        Precision.AUTO: None,
        Precision.FLOAT32: torch.float32,
        Precision.BFLOAT16: torch.bfloat16,
        Precision.FLOAT16: torch.float16,
    }[precision]
