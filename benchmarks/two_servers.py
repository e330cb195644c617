"""Two servers of two process namespaces matte the same frames into one folder, with one cache.

    python -m benchmarks.two_servers [--rounds 50] [--seed 1]

They stand for two containers, or two machines of a farm: neither sees the other's processes, and
their process numbers are the same. In each round both get the whole clip and overlapping chunks of
it at the same time. Some rounds begin without a cache, some with the last round's, some with one so
small that both servers evict all the time. In some, other programs' files and older mattes stand in
the folder and are replaced; in some, each server writes other mattes of the same frames, as two
artists may, and one of them asks once more after that.

Linux, as root; elsewhere it says so and exits with 77. Exits with 1 where a task failed or told of
damage, a file was torn, wrong or missing, or an unfinished file of another machine's was deleted.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import psutil

from benchmarks.reference import Faults, Reference, hear
from gvm_client.folders import LOG_NAME
from tests.support.plates import write_plate
from tests.support.site import SMALL, Site

FRAMES = range(1, 25)
SETTINGS = (("--gamma", "1"), ("--gamma", "2"))
TASKS = (("1-24", "1-12", "9-20"), ("1-24", "5-16", "13-24"))  # of the two servers
ENGINE_SECONDS = "0.01"  # a frame
FOREIGN = range(1, 13)  # other programs' files that are replaced
LOOK_SECONDS = 0.1
TASK_SECONDS = 120.0  # a task that takes longer hangs
SKIPPED = 77
ENTER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
UNFINISHED = ".gvm-otherhost-0a1b2c3d-7-89abcdef-plate.0001.exr.part"  # as another machine's


class Variant(NamedTuple):
    """What a round begins with, and whether both servers make the same."""

    about: str
    limit_gb: str = "1"
    keeps_cache: bool = False
    replaces: bool = False
    rivals: bool = False


VARIANTS = (
    Variant("cold cache"),
    Variant("warm cache", keeps_cache=True),
    Variant("files replaced", replaces=True),
    Variant("tiny cache", limit_gb="0.0001", keeps_cache=True),
    Variant("tiny cache, files replaced", limit_gb="0.0001", keeps_cache=True, replaces=True),
    Variant("other settings each", rivals=True),
)


@dataclass(kw_only=True)
class Namespace(Site):
    """A machine's processes in a namespace of their own.

    Attributes:
        init: the namespace's first process, by its number outside.
    """

    init: int

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a `gvm` command in the namespace."""
        inside = ("nsenter", "--target", str(self.init), "--pid", "--mount", "--")
        return subprocess.Popen(
            [*inside, sys.executable, "-m", "gvm_server", *words],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@dataclass(kw_only=True)
class Tally:
    """What was counted."""

    rounds: int = 0
    tasks: int = 0
    failed: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)

    @property
    def well(self) -> bool:
        """Whether the claim holds."""
        return not (self.failed or self.damage or self.deleted or self.faults)


