"""Cached frames are nearly free: re-requested alphas beside reading the same EXRs.

    .venv/bin/python -m tests.perf.cached

100 alphas of 1920x1080, asked for again in three ways through the command line's own client: kept
in their folder, copied to another folder, and the whole `gvm matte` process. Beside them, in the
same run, OpenImageIO reads the 100 files. The aim is a ratio of at most 2.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.plates import read_alpha, write_plate
from tests.support.site import Site, machine

FRAMES = 100
ROUNDS = 5
ENGINE = ("--engine", "test", "--size", "270", "--frames-per-window", "8", "--overlap", "1")


def main() -> None:
    """Print seconds and ratios."""
    with tempfile.TemporaryDirectory() as name, machine(Path(name)) as site:
        os.environ.update(site.environment)
        folder = Path(name)
        plate = write_plate(folder / "plate", range(1, FRAMES + 1), width=1920, height=1080)
        first = site.gvm("matte", plate, "-o", "out", *ENGINE, "--json", timeout=900)
        assert first.done["frames_written"] == FRAMES
        files = sorted((folder / "out").glob("*.exr"))
        copies = iter(range(1000))

        def kept() -> None:
            assert _again(site, plate, "out").done["frames_kept"] == FRAMES

        def copied() -> None:
            assert _again(site, plate, f"copy{next(copies)}").done["frames_written"] == FRAMES

        def read() -> None:
            for file in files:
                read_alpha(file)

        best = {name: [] for name in ("read", "kept", "copied")}
        for _ in range(ROUNDS):
            for name_, work in (("read", read), ("kept", kept), ("copied", copied)):
                best[name_].append(_seconds(work))
        reading = min(best["read"])
        print(f"{FRAMES} alphas of 1920x1080, best of {ROUNDS} rounds side by side")
        for name_, seconds in best.items():
            print(f"{name_:>8} {min(seconds):6.3f} s  {min(seconds) / reading:5.2f} x reading")


def _again(site: Site, plate: str, out: str):
    """Ask by the whole command: start of Python, connection, job, end."""
    return site.gvm("matte", plate, "-o", out, *ENGINE, "--json")


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
