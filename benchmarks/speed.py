"""What the way of the pixels costs, beside the build of commit 035ff6c, in turns on one machine.

    python -m benchmarks.speed [--rounds 5] [--frames 60] [--only NAME ...] [--ours] [--save FILE]

Each round starts a server of each build, with a cache of its own, and runs the same commands
through both; every other round begins with the other build. A row is the median of the rounds'
ratios with its range, then the medians of both sides. Only ratios of one run tell something:
what else the machine does counts for both. Exits with 1 where a row misses its target.
`--ours` measures this tree alone. docs/performance.md has the table as it was measured last.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.baseline import ROOT, tree
from benchmarks.speed_clips import Clips
from benchmarks.speed_server import Server, busy_loops, running

FEW = 5  # of the frames that are asked for, one in so many where a frame is dear
SINGLE = {"GVM_PREVIEW_MANNER": "single-look"}
LEVELS = ("--black", "0.05", "--white", "0.9", "--gamma", "1.2")

Figures = dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One measure: what it is, in which unit, and at most which share of the baseline's it is."""

    about: str
    unit: str
    target: float


ROWS: Mapping[str, Row] = {
    "exr": Row(about="1080p half EXR, single look, wall a frame", unit="ms", target=0.40),
    "exr-cpu": Row(about="the same, CPU a frame", unit="ms", target=0.35),
    "memory": Row(about="the same, peak memory", unit="MB", target=0.60),
    "default": Row(about="1080p half EXR, default preview, wall a frame", unit="ms", target=0.70),
    "default-cpu": Row(about="the same, CPU a frame", unit="ms", target=0.80),
    "levels": Row(about="levels only, finished frames, CPU a frame", unit="ms", target=0.15),
    "busy": Row(about="single look beside two busy loops, wall a frame", unit="ms", target=0.20),
    "4k": Row(about="4K half EXR, single look, wall a frame", unit="ms", target=0.30),
    "movie": Row(about="1080p H.264, single look, wall a frame", unit="ms", target=0.45),
    "movie-bytes": Row(about="movie read for a repeated request", unit="MB", target=0.01),
    "cold": Row(about="cold `gvm matte`, one frame", unit="ms", target=0.50),
    "warm": Row(about="warm `gvm matte`, one new frame", unit="ms", target=0.30),
    "warm-single": Row(about="the same, single look", unit="ms", target=0.30),
    "knob": Row(about="a knob turned in a host, to the pixels of a frame", unit="ms", target=0.30),
    "survey": Row(about="10,000 frames asked for, CPU until it begins", unit="ms", target=0.35),
    "calls": Row(about="file calls a fresh frame (stat, open)", unit="", target=0.15),
    "fsync": Row(about="fsync a fresh frame", unit="", target=0.50),
}


def exr(server: Server, clips: Clips, frames: int) -> Figures:
    """Look at one frame with a single look, matte a clip so, then under levels."""
    server.matte(clips.exr(1, take=1), "first")
    warm = server.matte(clips.exr(frames, take=2), "warm", "--frames", "2")
    plate = clips.exr(frames)
    matted = server.matte(plate, "matted")
    peak = server.peak_bytes
    levels = server.matte(plate, "levels", *LEVELS)
    return {
        "warm-single": 1e3 * warm.wall,
        "exr": 1e3 * matted.seconds / frames,
        "exr-cpu": 1e3 * matted.cpu / frames,
        "memory": peak / 1e6,
        "levels": 1e3 * levels.cpu / frames,
    }


def default(server: Server, clips: Clips, frames: int) -> Figures:
    """Begin cold, look at a frame of another clip, and matte a third as an artist does."""
    cold = server.matte(clips.exr(1, take=1), "cold")
    warm = server.matte(clips.exr(frames, take=2), "warm", "--frames", "2")
    matted = server.matte(clips.exr(frames), "matted")
    return {
        "cold": 1e3 * cold.wall,
        "warm": 1e3 * warm.wall,
        "default": 1e3 * matted.seconds / frames,
        "default-cpu": 1e3 * matted.cpu / frames,
    }