def main() -> int:
    """Print what was counted, for each variant and together."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if not _can_enter():
        print(f"Skipped: `{' '.join(ENTER)}` is not allowed here. Linux and root are needed.")
        return SKIPPED
    choose, well, began = random.Random(given.seed), True, time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        reference = Reference.make(folder, FRAMES, SETTINGS)
        for number, variant in enumerate(VARIANTS):
            tally = Tally()
            with _namespace(folder, variant) as one, _namespace(folder, variant) as two:
                for turn in range(number, given.rounds, len(VARIANTS)):
                    setting = turn // len(VARIANTS) % len(SETTINGS)
                    if tally.well:
                        _round((one, two), reference, variant, choose, tally, setting=setting)
                for site in (one, two):
                    log = (site.runtime / LOG_NAME).read_text(encoding="utf-8")
                    tally.damage += [line for line in log.splitlines() if _tells_of_damage(line)]
            _print(variant, tally)
            well = well and tally.well
    print(f"{time.monotonic() - began:.0f} s")
    return int(not well)


def _print(variant: Variant, tally: Tally) -> None:
    print(
        f"{variant.about:>27}: {tally.rounds} rounds, {tally.tasks} tasks:"
        f" {len(tally.failed)} failed; {tally.faults}; {len(tally.damage)} notes of damage;"
        f" {len(tally.deleted)} unfinished files of others deleted",
        flush=True,
    )
    for line in (*tally.failed, *tally.damage, *tally.deleted, *tally.faults.lines()):
        print(line)


def _round(
    sites: tuple[Namespace, Namespace],
    reference: Reference,
    variant: Variant,
    choose: random.Random,
    tally: Tally,
    *,
    setting: int,
) -> None:
    """Matte the clip with both servers at once, and look at every file while they do."""
    out, cache = sites[0].folder / "out", sites[0].folder / "cache"
    others = _prepare(out, cache, variant)
    unfinished = [folder / UNFINISHED for folder in (out, *cache.glob("*/*/"))]
    for path in unfinished:
        path.write_bytes(b"being written")
    words = [reference.plate, "-o", str(out), *SMALL, "--json"]
    if variant.replaces:
        words.append("--overwrite")
    mine = (setting, 1 - setting if variant.rivals else setting)
    asked = [
        (site, *SETTINGS[wanted], "--frames", frames)
        for site, wanted, tasks in zip(sites, mine, TASKS, strict=True)
        for frames in tasks
    ]
    choose.shuffle(asked)
    tasks = [site.start("matte", *words, *own) for site, *own in asked]
    allowed = range(len(SETTINGS)) if variant.replaces or variant.rivals else (setting,)
    while any(task.poll() is None for task in tasks):
        tally.faults.add(reference.look(out, allowed, others=others))
        time.sleep(LOOK_SECONDS)
    if variant.rivals:
        tasks.append(choose.choice(sites).start("matte", *words, *SETTINGS[setting]))
    for task in tasks:
        _hear(task, tally)
    tally.rounds += 1
    tally.faults.add(reference.look(out, (setting,), names=reference.alphas[setting]))
    tally.deleted += [str(path) for path in unfinished if not path.exists()]


def _prepare(out: Path, cache: Path, variant: Variant) -> list[bytes]:
    """Make folder and cache what a round begins with; return other programs' files' contents."""
    if not variant.keeps_cache:
        for kind in ("alphas", "windows"):
            shutil.rmtree(cache / kind, ignore_errors=True)
    if not variant.replaces:  # else half of the last round's mattes stay, of other settings
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return []
    write_plate(out, FOREIGN)
    return [(out / f"plate.{frame:04d}.exr").read_bytes() for frame in FOREIGN]


def _hear(task: subprocess.Popen[str], tally: Tally) -> None:
    """Wait for a task's end, and take note of how it was."""
    stdout, stderr = hear(task, TASK_SECONDS)
    tally.tasks += 1
    if task.returncode != 0:
        tally.failed.append(f"Exit code {task.returncode}: {stderr}")
    tally.damage += [line for line in stdout.splitlines() if _tells_of_damage(line)]


def _tells_of_damage(line: str) -> bool:
    """Return whether a line says that something was damaged or could not be kept; nothing was."""
    return any(words in line for words in ("damaged", "cannot be written", "is removed from"))


@contextmanager
def _namespace(folder: Path, variant: Variant) -> Iterator[Namespace]:
    """Give a machine whose processes are in a namespace of their own, and end with it."""
    runtime = Path(tempfile.mkdtemp(prefix="gvm-"))  # sockets want short paths
    unshare = subprocess.Popen([*ENTER, "sleep", "infinity"], stderr=subprocess.DEVNULL)
    while not (children := psutil.Process(unshare.pid).children()):
        time.sleep(0.01)
    try:
        yield Namespace(
            folder=folder,
            runtime=runtime,
            init=children[0].pid,
            environment={
                "GVM_RUNTIME_DIR": str(runtime),
                "GVM_CACHE_DIR": str(folder / "cache"),
                "GVM_CACHE_LIMIT_GB": variant.limit_gb,
                "GVM_TEST_ENGINE_SECONDS": ENGINE_SECONDS,
                "XDG_CONFIG_HOME": str(folder / "config"),
            },
        )
    finally:
        children[0].kill()  # the kernel ends the rest of the namespace
        unshare.wait()
        shutil.rmtree(runtime, ignore_errors=True)


def _can_enter() -> bool:
    try:
        ran = subprocess.run([*ENTER, "true"], check=False, capture_output=True)
    except OSError:  # no such command
        return False
    return ran.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
