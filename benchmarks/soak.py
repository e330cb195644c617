"""Soaks one server in a busy studio's work, and looks at what it holds in the end.

    python -m benchmarks.soak [--requests 5000] [--clients 50]

Clients that work at the same time ask for sequences, movies and pushed plates: new, changed, cached
and finished frames; some cancel, vanish or ask for what cannot be had (`benchmarks/studio.py`). Ten
times the studio rests: when no job is alive, and the server has had two seconds to put away what it
used, its resident memory, threads and file descriptors are looked at once a second, and the medians
of five looks count. Nobody asks it to collect garbage. The claim: after all requests each figure is
at most 5 % above that after the first tenth, every request ends as it should within two minutes,
the server is the one that began, and the mattes looked at are those that it made before the load.
Exits with 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import psutil

from benchmarks.studio import Seat, Studio
from gvm_client.client import Client
from gvm_client.protocol.lifecycle import JobState
from tests.support.site import machine

RESTS = 10
LIMIT = 1.05  # of the figures after the first tenth
SETTLE_SECONDS = 2.0
LOOKS = 5
LAST_JOB_SECONDS = 120.0  # batch jobs go on when their client has gone

Figures = tuple[float, float, float]
NAMES = ("memory, MiB", "threads", "descriptors")


def main() -> int:
    """Print the figures at each rest, and what did not go as it should."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1, help="another mixture")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, machine(Path(name)) as site:
        studio = Studio(site)
        server = site.server()
        assert server is not None, "the server does not run"
        seats = [Seat(studio, number, seed=given.seed) for number in range(given.clients)]
        print(f"{'requests':>12} {'seconds':>12} " + " ".join(f"{name:>12}" for name in NAMES))
        begun, rests = time.monotonic(), list[Figures]()
        for rest in range(RESTS):
            _work(seats, given.requests * (rest + 1) // RESTS - given.requests * rest // RESTS)
            rests.append(_rest(studio, server))
            done = given.requests * (rest + 1) // RESTS
            figures = (done, time.monotonic() - begun, *rests[-1])
            print(" ".join(f"{figure:12.0f}" for figure in figures), flush=True)
        lives = site.server() == server
    growth = [last / first for first, last in zip(rests[0], rests[-1], strict=True)]
    print(f"{'growth':>25} " + " ".join(f"{value:12.3f}" for value in growth) + f"  aim {LIMIT}")
    outcomes = sum((seat.outcomes for seat in seats), Counter[str]())
    print(", ".join(f"{count} {kind}" for kind, count in sorted(outcomes.items())))
    surprises = [surprise for seat in seats for surprise in seat.surprises]
    print(f"{len(surprises)} surprises")
    for surprise, count in Counter(surprises).most_common(20):
        print(f"  {count} x {surprise}")
    if not lives:
        print("  the server is another one, or none")
    return int(bool(surprises) or not lives or max(growth) > LIMIT)


def _work(seats: list[Seat], requests: int) -> None:
    """Have the seats share some requests, all at the same time."""
    tickets: SimpleQueue[int] = SimpleQueue()
    for number in range(requests):
        tickets.put(number)
    with ThreadPoolExecutor(len(seats)) as pool:
        list(pool.map(lambda seat: seat.work(tickets), seats))


def _rest(studio: Studio, server: psutil.Process) -> Figures:
    """Return the medians of what the server holds when it has nothing to do."""
    with Client(studio.connection) as client:
        deadline = time.monotonic() + LAST_JOB_SECONDS
        while alive := [job for job in client.status().jobs if not JobState(job.state).is_final]:
            assert time.monotonic() < deadline, f"jobs that hang: {alive}"
            time.sleep(0.1)
    time.sleep(SETTLE_SECONDS)
    looks = list[Figures]()
    for _ in range(LOOKS):
        looks.append((server.memory_info().rss / 2**20, server.num_threads(), server.num_fds()))
        time.sleep(1)
    memory, threads, descriptors = map(statistics.median, zip(*looks, strict=True))
    return memory, threads, descriptors


if __name__ == "__main__":
    sys.exit(main())
