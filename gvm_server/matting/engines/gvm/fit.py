"""The window that fits a device's memory, and the memory that a window takes there.

A window that was chosen by memory is told to the artist: another machine may choose another, and
another window is another matte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from pathlib import Path

import torch

from gvm_client.settings import LARGEST_FITTED_WINDOW, WindowSettings
from gvm_client.text import counted
from gvm_server.matting.engines.backoff import backoff, decode_halo
from gvm_server.matting.engines.gvm.config import (
    PAD_MULTIPLE,
    RELEASED,
    CheckpointConfig,
    GvmOptions,
)
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.memory import MemoryPlan, WindowShape, plan_memory
from gvm_server.matting.engines.gvm.placement import Placement, obtainable_bytes, place, place_on
from gvm_server.matting.engines.gvm.weights_folder import find_weights
from gvm_server.matting.working_size import WorkingSize, working_size

GIB = 1 << 30
# The original guide's table: the device's obtainable memory in GiB, and frames per window.
GUIDE_TABLE = ((24, LARGEST_FITTED_WINDOW), (16, 12), (12, 8), (0, 4))
CUDA_HOST_BYTES = 3 * GIB  # of a process with PyTorch on a GPU; an estimate, no GPU was at hand
HEADROOM = 0.9  # of that memory; the rest is the driver's and the kernels' own


def fit_window(
    window: WindowSettings, working: WorkingSize, weights: Path, options: GvmOptions
) -> tuple[WindowSettings, str]:
    """Return the settings with the largest window and chunk that fit, and a sentence about it.

    Raises:
        EngineError: the checkpoint's configs cannot be read, or the device is not there.
    """
    config = read_config(weights, Path(options.unet) if options.unet else weights / "unet")
    placement = place(options, config.vae)
    free = obtainable_bytes(placement.device)
    chosen, needed = window, 0
    for chosen in _candidates(window, free):
        needed = least_bytes(plan_window(config, placement, working, chosen), placement)
        if needed <= HEADROOM * free:
            return chosen, _sentence(chosen, needed, free)
    return chosen, _sentence(chosen, needed, free) + " It may run out: take a smaller --size."


def plan_window(
    config: CheckpointConfig, placement: Placement, working: WorkingSize, window: WindowSettings
) -> MemoryPlan:
    """Predict what one window takes."""
    shape = WindowShape(
        height=working.padded_height,
        width=working.padded_width,
        frames=window.frames_per_window,
        chunk=window.chunk,
        halo=decode_halo(window),
        steps=window.steps,
    )
    return plan_memory(config, placement, shape)


def least_bytes(plan: MemoryPlan, placement: Placement) -> int:
    """Return the peak when idle networks wait in host memory, which for a CPU is the same place."""
    return plan.peak if placement.device.type == "cpu" else plan.peak_offloaded


def gpu_bytes(size: tuple[int, int], window: WindowSettings, weights: Path | None) -> int:
    """Return the memory that a CUDA device must have for a plate of (width, height) pixels.

    Where the weights are not on this machine, the released ones' configuration is taken.

    Raises:
        EngineError: the weights' configuration cannot be read.
    """
    plan, placement = _plan_on_cuda(size, window, weights)
    return ceil(least_bytes(plan, placement) / HEADROOM)


def host_bytes(size: tuple[int, int], window: WindowSettings, weights: Path | None) -> int:
    """Return the host memory that the engine takes beside a CUDA device; arguments as `gpu_bytes`.

    The networks that do not run wait there, and PyTorch and CUDA have their own.

    Raises:
        EngineError: the weights' configuration cannot be read.
    """
    plan, _ = _plan_on_cuda(size, window, weights)
    return sum(plan.weights.values()) + CUDA_HOST_BYTES


def _plan_on_cuda(
    size: tuple[int, int], window: WindowSettings, weights: Path | None
) -> tuple[MemoryPlan, Placement]:
    width, height = size
    folder = find_weights(weights)
    config = read_config(folder, folder / "unet") if folder else RELEASED
    placement = place_on(torch.device("cuda"), GvmOptions(), config.vae)
    working = working_size(height, width, window, PAD_MULTIPLE)
    return plan_window(config, placement, working, window), placement


def _candidates(window: WindowSettings, free: int) -> Iterator[WindowSettings]:
    """Yield what may fit, the best first: smaller windows, then smaller decode chunks."""
    start = next(frames for gib, frames in GUIDE_TABLE if free >= gib * GIB)
    for frames in (frames for _, frames in GUIDE_TABLE if frames <= start):
        overlap = min(window.overlap, frames // 2)
        yield replace(window, frames_per_window=frames, overlap=overlap, decode_chunk=0)
    smallest = replace(window, frames_per_window=4, overlap=min(window.overlap, 2), decode_chunk=0)
    smaller = backoff(smallest)
    while smaller is not None and smaller.size == window.size:
        yield smaller
        smaller = backoff(smaller)


def _sentence(window: WindowSettings, needed: int, free: int) -> str:
    return (
        f"Chosen by memory: {counted(window.frames_per_window, 'frame')} per window,"
        f" {window.chunk} decoded together; predicted {needed / GIB:.1f} GiB of"
        f" {free / GIB:.1f} GiB that are to be had."
    )
