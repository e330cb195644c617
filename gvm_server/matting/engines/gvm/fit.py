"""The window that the device's memory has room for: the guide's table, then the planner.

Law: a window that was chosen by memory is said aloud, for another machine may choose another, and
another window is another matte.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gvm_client.settings import LARGEST_FITTED_WINDOW, WindowSettings
from gvm_client.text import counted
from gvm_server.matting.engines.base import decode_halo
from gvm_server.matting.engines.gvm.backoff import backoff
from gvm_server.matting.engines.gvm.config import CheckpointConfig
from gvm_server.matting.engines.gvm.device import Placement, obtainable_bytes, place
from gvm_server.matting.engines.gvm.memory import Job, MemoryPlan, plan_memory
from gvm_server.matting.engines.gvm.options import GvmOptions
from gvm_server.matting.engines.gvm.reading import read_config
from gvm_server.matting.working import WorkingSize

GIB = 1 << 30

# The original guide's table: the device's obtainable memory in GiB, and frames per window.
GUIDE_TABLE = ((24, LARGEST_FITTED_WINDOW), (16, 12), (12, 8), (0, 4))
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
    job = Job(
        height=working.padded_height,
        width=working.padded_width,
        frames=window.frames_per_window,
        chunk=window.chunk,
        halo=decode_halo(window),
        steps=window.steps,
    )
    return plan_memory(config, placement, job)


def least_bytes(plan: MemoryPlan, placement: Placement) -> int:
    """Return the peak when idle networks wait in host memory, which for a CPU is the same place."""
    return plan.peak if placement.device.type == "cpu" else plan.peak_offloaded


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
