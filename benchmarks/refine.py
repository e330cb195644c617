"""What an alpha takes on its way to plate size: seconds, memory, and frames a second.

    python -m benchmarks.refine

Each line is a process of its own. `seconds` is CPU time on one thread, the median of five; `most
band` is the same with soft alpha in the whole frame, the worst there is; `memory` is the process's
peak above what it held with alpha and guide in place, a plate pixel in bytes and in all. Then, at
4K, the same seconds with the EXR written, and how many frames two cores make of it. Exits with 1
where a 4K frame takes more than a second, or one of 8K more than a gibibyte.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np

from benchmarks.truth.measures import with_grain
from gvm_client.settings import Depth, Refine
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.engines.base import Image
from gvm_server.matting.preprocess import luma
from gvm_server.matting.refine import refine
from gvm_server.media.colour.encodings import srgb_from_linear
from gvm_server.media.geometry import Box, FrameHeader
from tests.support import synthetic
from tests.support.alphas import write_alpha

SIZES = {"4K": (4096, 2304), "8K": (7680, 4320)}
WORKING = 1024  # pixels, the long edge
TURNS = 5
SECOND, GIB = 1.0, 1 << 30


def main() -> int:
    """Print a line for each size and way."""
    good = True
    print(f"{'':12}{'seconds':>9}{'most band':>11}{'memory':>9}{'in all':>10}")
    for name, (width, height) in SIZES.items():
        for way in Refine:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
                seconds, worst, peak = alone.submit(_measured, width, height, way).result()
            print(f"{name} {way.value:9}{seconds:9.2f}{worst:11.2f}", end="")
            print(f"{peak / width / height:9.1f}{peak >> 20:6d} MiB", flush=True)
            good = good and (name != "4K" or worst <= SECOND) and peak <= GIB
    for way in Refine:
        seconds = _written(*SIZES["4K"], way)
        print(f"4K {way.value:9}{seconds:9.2f} with its EXR: {2 / seconds:.1f} a second, two cores")
    return 0 if good else 1


def _inputs(width: int, height: int) -> tuple[Image, Image, Guide]:
    """Return an alpha of strands and soft blobs, one that is soft everywhere, and the plate."""
    plate, truth = synthetic.frame(3, width, height)
    display = with_grain(srgb_from_linear(plate), 0.02, 1)
    size = (WORKING, round(height * WORKING / width))
    alpha = cv2.resize(truth, size, interpolation=cv2.INTER_AREA).astype(np.float16)
    soft = np.random.default_rng(1).random(size[::-1], np.float32)
    return alpha.astype(np.float32), soft, Guide.of(display, luma(display))


def _measured(width: int, height: int, way: Refine) -> tuple[float, float, int]:
    """Return the seconds, those with the most band, and the memory in bytes."""
    cv2.setNumThreads(1)
    alpha, soft, guide = _inputs(width, height)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
    held = _status("VmRSS")
    refine(alpha, guide, way, 0.35)
    peak = _status("VmHWM") - held
    seconds = [_timed(lambda of=of: refine(of, guide, way, 0.35)) for of in (alpha, soft)]
    return seconds[0], seconds[1], peak


def _timed(work: Callable[[], object]) -> float:
    took = []
    for _ in range(TURNS):
        begun = time.thread_time()
        work()
        took.append(time.thread_time() - begun)
    return float(np.median(took))


def _status(field: str) -> int:
    """Return a line of this process's memory, in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) << 10


def _written(width: int, height: int, way: Refine) -> float:
    """Return the CPU seconds in which a frame is brought up and written."""
    cv2.setNumThreads(1)
    alpha, _, guide = _inputs(width, height)
    box = Box(x=0, y=0, width=width, height=height)
    header = FrameHeader(data=box, display=box)
    with tempfile.TemporaryDirectory() as folder:

        def finish() -> None:
            made = refine(alpha, guide, way, 0.35)
            path = Path(folder) / "alpha.exr"
            write_alpha(path, made, header=header, depth=Depth.HALF, attributes={})

        return _timed(finish)


if __name__ == "__main__":
    sys.exit(main())
