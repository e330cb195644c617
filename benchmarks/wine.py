"""What a finished 1080p float frame takes under Wine, beside Linux on the same machine.

    python -m benchmarks.wine [--rounds 7]

Two fake hosts, each with the plug-in of its system and a warm server, render a frame that stands in
the node's store, in turns. Exits with 1 where Wine takes more than LIMIT times as long.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import numpy as np

os.environ["GVM_OFX_ON"] = "windows"  # before the harness reads it

from tests.ofx import wine
from tests.ofx.conftest import build_plugin
from tests.ofx.fakehost import NUKE, FakeHost, HostPlate, hosting
from tests.support.plates import moving_disc
from tests.support.site import machine_for_hosts
from tests.support.tree import ROOT

WIDTH, HEIGHT, WINDOW = 1920, 1080, 8
RENDERS = 10  # of a round
LIMIT = 4.0
NODE = {"engine": 3, "size": 270, "framesPerWindow": WINDOW, "overlap": 0}


def main() -> int:
    """Print both medians, in both kinds of render, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    builds = {"linux": build_plugin(ROOT / "build" / "plugin"), "wine": wine.build_for_windows()}
    worst = 0.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pictures = {
            frame: moving_disc(frame, WIDTH, HEIGHT).astype(np.float16).astype(np.float32)
            for frame in range(1, WINDOW + 1)
        }
        plate = HostPlate.of(folder / "plate", pictures)
        hosts: dict[str, FakeHost] = {}
        for name, build in builds.items():
            (folder / name).mkdir()
            site = stack.enter_context(machine_for_hosts(folder / name))
            if name == "wine":
                wine.prepare(site)
            told = site.environment
            hosts[name] = stack.enter_context(
                hosting(build, folder / name, plate=plate, environment=told, **NUKE)
            )
            hosts[name].create(**NODE)
            assert hosts[name].render(1)["status"] == 0
        for kind in ("interactive", "final render"):
            if kind == "final render":
                for host in hosts.values():
                    host.tell("begin", instance="node", first=1, last=WINDOW, interactive=0)
                    host.render(1)
            worst = max(worst, _compare(hosts, kind, rounds))
    return int(worst > LIMIT)


def _compare(hosts: dict[str, FakeHost], kind: str, rounds: int) -> float:
    """Return how many times as long Wine takes, by the medians of rounds in turns."""
    taken: dict[str, list[float]] = {name: [] for name in hosts}
    for _ in range(rounds):
        for name, host in hosts.items():
            told = host.tell("bench", instance="node", frame=1, rounds=RENDERS)
            taken[name].append(median(told["renders"]))
    middle = {name: median(times) for name, times in taken.items()}
    ratio = middle["wine"] / middle["linux"]
    spread = ", ".join(f"{name} {min(of):.1f} to {max(of):.1f}" for name, of in taken.items())
    print(
        f"finished, {kind:<13} linux {middle['linux']:6.1f} ms   wine {middle['wine']:6.1f} ms"
        f"   {ratio:.2f} x   ({rounds} rounds of {RENDERS}; {spread} ms)"
    )
    return ratio


if __name__ == "__main__":
    sys.exit(main())
