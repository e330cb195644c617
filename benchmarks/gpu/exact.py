"""The steps that change no bit, each alone beside the plain way: their time and the bits."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.gpu import ROOT
from benchmarks.gpu.measure import Effort, measure, plainly, synchronise, window
from benchmarks.gpu.model import Model, Size
from benchmarks.gpu.report import Report
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.machine import EXACT, Step

PLAIN = "plain"
_IDLE = 2  # networks: all but the one that runs


def run(report: Report, model: Model, sizes: tuple[Size, Size], effort: Effort) -> None:
    """Add the rows: each step, graphs where launches count, networks that move, kept kernels.

    Args:
        report: of the run.
        model: what is measured.
        sizes: the usual one, and a small one.
        effort: of each row.
    """
    usual, small = sizes
    alone = dict(_alone(str(model.device)))

    def some(*names: str) -> dict[str, GvmOptions]:
        return {name: alone[name] for name in (PLAIN, *names)}

    _compared(report, model, usual, effort, alone)
    _compared(report, model, small, effort, some(Step.CUDA_GRAPHS.value, _all()))
    room = some(Step.PINNED_WEIGHTS.value)
    _compared(report, model, usual, effort, room, leaving=_IDLE)
    _kept_kernels(report, model, usual)


def _alone(device: str) -> Iterator[tuple[str, GvmOptions]]:
    yield PLAIN, GvmOptions(device=device)
    for names in (*(step.value for step in Step if step in EXACT), _all()):
        yield names, GvmOptions(device=device, gpu_steps=names)


def _all() -> str:
    return ",".join(step.value for step in Step if step in EXACT)


def _compared(
    report: Report,
    model: Model,
    size: Size,
    effort: Effort,
    variants: Mapping[str, GvmOptions],
    leaving: int = 0,
) -> None:
    """Measure variants, of which the first is plain: `same bits` says whether the others are it."""
    plain: object = None
    for name, options in variants.items():
        what = f"{size} {name}{', others at home' * bool(leaving)}"
        if report.late("exact", what):
            continue
        engines = []
        with report.row("exact", what) as row:
            engines.append(model.engine(options))
            engines[0].stages.residence.leaving = leaving
            figures, _ = measure(engines[0], size, effort)
            row.update(figures)
            if name == PLAIN:
                plain = row["sha"]
            elif plain is not None:
                row["same bits"] = row["sha"] == plain
        model.gone(engines)


def _kept_kernels(report: Report, model: Model, size: Size) -> None:
    """Time the first window of a process that compiles, without kernels and with those it left."""
    with tempfile.TemporaryDirectory() as folder:
        for what in ("kernels are made", "kernels are kept"):
            if model.device.type == "cpu":
                report.add("exact", what, left_out="a CPU takes minutes to compile")
                continue
            if report.late("exact", what):
                continue
            command = [sys.executable, "-m", "benchmarks.gpu", "--device", str(model.device)]
            sides = f"{size.height},{size.width},{size.frames}"
            with report.row("exact", what) as row:
                said = subprocess.run(
                    [*command, "--first", sides, "--kernels", folder],
                    cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
                ).stdout.split()  # fmt: skip
                row["first window s"] = float(said[-1])


def first_window(model: Model, sides: str, kernels: Path) -> float:
    """Return the seconds of a compiling engine's first window, without its loading."""
    height, width, frames = map(int, sides.split(","))
    size = Size(height=height, width=width, frames=frames)
    options = GvmOptions(device=str(model.device), compile_backend="inductor", kernels=str(kernels))
    engine = model.engine(options)
    synchronise(model.device)
    begun = time.perf_counter()
    window(engine, size.frame_stack(), plainly)
    synchronise(model.device)
    return time.perf_counter() - begun
