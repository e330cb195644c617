"""One window through an engine: seconds, memory, the planner's prediction, and the alphas' hash."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch

from benchmarks.gpu.model import Size
from benchmarks.gpu.report import Row
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.memory import WindowShape, plan_memory

STAGES = ("encode", "denoise", "decode")
GIB = 1 << 30
_T = TypeVar("_T")
Timed: TypeAlias = Callable[[str, Callable[[], Any]], Any]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How often a window is run."""

    warm_ups: int = 2
    rounds: int = 5


def measure(engine: GvmEngine, size: Size, effort: Effort) -> tuple[Row, Image]:
    """Run a window several times.

    Returns:
        seconds a frame by stage and together (medians), peak memory by stage with the planner's
        prediction (GiB; CUDA only), whether all rounds gave the same bits; and the alphas.
    """
    device = engine.networks.placement.device
    frames = size.frame_stack()
    clock = _Clock(device)
    hashes = set()
    for number in range(effort.warm_ups + effort.rounds):
        if number == effort.warm_ups:
            clock.forget()
        alphas = window(engine, frames, clock.time)
        hashes.add(digest(alphas))
    row: Row = {f"{stage} s/f": clock.median(stage) / size.frames for stage in STAGES}
    row["all s/f"] = sum(clock.median(stage) for stage in STAGES) / size.frames
    row |= _memory(engine, size, clock)
    row |= {"sha": min(hashes), "sha equal": len(hashes) == 1}
    return row, alphas


def plainly(_stage: str, work: Callable[[], _T]) -> _T:
    """Run a stage of `window`."""
    return work()


def window(engine: GvmEngine, frames: Image, timed: Timed) -> Image:
    """Matte one window; each stage is run by `timed`."""
    latents = timed("encode", lambda: [engine.encode(frame) for frame in frames])
    denoised = timed("denoise", lambda: engine.denoise(latents, steps=1))
    return timed("decode", lambda: engine.decode(denoised, chunk=len(frames)))


def digest(alphas: Image) -> str:
    """Return the first half of the SHA-256 of the alphas' bytes."""
    return hashlib.sha256(np.ascontiguousarray(alphas).tobytes()).hexdigest()[:32]


def synchronise(device: torch.device) -> None:
    """Wait for all work of the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


class _Clock:
    """Seconds and peak memory of each stage."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.forget()

    def forget(self) -> None:
        """Begin anew, after the warm-ups."""
        self.seconds: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self.allocated = dict.fromkeys(STAGES, 0)
        self.reserved = dict.fromkeys(STAGES, 0)

    def time(self, stage: str, work: Callable[[], _T]) -> _T:
        """Run a stage."""
        on_card = self._device.type == "cuda"
        if on_card:
            torch.cuda.reset_peak_memory_stats(self._device)
        synchronise(self._device)
        begun = time.perf_counter()
        made = work()
        synchronise(self._device)
        self.seconds[stage].append(time.perf_counter() - begun)
        if on_card:
            self.allocated[stage] = torch.cuda.max_memory_allocated(self._device)
            self.reserved[stage] = torch.cuda.max_memory_reserved(self._device)
        return made

    def median(self, stage: str) -> float:
        """Return the median seconds of a stage."""
        return statistics.median(self.seconds[stage])


# Rows of one size often differ in no more than what they are compared with.
_plan = lru_cache(plan_memory)


def _memory(engine: GvmEngine, size: Size, clock: _Clock) -> Row:
    networks = engine.networks
    shape = WindowShape(
        height=size.height, width=size.width, frames=size.frames, chunk=size.frames, halo=0
    )
    plan = _plan(networks.config, networks.placement, shape)
    row: Row = {"planned GiB": plan.peak / GIB}
    if networks.placement.device.type != "cuda":
        return row
    resident = sum(plan.weights.values()) + plan.beside
    off = {stage: clock.allocated[stage] / (resident + plan.working[stage]) - 1 for stage in STAGES}
    return row | {
        "peak GiB": max(clock.allocated.values()) / GIB,
        "reserved GiB": max(clock.reserved.values()) / GIB,
        "above weights GiB": (max(clock.allocated.values()) - resident) / GIB,
        "plan off": max(off.values(), key=abs),
        "plan holds": max(map(abs, off.values())) <= 0.2,
    }
