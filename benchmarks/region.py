"""What a region of interest saves: the GVM engine on a whole frame, and on a quarter of its area.

    python -m benchmarks.region [--size 320] [--frames 2] [--rounds 3] [--tiny]

A plate of 1920x1200 and a region of it that is, context included, a quarter of its area, at the
whole frame's scale: the sizes are those that a job would take. Released widths, seeded random
weights, one process, one loaded engine; the sides run in turns. Times are the process's CPU
seconds, which other work on the machine adds little to; wall time is shown beside. Exits with 1
where the median of the rounds' ratios is above 0.30.

November 2026, two EPYC cores, `--frames 1 --rounds 2`: 512x320 against 256x160, CPU 60.5 and
14.3 s: 0.239 (0.236 to 0.242).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time

import numpy as np
import torch

from benchmarks.gvm_engine import _config, _weights
from gvm_client.regions import parse_regions
from gvm_client.settings import WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.engines.gvm.config import PAD_MULTIPLE, GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.load import assemble
from gvm_server.matting.engines.gvm.placement import place_on
from gvm_server.matting.region import ShotView, views_of
from gvm_server.matting.working_size import working_size
from gvm_server.media.geometry import Box, ClipGeometry

PLATE = Box(x=0, y=0, width=1920, height=1200)
REGION = "640,400,640,400"  # with its context 960x600, a quarter of the plate's area
LIMIT = 0.30


def main() -> int:
    """Run both sides in turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=320, help="short edge of the whole frame")
    parser.add_argument("--frames", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tiny", action="store_true", help="tiny widths, to try the benchmark")
    given = parser.parse_args()
    engine = _engine(given)
    sides = {"whole": _view("", given), "region": _view(REGION, given)}
    for name, view in sides.items():
        size = view.working
        print(f"{name}: {size.padded_width}x{size.padded_height}, {given.frames} frames")
    _run(engine, sides["region"], given.frames)  # allocators and thread pools begin
    ratios = []
    for number in range(given.rounds):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        took = {name: _run(engine, sides[name], given.frames) for name in order}
        cpu, wall = (took["region"][unit] / took["whole"][unit] for unit in (0, 1))
        ratios.append(cpu)
        print(
            f"CPU s: whole {took['whole'][0]:.1f}, region {took['region'][0]:.1f}, {cpu:.3f};"
            f" wall {wall:.3f}",
            flush=True,
        )
    median = statistics.median(ratios)
    print(f"median {median:.3f} ({min(ratios):.3f} to {max(ratios):.3f}); at most {LIMIT}")
    return int(median > LIMIT)


def _engine(given: argparse.Namespace) -> GvmEngine:
    config, _ = _config(given)
    placement = place_on(torch.device("cpu"), GvmOptions(device="cpu"), config.vae)
    options = GvmOptions(device="cpu")
    networks = assemble(config, placement, options, lambda name: _weights(config, name))
    return GvmEngine(networks, options, lambda _: None)


def _view(region: str, given: argparse.Namespace) -> ShotView:
    whole = working_size(PLATE.height, PLATE.width, WindowSettings(size=given.size), PAD_MULTIPLE)
    plan = Plan(first=1, last=given.frames, frames_per_window=given.frames, overlap=0)
    geometry = ClipGeometry(display=PLATE, canvas=PLATE)
    (view,) = views_of(parse_regions(region), 1.0, plan, geometry, whole, PAD_MULTIPLE)
    return view


def _run(engine: GvmEngine, view: ShotView, count: int) -> tuple[float, float]:
    """Return the CPU and the wall seconds of one window."""
    size = view.working
    shape = (count, 3, size.padded_height, size.padded_width)
    frames = np.random.default_rng(0).random(shape, np.float32)
    began = time.process_time(), time.perf_counter()
    latents = engine.denoise([engine.encode(frame) for frame in frames], steps=1)
    engine.decode(latents, chunk=count)
    return time.process_time() - began[0], time.perf_counter() - began[1]


if __name__ == "__main__":
    sys.exit(main())
