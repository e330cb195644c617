"""Memory does not grow with the clip: the server's resident memory over 5,000 frames.

    .venv/bin/python -m tests.perf.memory

Small frames, the test engine, real EXRs in and out. The peak after frame 200 may be at most 5 %
above the peak before it. The plate is 40 files under 5,000 names.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from tests.support.plates import write_plate
from tests.support.site import SMALL, Site, machine

FRAMES = 5000
SETTLED = 200
DISTINCT = 40


def main() -> None:
    """Print both peaks and their ratio."""
    with tempfile.TemporaryDirectory() as name, machine(Path(name)) as site:
        before, after = peaks(site, FRAMES)
    print(f"{FRAMES} frames: peak {before / 2**20:.1f} MiB up to frame {SETTLED},")
    print(f"then {after / 2**20:.1f} MiB: {100 * (after / before - 1):+.1f} %")


def peaks(site: Site, frames: int) -> tuple[int, int]:
    """Return the server's peak resident bytes up to frame `SETTLED`, and after it."""
    plate = make_long_plate(site.folder / "plate", frames)
    peaks, ready = {False: 0, True: 0}, 0
    with site.start("matte", plate, "-o", "out", *SMALL, "--json") as client:
        for line in client.stdout:
            if json.loads(line)["type"] != "frame_ready":
                continue
            ready += 1
            if ready % 20 == 0:
                late = ready > SETTLED
                peaks[late] = max(peaks[late], site.server().memory_info().rss)
        assert client.wait() == 0, client.stderr.read()
    assert ready == frames
    return peaks[False], peaks[True]


def make_long_plate(folder: Path, frames: int) -> str:
    """Write a plate of many frames that are few files under many names; return its pattern."""
    pattern = write_plate(folder, range(1, DISTINCT + 1), width=64, height=48)
    for frame in range(DISTINCT + 1, frames + 1):
        source = folder / f"plate.{(frame - 1) % DISTINCT + 1:04d}.exr"
        (folder / f"plate.{frame:04d}.exr").hardlink_to(source)
    return pattern


if __name__ == "__main__":
    main()
