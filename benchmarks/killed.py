"""Kills the server again and again, at random points of its life, while clients matte.

    python -m benchmarks.killed [--kills 200] [--seed 1]

In each round three clients matte at once, two of them into one folder, and the server is killed
as often as a client recovers (`MAX_RECOVERIES`): while it serves, or between its start and its
first answer. Each round changes a knob, so that finished files are replaced. After each kill every
file in place must be whole and a right matte; every client must end well by itself, with all its
frames. Temporary files that a kill leaves are counted: they are swept when they are old.
Exits with 1 where a file was torn, wrong or missing, a client ended otherwise, or told of damage.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.reference import Faults, Reference, hear
from gvm_client.process import is_alive
from gvm_client.session import MAX_RECOVERIES
from gvm_server.media.alphas.stamp import prove_file
from gvm_server.media.store.cache import DiskCache
from tests.support.site import SMALL, Site, machine

FRAMES = range(1, 25)
SETTINGS = (("--gamma", "1"), ("--gamma", "2"))
ENGINE_SECONDS = "0.06"  # a frame; 0.36 s a window
LOADS = (  # folder, frames, further options
    ("shared", "1-24", ()),
    ("shared", "9-20", ("--priority", "batch")),
    ("own", "1-24", ()),
)
START_SHARE = 0.4  # of the kills, aimed at a server that starts
START_SECONDS = 1.5  # how long a start takes, or a little longer
SERVE_SECONDS = 1.0  # into a round's work, which takes some 2 s
CLIENT_SECONDS = 120.0  # a client that takes longer hangs


@dataclass(kw_only=True)
class Tally:
    """What was counted."""

    kills: Counter[str] = field(default_factory=Counter)
    recoveries: Counter[int] = field(default_factory=Counter)
    clients: int = 0
    by_hand: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    @property
    def well(self) -> bool:
        """Whether the claim holds."""
        return not (self.by_hand or self.damage or self.faults)


def main() -> int:
    """Print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    choose, tally, began = random.Random(given.seed), Tally(), time.monotonic()
    with tempfile.TemporaryDirectory() as name, machine(Path(name)) as site:
        reference = Reference.make(site.folder, FRAMES, SETTINGS)
        site.environment["GVM_TEST_ENGINE_SECONDS"] = ENGINE_SECONDS
        rounds = 0
        while tally.kills.total() < given.kills and tally.well:
            kills = min(MAX_RECOVERIES, given.kills - tally.kills.total())
            _round(site, reference, choose, tally, setting=rounds % 2, kills=kills)
            rounds += 1
        leftovers = sum(1 for _ in site.folder.rglob(".gvm-*"))
    seconds = time.monotonic() - began
    print(f"   kills: {tally.kills.total()} in {rounds} rounds and {seconds:.0f} s:", end=" ")
    print(", ".join(f"{count} {when}" for when, count in sorted(tally.kills.items())))
    spread = ", ".join(f"{count} of {times}" for times, count in sorted(tally.recoveries.items()))
    print(f" clients: {tally.clients}, {len(tally.by_hand)} to be run again by hand;", end=" ")
    print(f"recoveries: {spread}")
    print(f"   files: {tally.faults}; {len(tally.damage)} notes of damage;", end=" ")
    print(f"{leftovers} temporary files left, to be swept when they are old")
    for line in (*tally.by_hand, *tally.damage, *tally.faults.lines()):
        print(line)
    return int(not tally.well)


def _round(
    site: Site,
    reference: Reference,
    choose: random.Random,
    tally: Tally,
    *,
    setting: int,
    kills: int,
) -> None:
    """Matte with all clients while the server is killed so often, then look at everything."""
    if choose.random() < 0.5:
        site.kill_server()  # not counted: nobody had asked it for anything
    DiskCache(Path(site.environment["GVM_CACHE_DIR"]), 1).clear()
    clients = []
    for folder, frames, words in LOADS:
        asked = (reference.plate, "-o", folder, "--frames", frames, *words, *SETTINGS[setting])
        clients.append(site.start("matte", *asked, *SMALL, "--json"))
        time.sleep(choose.uniform(0, 0.1))
    for _ in range(kills):
        when = _kill(site, choose, clients)
        if when:
            tally.kills[when] += 1
        for folder in ("shared", "own"):
            tally.faults.add(reference.look(site.folder / folder, (0, 1)))
    for client in clients:
        tally.clients += 1
        _hear(client, tally)
    for folder in ("shared", "own"):
        names = reference.alphas[setting]
        tally.faults.add(reference.look(site.folder / folder, (setting,), names=names))
    for path in Path(site.environment["GVM_CACHE_DIR"]).glob("alphas/*/[!.]*"):
        proven = prove_file(path)
        if proven is None or proven.digest.hex() != path.stem:
            tally.faults.torn.append(str(path))


def _kill(site: Site, choose: random.Random, clients: list[subprocess.Popen[str]]) -> str:
    """Kill a server at a random point, and return when it was; "" where no client ran any more."""
    at_start = choose.random() < START_SHARE
    while any(client.poll() is None for client in clients):
        target = site.server()
        starting = [process for process in _servers(site) if process != target]
        if at_start and starting:
            target = choose.choice(starting)
            dies_at = target.create_time() + choose.uniform(0, START_SECONDS)
            time.sleep(max(0.0, dies_at - time.time()))
        elif target is not None:
            time.sleep(choose.uniform(0, SERVE_SECONDS))
        else:
            time.sleep(0.03)
            continue
        serving = site.server()
        if is_alive(target.pid, 0):  # else it had lost the race with another that starts
            target.kill()
            return "while it served" if target == serving else "while it started"
    return ""


def _servers(site: Site) -> Iterator[psutil.Process]:
    """Yield the server processes of a machine, those that start and those that serve."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.status() == psutil.STATUS_ZOMBIE or "serve" not in process.cmdline():
                continue
            if process.environ().get("GVM_RUNTIME_DIR") == str(site.runtime):
                yield process


def _hear(client: subprocess.Popen[str], tally: Tally) -> None:
    stdout, stderr = hear(client, CLIENT_SECONDS)
    tally.recoveries[stdout.count('"type": "recovered"')] += 1
    if client.returncode != 0:
        tally.by_hand.append(f"Exit code {client.returncode}: {stderr}")
    tally.damage.extend(line for line in stdout.splitlines() if "damaged" in line)


if __name__ == "__main__":
    sys.exit(main())
