"""Lays damaged EXRs wherever the server reads one, and looks at how each job ends.

    python -m benchmarks.damaged [--files 185] [--seed 0]

Each file is a plate of its own and a frame in the middle of a clip, then stands in place of a
finished alpha, and then in place of an alpha in the cache; last the cache's windows are damaged.
One server serves it all. Exits with 1 where a job ends otherwise than it may: a plate's with its
mattes or with exit 3 and the file's name, the others' with the right mattes, and the server with
its memory and its answers as before.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray

from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.errors import ErrorCode, GvmError
from gvm_client.process import Exit, exit_for
from gvm_client.protocol.lifecycle import error_of
from gvm_client.protocol.messages import (
    Cancelled,
    Done,
    EngineName,
    Failed,
    FileOutput,
    FilePlate,
    Matte,
)
from gvm_client.settings import WindowSettings
from gvm_server.media.alphas.stamp import prove_file
from tests.support.damage import DAMAGES, damaged
from tests.support.exrs import HEIGHT, WIDTH, kinds
from tests.support.plates import read_alpha, write_plate
from tests.support.site import Site, machine

WINDOW = WindowSettings(frames_per_window=6, overlap=2, size=32)
MEMORY_MIB = 256.0  # by which a server may grow: the files are 48x32, what they claim is not
ANSWER_SECONDS = 2.0  # the longest that a client waits before it calls a server lost
_LOOK_SECONDS = 0.02
_FRAME = 5  # of eight, in the middle of the clip


@dataclass(kw_only=True)
class Findings:
    """What ended as it may, counted, and what did not, in words."""

    ended: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def main() -> int:
    """Print how the jobs ended, and what should not have been."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=185)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found = Findings()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name, machine(Path(name)) as site:
        folder = Path(name)
        files = list(damaged(kinds(folder), given.files, given.seed))
        write_plate(folder / "clip", range(1, given.files + 1), width=WIDTH, height=HEIGHT)
        started = site.matte(str(folder / "clip" / "plate.%04d.exr"), folder / "out")
        assert started.code == 0, started.stderr
        with _watched(site, found) as client:
            _as_plates(client, folder, files, found)
            _as_finished(client, folder, files, found)
            _in_the_cache(client, folder, files, found)
    for what, count in sorted(found.ended.items()):
        print(f"{count:6} {what}")
    print(f"{len(found.wrong):6} wrong, of {len(files)} files, {time.perf_counter() - began:.0f} s")
    print("\n".join(found.wrong))
    return int(bool(found.wrong))


# ---- where the files are laid ------------------------------------------------------------------


def _as_plates(
    client: Client, folder: Path, files: Sequence[tuple[str, bytes]], found: Findings
) -> None:
    clip = write_plate(folder / "eight", range(1, 9), width=WIDTH, height=HEIGHT)
    middle = Path(clip % _FRAME)
    for name, data in files:
        still = folder / f"still-{name[:4]}.exr"
        for path, plate in ((still, str(still)), (middle, clip)):
            path.unlink(missing_ok=True)
            path.write_bytes(data)
            out = folder / "plates" / f"{name[:4]}-{path.stem}"
            ending = _ask(client, plate, out)
            what = f"{name}, as {'a plate' if path is still else 'a frame'}"
            if isinstance(ending, Done):
                found.ended["plates matted"] += 1
                made = list(out.glob("*.exr"))
                if len(made) != ending.frames_written or not all(map(prove_file, made)):
                    found.wrong.append(f"{what}: {len(made)} alphas, not all whole")
            elif exit_for(ending) is Exit.INPUT and str(path) in f"{ending.message} {ending.path}":
                found.ended["plates refused by their name"] += 1
            else:
                found.wrong.append(f"{what}: {ending.code.value}: {ending}")
            shutil.rmtree(out, ignore_errors=True)


def _as_finished(
    client: Client, folder: Path, files: Sequence[tuple[str, bytes]], found: Findings
) -> None:
    """Lay each file over an alpha, and damage that alpha itself: made again, or left and named."""
    clip, out = str(folder / "clip" / "plate.%04d.exr"), folder / "out"
    for frame, (name, theirs) in enumerate(files, 1):
        path = out / f"plate.{frame:04d}.exr"
        whole = path.read_bytes()
        right = read_alpha(path)
        for data, what in (
            (_damaged_alike(name, whole, frame), "finished alphas damaged"),
            (theirs, "finished alphas written over"),
        ):
            path.write_bytes(data)
            ending = _ask(client, clip, out, frames=str(frame))
            if isinstance(ending, GvmError) and ending.code is ErrorCode.OUTPUT_NOT_OURS:
                untouched = path.read_bytes() == data and str(path) == ending.path
                if not untouched:
                    found.wrong.append(f"{name}, {what}: {ending}")
                found.ended[f"{what}: left, named, made again with --overwrite"] += untouched
                ending = _ask(client, clip, out, frames=str(frame), overwrite=True)
            else:
                found.ended[f"{what}: made again"] += isinstance(ending, Done)
            _compare(f"{name}, {what}", ending, path, right, found)


