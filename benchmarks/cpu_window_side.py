"""One side of `benchmarks.cpu_window`: loads a checkpoint by whichever tree it is run in.

    PYTHONPATH=TREE python benchmarks/cpu_window_side.py WEIGHTS HEIGHT WIDTH FRAMES THREADS WINDOWS

Prints one line of JSON: for each stage the least wall and CPU seconds of the windows, and in bytes
what the process held at most while it loaded, and while windows ran.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

OLD, NEW = "gvm_server.matting.gvm", "gvm_server.matting.engines.gvm"


def main() -> None:
    """Load, run the windows, print the figures."""
    height, width, frames, threads, windows = map(int, sys.argv[2:7])
    torch.set_num_threads(threads)
    engine = _engine(Path(sys.argv[1]))
    figures: dict[str, float] = {"loading": _peak()}
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts again
    plate = np.random.default_rng(0).random((frames, 3, height, width), np.float32)
    seconds: dict[str, list[tuple[float, float]]] = defaultdict(list)

    def timed(stage: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it returns
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        seconds[stage].append((time.perf_counter() - wall, time.process_time() - cpu))
        return result

    for _ in range(windows):
        latents = timed("encode", lambda: [engine.encode(frame) for frame in plate])
        denoised = timed("denoise", lambda given=latents: engine.denoise(given, steps=1))
        alphas = timed("decode", lambda given=denoised: engine.decode(given, chunk=frames))
    for stage, runs in seconds.items():
        walls, cpus = zip(*runs, strict=True)
        figures |= {f"{stage} wall": min(walls), f"{stage} cpu": min(cpus)}
    figures |= {"running": _peak(), "mean alpha": float(alphas.mean())}
    print(json.dumps(figures))


def _engine(weights: Path) -> Any:  # noqa: ANN401 - of either tree
    room, options = (OLD, "options") if find_spec(OLD) else (NEW, "config")
    chosen = import_module(f"{room}.{options}").GvmOptions(device="cpu")
    return import_module(f"{room}.engine").GvmEngine.load(weights, chosen, lambda _: None)


def _peak() -> int:
    """Return the most memory that this process held, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    said = next(line for line in lines if line.startswith("VmHWM:"))
    return int(said.split()[1]) * 1024


if __name__ == "__main__":
    main()
