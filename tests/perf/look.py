"""A look at finished mattes beside reading them: `gvm qc` and the EXRs of the alphas alone.

    .venv/bin/python -m tests.perf.look [FRAMES]

Alphas and half-float plates of 1920x1080, drawn, eight different ones in turn. The aim is a ratio
of at most 2, though the plate is looked at besides: processes share a long shot, and of a plate a
quarter of the lines is read.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from gvm_client.settings import Depth
from gvm_server.cli.main import main as gvm
from gvm_server.media.alphas.exr import read_alpha
from gvm_server.media.geometry import Box, FrameHeader
from tests.support.alphas import write_alpha
from tests.support.plates import write_exr
from tests.support.synthetic import frame as drawn

FRAMES, DIFFERENT, ROUNDS = 200, 8, 3
WIDTH, HEIGHT = 1920, 1080


def main() -> int:
    """Print seconds and the ratio."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else FRAMES
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        alphas = write(folder, count)

        def look() -> None:
            with contextlib.redirect_stdout(io.StringIO()):
                assert gvm(["qc", str(folder / "plate"), str(folder / "matte")]) == 0

        def read() -> None:
            for alpha in alphas:
                read_alpha(alpha)

        reading = [seconds(read) for _ in range(ROUNDS)]
        looking = [seconds(look) for _ in range(ROUNDS)]
    ratio = min(looking)[0] / min(reading)[0]
    for what, found in (("reading", reading), ("gvm qc", looking)):
        wall, cpu = min(found)
        print(f"{what:>8} {wall:7.2f} s, {cpu:7.2f} s of CPU")
    print(f"{count} frames of {WIDTH}x{HEIGHT}: {ratio:.2f} x reading the alphas")
    return 0 if ratio <= 2 else 1


def write(folder: Path, count: int) -> list[Path]:
    """Write plates and alphas, and return the alphas."""
    for kind in ("plate", "matte"):
        (folder / kind).mkdir()
    display = Box(x=0, y=0, width=WIDTH, height=HEIGHT)
    header = FrameHeader(display=display, data=display)
    for index in range(count):
        plate, alpha = (folder / kind / f"shot.{index + 1:04d}.exr" for kind in ("plate", "matte"))
        if index >= DIFFERENT:
            for path in (plate, alpha):
                first = path.with_name(f"shot.{index % DIFFERENT + 1:04d}.exr")
                shutil.copyfile(first, path)
            continue
        picture, truth = drawn(float(index), WIDTH, HEIGHT)
        write_exr(plate, picture)
        write_alpha(alpha, truth, header=header, depth=Depth.HALF, attributes={})
    return sorted((folder / "matte").iterdir())


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Return wall and CPU seconds of some work."""
    began, used = time.perf_counter(), sum(os.times()[:4])
    work()
    return time.perf_counter() - began, sum(os.times()[:4]) - used


if __name__ == "__main__":
    sys.exit(main())