def _in_the_cache(
    client: Client, folder: Path, files: Sequence[tuple[str, bytes]], found: Findings
) -> None:
    """Damage all alphas of the cache, half of them by the files; then all of its windows."""
    clip, source = str(folder / "clip" / "plate.%04d.exr"), random.Random(len(files))
    right = {path.name: read_alpha(path) for path in sorted((folder / "out").glob("*.exr"))}
    for kind, ending in (("alphas", ".exr"), ("windows", ".window")):
        entries = sorted((folder / "cache" / kind).rglob(f"*{ending}"))
        entries = [path for path in entries if kind == "windows" or prove_file(path)]
        if kind == "windows":
            shutil.rmtree(folder / "cache" / "alphas")
        for number, path in enumerate(entries):
            name, theirs = files[number % len(files)]
            whole = path.read_bytes()
            if number % 2:
                path.write_bytes(theirs)
            elif kind == "alphas":
                path.write_bytes(_damaged_alike(name, whole, number))
            else:
                path.write_bytes(source.choice(_OF_BYTES)(whole, source))
        out = folder / f"from-{kind}"
        ended = _ask(client, clip, out)
        for name, alpha in right.items():
            _compare(f"{name} of damaged {kind}", ended, out / name, alpha, found)
        found.ended[f"cached {kind} damaged, all mattes right"] += len(entries)
        if isinstance(ended, Done):
            lost = [name for name in right if not (out / name).exists()]
            if lost:
                found.wrong.append(f"{kind}: {len(lost)} mattes lost")
    kept = list((folder / "cache" / "alphas").rglob("*.exr"))
    if len(kept) != len(right) or not all(map(prove_file, kept)):
        found.wrong.append(f"{len(kept)} alphas are kept, of {len(right)}, or not all whole")


_OF_BYTES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    lambda data, source: data[:0],  # noqa: ARG005 (all have one form)
    lambda data, source: data[: source.randrange(len(data))],
    lambda data, source: data + source.randbytes(9),
    lambda data, source: bytes(len(data)),  # noqa: ARG005
    lambda data, source: source.randbytes(len(data)),
    lambda data, source: _flipped(data, source.randrange(len(data))),
    lambda data, source: _flipped(data, source.randrange(30)),
)


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]


def _damaged_alike(name: str, whole: bytes, number: int) -> bytes:
    """Return an alpha of ours with the damage that a file's name says."""
    changed = DAMAGES[name.rpartition(": ")[2]](whole, random.Random(number))
    return changed if changed != whole else _flipped(whole, len(whole) - 20)


def _compare(
    what: str, ending: Done | GvmError, path: Path, right: NDArray[np.float32], found: Findings
) -> None:
    if isinstance(ending, GvmError):
        found.wrong.append(f"{what}: {ending.code.value}: {ending}")
    elif not prove_file(path) or not np.array_equal(read_alpha(path), right):
        found.wrong.append(f"{what}: the matte is another")


# ---- the server --------------------------------------------------------------------------------


def _ask(
    client: Client, plate: str, out: Path, *, frames: str = "", overwrite: bool = False
) -> Done | GvmError:
    """Return how a job ends; a server that dies or falls silent is an error too."""
    request = Matte(
        job=uuid.uuid4().hex,
        plate=FilePlate(path=plate),
        output=FileOutput(path=str(out), overwrite=overwrite),
        frames=frames,
        window=WINDOW,
        engine=EngineName.TEST,
    )
    try:
        *_, last = client.matte(request)
    except GvmError as error:
        return error
    if isinstance(last, (Failed, Cancelled)):
        return error_of(last)
    assert isinstance(last, Done)
    return last


@contextmanager
def _watched(site: Site, found: Findings) -> Iterator[Client]:
    """Give a client; meanwhile ask the server for life signs, and measure it."""
    connection = read_connection(site.runtime)
    server = psutil.Process(connection.pid)
    before = server.memory_info().rss
    most, slowest, ended = before, 0.0, threading.Event()

    def watch() -> None:
        nonlocal most, slowest
        with Client(connection) as asking:
            while not ended.wait(_LOOK_SECONDS):
                asked = time.perf_counter()
                try:
                    asking.ping(seconds=10 * ANSWER_SECONDS)
                    most = max(most, server.memory_info().rss)
                except (GvmError, psutil.Error) as error:
                    found.wrong.append(f"The server has gone: {error}")
                    return
                slowest = max(slowest, time.perf_counter() - asked)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        with Client(connection) as client:
            yield client
    finally:
        ended.set()
        thread.join()
    grown = (most - before) / 2**20
    print(f"{grown:6.0f} MiB more memory at the most (limit {MEMORY_MIB:.0f})")
    print(f"{slowest:6.2f} s for the slowest answer (limit {ANSWER_SECONDS:.0f})")
    if grown > MEMORY_MIB or slowest > ANSWER_SECONDS:
        found.wrong.append("The server's memory or answers")


if __name__ == "__main__":
    sys.exit(main())
