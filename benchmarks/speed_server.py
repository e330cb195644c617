"""A server of a tree for one measurement, and what its commands take."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.baseline import environment_of
from gvm_client.connection import CONNECTION_NAME
from tests.support.processes import kill_all_of
from tests.support.site import Site

_CALL = re.compile(r"^\d+ +(\w+)\(")
_CALLS = "stat,lstat,newfstatat,statx,open,openat,fsync,fdatasync"
_ATTACH_SECONDS = 1.0


# Run in either tree: a host that turns a knob on one frame, again and again.
_TURNING = """
import statistics, sys, time, uuid
from gvm_client.client import Client
from gvm_client.protocol.messages import EngineName, FilePlate, FrameReady, MappedOutput, Matte
from gvm_client.settings import MatteKnobs, Priority

took = []
with Client() as client:
    for turn in range(int(sys.argv[2])):
        asked = Matte(
            job=uuid.uuid4().hex,
            plate=FilePlate(path=sys.argv[1]),
            output=MappedOutput(),
            frames="1",
            knobs=MatteKnobs(gamma=1.1 + turn / 100),
            engine=EngineName.PREVIEW,
            priority=Priority.INTERACTIVE,
        )
        begun, ready = time.perf_counter(), None
        for event in client.matte(asked):
            if isinstance(event, FrameReady):
                ready = time.perf_counter() - begun
        took.append(ready)
print(statistics.median(took))
"""


@dataclass(frozen=True, kw_only=True)
class Took:
    """What a command took.

    Attributes:
        wall: seconds of the whole command.
        seconds: of the job, as the server says.
        cpu: seconds of the server.
        bytes_read: by the server.
    """

    wall: float
    seconds: float
    cpu: float
    bytes_read: int


class Server:
    """A server of one tree, which its first command starts."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def matte(self, plate: str, out: str, *words: str) -> Took:
        """Matte with the preview engine into a folder of this name."""
        cpu, read = self._cpu(), self._read()
        start = time.perf_counter()
        ran = self._site.gvm(
            *("matte", plate, "-o", out, "--engine", "preview", "--json", *words), timeout=900
        )
        wall = time.perf_counter() - start
        return Took(
            wall=wall,
            seconds=ran.done["seconds"],
            cpu=self._cpu() - cpu,
            bytes_read=self._read() - read,
        )

    def look_at(self, plate: str, out: str) -> float:
        """Return the server's seconds of CPU until it has looked at a whole clip and begins."""
        before = self._cpu()
        words = "matte", plate, "-o", out, "--engine", "preview", "--json"
        with self._site.start(*words) as client:
            assert client.stdout is not None
            begun = any('"accepted"' in line for line in client.stdout)
            took = self._cpu() - before
            client.kill()
        if not begun:
            raise RuntimeError(f"The server did not begin with {plate}.")
        return took

    def turn_knobs(self, plate: str, times: int) -> float:
        """Return the median seconds from a turned knob to the pixels of a clip's first frame."""
        words = [sys.executable, "-c", _TURNING, plate, str(times)]
        environment = {**os.environ, **self._site.environment}
        ran = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
        return float(ran.stdout)

    def count_calls(self, plate: str, out: str) -> Counter[str]:
        """Return how often the server calls what looks at files while it mattes a plate."""
        server = self._process()
        assert server is not None
        with tempfile.NamedTemporaryFile("r") as log:
            words = ["strace", "-f", "-qq", "-e", f"trace={_CALLS}", "-o", log.name]
            with subprocess.Popen([*words, "-p", str(server.pid)]) as tracer:
                time.sleep(_ATTACH_SECONDS)
                self.matte(plate, out)
                tracer.terminate()
                tracer.wait()
            return Counter(match[1] for line in log if (match := _CALL.match(line)))

    @property
    def peak_bytes(self) -> int:
        """The most memory that it held at a time."""
        server = self._process()
        status = Path(f"/proc/{server.pid}/status").read_text() if server else ""
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) << 10 if found else 0

    def _process(self) -> psutil.Process | None:
        try:  # of another release, too
            said = json.loads((self._site.runtime / CONNECTION_NAME).read_text())
        except FileNotFoundError:
            return None
        return psutil.Process(said["pid"])

    def _cpu(self) -> float:
        server = self._process()
        if server is None:
            return 0.0
        times = server.cpu_times()
        return float(times.user + times.system)

    def _read(self) -> int:
        server = self._process()
        return int(server.io_counters().read_chars) if server else 0


@contextmanager
def running(tree: Path, variables: Mapping[str, str]) -> Iterator[Server]:
    """Lend a tree's server, on a machine of its own; it ends with the block."""
    with tempfile.TemporaryDirectory(prefix="gvm-") as folder:
        runtime = Path(folder, "run")
        site = Site(
            folder=Path(folder),
            runtime=runtime,
            environment={
                **environment_of(tree),
                **variables,
                "GVM_RUNTIME_DIR": str(runtime),
                "GVM_CACHE_DIR": str(Path(folder, "cache")),
                "XDG_CONFIG_HOME": str(Path(folder, "config")),
            },
        )
        try:
            yield Server(site)
        finally:
            site.gvm("stop", "--yes")
            kill_all_of(runtime)


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Keep so many cores busy."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()
