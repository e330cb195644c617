"""Times a warm server's preview beside busy neighbours against the same on a quiet machine.

    python -m benchmarks.busy [--frames 24] [--rounds 5] [--neighbours 2]

A round mattes the clip once on the quiet machine and once beside loops that keep the cores busy;
every other round begins with the other side. What may be published is the median of the rounds'
ratios with its range. The aim is at most 3: with as many busy loops as cores, each gets half.
Exits with 1 where the median is above it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path

from benchmarks.speed_server import busy_loops
from tests.support.plates import write_plate
from tests.support.site import Site, machine

LIMIT = 3.0
ENGINE = ("--engine", "preview")


def main() -> int:
    """Print each side's seconds and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--neighbours", type=int, default=2, help="busy loops, one process each")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, machine(Path(name)) as site:
        site.environment["GVM_CACHE_LIMIT_GB"] = "0"
        plate = write_plate(
            Path(name) / "plate", range(1, given.frames + 1), width=1920, height=1080
        )
        _seconds(site, plate, "warm")
        seconds: dict[bool, list[float]] = {False: [], True: []}
        for number in range(given.rounds):
            for busy in (False, True) if number % 2 == 0 else (True, False):
                with busy_loops(given.neighbours) if busy else nullcontext():
                    seconds[busy].append(_seconds(site, plate, f"{number}{busy}"))
    ratios = [beside / quiet for quiet, beside in zip(*seconds.values(), strict=True)]
    for busy, label in ((False, "quiet"), (True, f"{given.neighbours} busy loops")):
        print(f"{label:>12}: {statistics.median(seconds[busy]):6.2f} s {_range(seconds[busy])}")
    print(f"{'ratio':>12}: {statistics.median(ratios):6.2f}   {_range(ratios)} aim {LIMIT}")
    return int(statistics.median(ratios) > LIMIT)


def _seconds(site: Site, plate: str, out: str) -> float:
    start = time.perf_counter()
    ran = site.gvm("matte", plate, "-o", out, *ENGINE, "--json", timeout=900)
    assert ran.code == 0, ran.stderr
    return time.perf_counter() - start


def _range(values: list[float]) -> str:
    return f"({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    sys.exit(main())
