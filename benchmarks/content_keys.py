"""Times a job whose plate is told by content against one by size and time, with nothing known.

    python -m benchmarks.content_keys [--frames 60] [--rounds 5] [--engine preview]

1080p half EXR with grain, which no compression makes small. A round runs each side once, with a
cache of its own, so that every file is hashed; every other round begins with the other side. What
may be published is the median of the rounds' ratios with its range. Content becomes the default for
sequences where it costs at most 2 %.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.support.plates import moving_disc, write_exr
from tests.support.site import machine

LIMIT = 1.02
SIDES = ("stat", "content")


def main() -> int:
    """Print each side's seconds and the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--engine", default="preview")
    given = parser.parse_args()
    grain = np.random.default_rng(0)
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plate").mkdir()
        for frame in range(1, given.frames + 1):
            pixels = moving_disc(frame, 1920, 1080)
            pixels += grain.normal(0.0, 0.01, pixels.shape).astype(np.float32)
            write_exr(folder / "plate" / f"plate.{frame:04d}.exr", pixels)
        plate = str(folder / "plate" / "plate.%04d.exr")
        size = sum(path.stat().st_size for path in (folder / "plate").iterdir())
        for number in range(given.rounds):
            for side in SIDES if number % 2 == 0 else SIDES[::-1]:
                (folder / f"{number}{side}").mkdir()
                with machine(folder / f"{number}{side}") as site:
                    site.gvm("matte", plate, "-o", "warm", "--engine", given.engine, "--frames=1")
                    site.gvm("cache", "clear")
                    start = time.perf_counter()
                    ran = site.gvm(
                        *("matte", plate, "-o", "out", "--engine", given.engine),
                        *("--plate-keys", side, "--json"),
                        timeout=1800,
                    )
                    seconds[side].append(time.perf_counter() - start)
                    assert ran.code == 0, ran.stderr
    ratios = [other / one for one, other in zip(*seconds.values(), strict=True)]
    print(f"{given.frames} frames, {size / given.frames / 2**20:.1f} MiB each, {given.engine}")
    for side in SIDES:
        print(f"{side:>8}: {statistics.median(seconds[side]):6.2f} s")
    median = statistics.median(ratios)
    print(f"{'ratio':>8}: {median:6.3f} ({min(ratios):.3f} to {max(ratios):.3f}), limit {LIMIT}")
    return int(median > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
