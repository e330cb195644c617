"""What one window of GVM costs on the CPU, beside the build of commit 035ff6c, in turns.

    python -m benchmarks.cpu_window [--size 256 256] [--frames 4] [--threads 2] [--rounds 5]

Both builds load the same seeded random weights of the released widths, which are written below
`build/` the first time (6.5 GB). A round runs each side once, in a process of its own; every other
round begins with the other side. A row is the median of the rounds' ratios with its range, then
the medians of both sides. On a machine with other work only the rows of CPU time tell something.
docs/performance.md has the table as it was measured last.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from benchmarks.baseline import ROOT, environment_of, tree
from benchmarks.gvm_engine import RELEASED_UNET, RELEASED_VAE, STAGES
from gvm_server.threads import MEMORY_VARIABLES
from tests.tools.make_tiny_checkpoint import Recipe, make_checkpoint

WEIGHTS = ROOT / "build" / "random-checkpoint"
TARGET = 0.80  # of the baseline's whole window
GIB = 1 << 30
Figures: TypeAlias = dict[str, float]


def main() -> int:
    """Measure, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs=2, default=(256, 256), metavar=("H", "W"))
    parser.add_argument("--frames", type=int, default=4)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side, in turns")
    parser.add_argument("--windows", type=int, default=2, help="in a run; the least counts")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--ours", action="store_true", help="this tree alone")
    given = parser.parse_args()
    if not (given.weights / "vae" / "diffusion_pytorch_model.safetensors").is_file():
        make_checkpoint(given.weights, Recipe(unet=RELEASED_UNET, vae=RELEASED_VAE))
    sides = {"ours": ROOT} if given.ours else {"baseline": tree(), "ours": ROOT}
    runs: dict[str, list[Figures]] = {side: [] for side in sides}
    for number in range(given.rounds):
        for side in sides if number % 2 == 0 else reversed(sides):
            chosen = MEMORY_VARIABLES if side == "ours" else {}  # as each build's server sets
            runs[side].append(_run(sides[side], given, chosen))
            print(side, json.dumps(runs[side][-1]), file=sys.stderr, flush=True)
    rows = [_row(name, runs, figure, unit) for name, figure, unit in ROWS]
    return int(max(rows) > TARGET)


def _run(folder: Path, given: argparse.Namespace, chosen: Mapping[str, str]) -> Figures:
    words = (given.weights, *given.size, given.frames, given.threads, given.windows)
    script = ROOT / "benchmarks" / "cpu_window_side.py"
    # Waiting threads sleep: beside other work they would be counted as if they computed.
    variables = {**os.environ, **environment_of(folder), **chosen, "OMP_WAIT_POLICY": "PASSIVE"}
    command = [sys.executable, str(script), *map(str, words)]
    done = subprocess.run(command, cwd=folder, env=variables, stdout=subprocess.PIPE, check=True)
    said: Figures = json.loads(done.stdout)
    return said


def _seconds(kind: str, stages: Sequence[str]) -> Callable[[Figures], float]:
    return lambda run: sum(run[f"{stage} {kind}"] for stage in stages)


ROWS = (
    *((f"{stage}, CPU", _seconds("cpu", (stage,)), "s") for stage in STAGES),
    ("whole window, CPU", _seconds("cpu", STAGES), "s"),
    ("whole window, wall", _seconds("wall", STAGES), "s"),
    ("most held while loading", lambda run: run["loading"] / GIB, "GiB"),
    ("most held while running", lambda run: run["running"] / GIB, "GiB"),
)


def _row(
    name: str, runs: dict[str, list[Figures]], figure: Callable[[Figures], float], unit: str
) -> float:
    """Print a row; return the ratio where the target is about it, else 0."""
    sides = {side: [figure(run) for run in of] for side, of in runs.items()}
    text = f"{name:26}{statistics.median(sides['ours']):8.2f} {unit}"
    if "baseline" not in sides:
        print(text)
        return 0.0
    ratios = [now / then for now, then in zip(sides["ours"], sides["baseline"], strict=True)]
    ratio = statistics.median(ratios)
    before = f"before {statistics.median(sides['baseline']):8.2f}"
    print(f"{text}  {before}  ratio {ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})")
    return ratio if name == "whole window, CPU" else 0.0


if __name__ == "__main__":
    sys.exit(main())
