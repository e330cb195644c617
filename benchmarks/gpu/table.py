"""The table of a card: as it is, each step added, the best at other sizes, and what proves them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from benchmarks.gpu import ROOT
from benchmarks.gpu.measure import Effort, measure, plainly, synchronise, window
from benchmarks.gpu.model import Model, Size
from benchmarks.gpu.report import Report
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.steps import JobShape, outcome
from gvm_server.matting.engines.machine import EXACT, Precision, Step, steps_named

AS_IS = "as is"
ROUNDING = tuple(step for step in Step if step not in EXACT)
CAPS_GIB = (24, 12)


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Windows that are measured: the usual one, then those of the best set of steps."""

    usual: Size
    others: tuple[Size, ...]
    capped: Size


def variants(device: str) -> Iterator[tuple[str, GvmOptions]]:
    """Yield how the engine is run: as it is, with each step added, and what there is besides."""
    yield AS_IS, GvmOptions(device=device)
    taken: list[str] = []
    for step in ROUNDING:
        if step is Step.HALF_DECODER:  # those that change no bit: each alone is in `exact.py`
            taken.extend(each.value for each in Step if each in EXACT)
            yield "+ steps of the same bits", GvmOptions(device=device, gpu_steps=",".join(taken))
        taken.append(step.value)
        yield f"+ {step.value}", GvmOptions(device=device, gpu_steps=",".join(taken))
    rounding = ",".join(step.value for step in Step if step is not Step.HALF_DECODER)
    yield (
        "steps, float16 VAE",
        GvmOptions(device=device, gpu_steps=rounding, vae_precision=Precision.FLOAT16),
    )
    yield (
        "steps, blocks compiled",
        GvmOptions(device=device, gpu_steps=",".join(taken), compile_backend="inductor"),
    )


def run(report: Report, model: Model, sizes: Sizes, effort: Effort) -> None:
    """Add the rows: exact float32 as the reference, each variant, then the best elsewhere."""
    for size in (sizes.usual, *sizes.others):
        _trials(report, model, size)
    truth = _exact(report, model, sizes.usual)
    best, options = float("inf"), GvmOptions(device=str(model.device))
    for name, chosen in variants(str(model.device)):
        if model.device.type == "cpu" and _is_slow_there(chosen):
            continue
        seconds = _row(report, model, name, chosen, (sizes.usual, effort, truth))
        if seconds < best:
            best, options = seconds, chosen
    for size in sizes.others:
        _row(report, model, f"best: {options.gpu_steps or AS_IS}", options, (size, effort, None))
    _ladder(report, model, sizes.capped, options)
    _two_processes(report, model)


def _is_slow_there(options: GvmOptions) -> bool:
    """Say whether a CPU takes long for a variant: half types and compiling."""
    halves = Step.HALF_DECODER in steps_named(options.gpu_steps)
    return halves or options.vae_precision is Precision.FLOAT16 or bool(options.compile_backend)


def _trials(report: Report, model: Model, size: Size) -> None:
    """Hold each step to the plain way at a size, as a job of that size would."""
    shape = JobShape(height=size.height, width=size.width, frames=size.frames, decoded=size.frames)
    for step in ROUNDING:  # the others have no trial
        what = f"{size} {step.value}"
        if report.late("trials", what):
            continue
        with report.row("trials", what) as row:
            found = outcome(step, model.placed({step}), model.config, shape)
            row.update({"off": found.off, "allowed": found.allowed, "holds": found.holds})
            if found.problem:
                row["problem"] = found.problem


def _exact(report: Report, model: Model, size: Size) -> Image | None:
    """Return the alphas in float32 without TF32, which every variant is compared with."""
    exact = GvmOptions(
        device=str(model.device), precision=Precision.FLOAT32, vae_precision=Precision.FLOAT32
    )
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    made: Image | None = None
    with report.row("table", f"{size} float32 without TF32"):
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
        engine = model.engine(exact)
        made = window(engine, size.frame_stack(), plainly)
        model.gone([engine])
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
    return made


def _row(
    report: Report,
    model: Model,
    name: str,
    options: GvmOptions,
    work: tuple[Size, Effort, Image | None],
) -> float:
    """Measure one variant at one size; return seconds a frame, infinite where it failed."""
    size, effort, truth = work
    what = f"{size} {name}"
    if report.late("table", what):
        return float("inf")
    engines = []
    with report.row("table", what) as row:
        engines.append(model.engine(options))
        figures, alphas = measure(engines[0], size, effort)
        row.update(figures)
        if truth is not None:
            row["max off"] = float(abs(alphas - truth).max())
            row["mean off"] = float(abs(alphas - truth).mean())
    model.gone(engines)
    seconds = row.get("all s/f")
    return seconds if isinstance(seconds, float) else float("inf")


def _ladder(report: Report, model: Model, size: Size, options: GvmOptions) -> None:
    """Run a large window on a card that is made smaller: it ends well, or with the numbers."""
    for cap in CAPS_GIB:
        what = f"{size} in {cap} GiB"
        if model.device.type != "cuda":
            report.add("memory", what, left_out="only a CUDA device can be capped")
            continue
        if report.late("memory", what):
            continue
        total = torch.cuda.get_device_properties(model.device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, (cap << 30) / total), model.device)
        engines = []
        with report.row("memory", what) as row:
            engines.append(model.engine(options))
            window(engines[0], size.frame_stack(), plainly)
            synchronise(model.device)
            row["peak GiB"] = torch.cuda.max_memory_allocated(model.device) / 2**30
        model.gone(engines)
        torch.cuda.set_per_process_memory_fraction(1.0, model.device)


def _two_processes(report: Report, model: Model) -> None:
    """Matte the reference frames in two processes: the hashes are one."""
    if report.late("bits", "two processes"):
        return
    command = [sys.executable, "-m", "benchmarks.gpu", "--hash", "--device", str(model.device)]
    with report.row("bits", "two processes") as row:
        said = {
            subprocess.run(
                command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
            ).stdout.split()[-1]
            for _ in range(2)
        }
        row.update({"sha": min(said), "sha equal": len(said) == 1})
