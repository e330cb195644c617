"""Where and in which types the networks run, decided from the options."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch

from gvm_server.hostmemory import available_bytes
from gvm_server.matting.engines.determinism import set_determinism
from gvm_server.matting.engines.gvm.config import GvmOptions, VaeConfig, resolve
from gvm_server.matting.engines.machine import Step, resolved_device

OutOfMemory = getattr(torch, "OutOfMemoryError", torch.cuda.OutOfMemoryError)
# As the allocators of the host, CUDA, its libraries (cuBLAS, cuDNN, ...) and MPS say it.
_NO_MEMORY = re.compile(
    r"out of memory|can(?:'t|not) allocate memory|not enough memory|bad[_ ]alloc"
    r"|_ALLOC(?:ATION)?_FAILED|ErrorMemoryAllocation|failed to allocate",
    re.IGNORECASE,
)
# After these the process's CUDA context is of no more use: every later call fails too (CUDA
# Runtime API, "cudaError": "the process must be terminated and relaunched").
_CONTEXT_LOST = re.compile(
    r"illegal memory access|illegal address|device-side assert|launch failure|launch failed"
    r"|launch timed out|misaligned address|illegal instruction|invalid address space|invalid pc"
    r"|hardware stack error|uncorrectable|ECC error|fell off the bus|context is destroyed"
    r"|CUDNN_STATUS_EXECUTION_FAILED|CUBLAS_STATUS_EXECUTION_FAILED|ErrorIllegalAddress"
    r"|ErrorAssert|ErrorLaunchFailure|ErrorLaunchTimeout|ErrorHardwareStackError"
    r"|ErrorEccUncorrectable",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where and how the networks run.

    Attributes:
        device: that they are on.
        unet: the UNet's type.
        vae: the VAE's type, but for what a step says of the decoder.
        channels_last: the decoder's memory format, where no step says another.
        steps: the faster ways that are taken.
    """

    device: torch.device
    unet: torch.dtype
    vae: torch.dtype
    channels_last: bool
    steps: frozenset[Step] = frozenset()

    @property
    def folds(self) -> bool:
        """Whether the decoder's upsampling is folded into the convolution after it."""
        return self.device.type == "cpu" or Step.FOLD in self.steps

    def dtype(self, stage: str) -> torch.dtype:
        """Return the type of a stage's network."""
        if stage == "decode" and Step.HALF_DECODER in self.steps:
            return torch.float16
        return self.unet if stage == "denoise" else self.vae

    def images_last(self, stage: str) -> bool:
        """Say whether the images of a stage lie in memory with their channels last."""
        return Step.CHANNELS_LAST in self.steps or (self.channels_last and stage == "decode")


def place(options: GvmOptions, vae: VaeConfig) -> Placement:
    """Resolve the options on this machine; steps are taken as they are named.

    Raises:
        EngineError: the device that was asked for is not there.
    """
    device = torch.device(resolved_device(options.device))
    if device.type == "cuda":
        set_determinism()
    return place_on(device, options, vae)


def place_on(device: torch.device, options: GvmOptions, vae: VaeConfig) -> Placement:
    """Resolve the options for a device, which this machine need not have."""
    resolved = resolve(device.type, options, vae)
    return Placement(
        device=device,
        unet=getattr(torch, resolved.unet.value),
        vae=getattr(torch, resolved.vae.value),
        channels_last=resolved.channels_last,
        steps=frozenset(resolved.steps),
    )


def is_out_of_memory(error: RuntimeError) -> bool:
    """Say whether an error means that an allocation failed; only some have a class for it."""
    return isinstance(error, OutOfMemory) or bool(_NO_MEMORY.search(str(error)))


def lost_its_context(error: RuntimeError) -> bool:
    """Say whether an error leaves this process without the device, for good."""
    return not is_out_of_memory(error) and bool(_CONTEXT_LOST.search(str(error)))


def obtainable_bytes(device: torch.device) -> int:
    """Return the memory that a window may have: the device's, less what other processes hold.

    What this process holds counts as obtainable: its allocator gives it back, so the first job and
    the tenth have the same answer. On a CPU it is what the machine has available.
    """
    free = free_bytes(device)
    if free is None:
        return available_bytes()
    return free + int(torch.cuda.memory_reserved(device))


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