def busy(server: Server, clips: Clips, frames: int) -> Figures:
    """Matte a clip while two loops keep the cores busy."""
    server.matte(clips.exr(1, take=1), "first")
    few = max(1, frames // FEW)
    plate = clips.exr(few)
    with busy_loops(2):
        return {"busy": 1e3 * server.matte(plate, "matted").seconds / few}


def four_k(server: Server, clips: Clips, frames: int) -> Figures:
    """Matte a clip of 3840 x 2160."""
    server.matte(clips.exr(1, take=1), "first")
    few = max(1, frames // FEW)
    return {"4k": 1e3 * server.matte(clips.exr_4k(few), "matted").seconds / few}


def movie(server: Server, clips: Clips, frames: int) -> Figures:
    """Matte a movie by its content, then ask for the same once more."""
    server.matte(clips.exr(1, take=1), "first")
    asked = clips.movie(frames), "matted", "--plate-keys", "content"
    matted, again = server.matte(*asked), server.matte(*asked)
    return {"movie": 1e3 * matted.seconds / frames, "movie-bytes": again.bytes_read / 1e6}


def knob(server: Server, clips: Clips, frames: int) -> Figures:
    """Turn a knob in a host; the first turn is left out of a median of so many."""
    server.matte(clips.exr(1, take=1), "first")
    return {"knob": 1e3 * server.turn_knobs(clips.exr(1, take=1), max(3, frames))}


def survey(server: Server, clips: Clips, frames: int) -> Figures:
    """Look at ten thousand frames, however many the other clips have, until a job of all begins."""
    del frames
    server.matte(clips.exr(1, take=1), "first")
    return {"survey": 1e3 * server.look_at(clips.many(10_000), "matted")}


def calls(server: Server, clips: Clips, frames: int) -> Figures:
    """Count what the server asks of the disk."""
    server.matte(clips.exr(1, take=1), "first")
    counted = server.count_calls(clips.exr(frames), "matted")
    fsync = counted.pop("fsync", 0)
    return {"calls": sum(counted.values()) / frames, "fsync": fsync / frames}


Session = Callable[[Server, Clips, int], Figures]
SESSIONS: Sequence[tuple[Session, Mapping[str, str]]] = (
    (exr, SINGLE),
    (default, {}),
    (movie, SINGLE),
    (busy, SINGLE),
    (four_k, SINGLE),
    (knob, SINGLE),
    (survey, SINGLE),
    (calls, SINGLE),
)


def main() -> int:
    """Measure, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=60, help="of a clip (60)")
    parser.add_argument("--only", nargs="+", choices=[one.__name__ for one, _ in SESSIONS])
    parser.add_argument("--ours", action="store_true", help="this tree alone")
    parser.add_argument("--save", type=Path, help="every figure, as JSON")
    given = parser.parse_args()
    sides = {"ours": ROOT} if given.ours else {"baseline": tree(), "ours": ROOT}
    figures: dict[str, dict[str, list[float]]] = {side: defaultdict(list) for side in sides}
    with tempfile.TemporaryDirectory() as folder:
        clips = Clips(Path(folder))
        for session, variables in SESSIONS:
            if given.only and session.__name__ not in given.only:
                continue
            for number in range(given.rounds):
                for side in sides if number % 2 == 0 else reversed(sides):
                    with running(sides[side], variables) as server:
                        for name, value in session(server, clips, given.frames).items():
                            figures[side][name].append(value)
            if given.save:
                given.save.write_text(json.dumps(figures))
            print(f"{session.__name__} is done", file=sys.stderr, flush=True)
    held = [_told(name, figures) for name in ROWS if figures["ours"][name]]
    return int(not all(held))


def _told(name: str, figures: Mapping[str, Mapping[str, list[float]]]) -> bool:
    """Print a row; return whether it holds."""
    row, ours = ROWS[name], figures["ours"][name]
    text = f"{row.about:52}{_spread(ours)} {row.unit}"
    if "baseline" not in figures:
        print(text)
        return True
    before = figures["baseline"][name]
    ratios = [now / then for now, then in zip(ours, before, strict=True)]
    ratio = statistics.median(ratios)
    says = f"{ratio:5.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
    print(f"{text}  before {_spread(before)}  ratio {says}  target {row.target:.2f}")
    return ratio <= row.target


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.median(values):8.1f} ({min(values):.1f}-{max(values):.1f})"


if __name__ == "__main__":
    sys.exit(main())
