"""What the OpenFX node costs: its size, a finished 1080p frame beside a copy, a cold window.

    make plugin && .venv/bin/python -m tests.perf.openfx

The fake host renders a finished frame of 1920x1080 float RGBA again and again, and copies as many
bytes in the same rounds. An interactive render hashes its window's frames anew, because nothing
tells it that they are the same; within a final render they are hashed once. The cold window is one
window that nobody has made, by the node and by `gvm matte` in turn, with a warm server.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from tests.ofx.conftest import ROOT, build_plugin
from tests.ofx.fakehost import NUKE, Build, FakeHost, HostPlate, hosting
from tests.support.plates import moving_disc, write_plate
from tests.support.site import Site, machine_for_hosts

WIDTH, HEIGHT, WINDOW, ROUNDS, WINDOWS = 1920, 1080, 8, 20, 4
LAST = WINDOW * WINDOWS
NODE = {"engine": 3, "size": 270, "framesPerWindow": WINDOW, "overlap": 0}
WORDS = ("--engine", "test", "--size", "270", "--frames-per-window", str(WINDOW), "--overlap", "0")


def main() -> None:
    """Print sizes, milliseconds and ratios."""
    build = build_plugin(ROOT / "build" / "plugin")
    for path in sorted(build.plugin.parent.iterdir()):
        print(f"{path.name:<36} {path.stat().st_size / 1e6:6.2f} MB")
    with tempfile.TemporaryDirectory() as name, machine_for_hosts(Path(name)) as site:
        folder = Path(name)
        pictures = {
            frame: moving_disc(frame, WIDTH, HEIGHT).astype(np.float16).astype(np.float32)
            for frame in range(1, LAST + 1)
        }
        plate = HostPlate.of(folder / "host", pictures)
        files = write_plate(folder / "plate", range(1, LAST + 1), width=WIDTH, height=HEIGHT)
        _measure(build, site, plate, files)


def _measure(build: Build, site: Site, plate: HostPlate, files: str) -> None:
    with hosting(build, site.folder, plate=plate, environment=site.environment, **NUKE) as host:
        host.create(**NODE)
        host.render(1)
        _finished(host, "interactive")
        host.tell("begin", instance="node", first=1, last=LAST, interactive=0)
        _finished(host, "final render")
        host.tell("end", instance="node")
        _cold(host, site, files)


def _finished(host: FakeHost, name: str) -> None:
    """Time a frame that stands in the store, and a copy of its bytes, in the same rounds."""
    told = host.tell("bench", instance="node", frame=1, rounds=ROUNDS)
    render, copy = median(told["renders"]), median(told["copies"])
    megabytes = told["bytes"] / 1e6
    print(
        f"finished, {name:<13} {render:6.1f} ms   copy of {megabytes:.0f} MB {copy:5.1f} ms"
        f"   {render / copy:5.1f} x"
    )


def _cold(host: FakeHost, site: Site, files: str) -> None:
    node, command = [], []
    for window in range(1, WINDOWS):
        first = 1 + window * WINDOW
        for frame in range(first, first + WINDOW):
            host.render(frame, thumbnail=True)  # the host's own cache has the frames
        node.append(host.render(first)["milliseconds"] / 1000)
        begun = time.perf_counter()
        frames = f"{first}-{first + WINDOW - 1}"
        ran = site.gvm("matte", files, "-o", "out", *WORDS, "--frames", frames, "--json")
        command.append(time.perf_counter() - begun)
        assert ran.code == 0, ran.stderr
    print(
        f"cold window of {WINDOW} frames: node {median(node):.2f} s,"
        f" command line {median(command):.2f} s (with EXR reading and writing)"
    )


if __name__ == "__main__":
    main()
