"""The pipeline overlaps: the wall beside the busy time of its longest stage.

    .venv/bin/python -m tests.perf.overlap

1080p half EXR in, half EXR alphas out. A first run with an instant engine measures what reading
and writing take on this machine; in the second the test engine takes as long a frame (it sleeps,
as a CPU does while a GPU works). The engine runs on one thread, so its busy time adds up exactly;
the aim is a wall of at most 1.2 times it.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.support.plates import write_plate
from tests.support.site import Ran, machine

FRAMES = 120
ENGINE = ("--engine", "test", "--size", "270", "--frames-per-window", "8", "--overlap", "1")
ENGINE_STAGES = ("encode", "denoise", "decode")


def main() -> None:
    """Print the stages' busy time, the wall and their ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plate = write_plate(folder / "plate", range(1, FRAMES + 1), width=1920, height=1080)
        bare = _matte(folder / "bare", plate, seconds=0.0)
        bare_wall = bare.done["seconds"]
        ran = _matte(folder / "timed", plate, seconds=bare_wall / FRAMES)
    busy = {stage["stage"]: stage["seconds"] for stage in ran.done["stages"]}
    engine = sum(busy[stage] for stage in ENGINE_STAGES)
    wall = ran.done["seconds"]
    print(f"{FRAMES} frames of 1920x1080, half EXR to half EXR; {bare_wall:.2f} s without engine")
    for stage, seconds in busy.items():
        print(f"{stage:>8} {seconds:7.2f} s busy")
    print(f"{'engine':>8} {engine:7.2f} s busy (encode, denoise and decode)")
    print(f"{'wall':>8} {wall:7.2f} s = {wall / max(engine, *busy.values()):.2f} x the longest")


def _matte(folder: Path, plate: str, *, seconds: float) -> Ran:
    folder.mkdir()
    with machine(folder) as site:
        site.environment["GVM_TEST_ENGINE_SECONDS"] = str(seconds)
        return site.gvm("matte", plate, "-o", "out", *ENGINE, "--json", timeout=900)


if __name__ == "__main__":
    main()
