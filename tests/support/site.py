"""One user's machine: the real command line and the real server, in folders of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from gvm_client.connection import read_connection
from gvm_client.errors import ServerNotRunning
from gvm_client.process import is_alive
from tests.support import forked
from tests.support.processes import kill_all_of

# Small windows and frames: the tests are about conduct, not about pixels' beauty.
SMALL = ("--engine", "test", "--size", "32", "--frames-per-window", "6", "--overlap", "2")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a `gvm` command did."""

    code: int
    events: list[dict[str, Any]]
    stdout: str
    stderr: str

    @property
    def done(self) -> dict[str, Any]:
        """The `done` event."""
        assert self.code == 0, self.stderr
        (done,) = [event for event in self.events if event["type"] == "done"]
        return done


@dataclass(kw_only=True)
class Site:
    """One user's machine: run-time folder, cache, plates and mattes."""

    folder: Path
    runtime: Path
    environment: dict[str, str] = field(default_factory=dict)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a `gvm` command."""
        return subprocess.Popen(
            [sys.executable, "-m", "gvm_server", *words],
            env={**os.environ, **self.environment},
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def gvm(self, *words: str, timeout: float = 120) -> Ran:
        """Run a `gvm` command to its end."""
        if forked.can_fork(self.environment):
            environment = {**os.environ, **self.environment}
            try:
                code, stdout, stderr = forked.run(words, environment, self.folder, timeout)
            except TimeoutError as late:
                raise TimeoutError(f"{late}\n{self.stacks()}") from None
        else:
            process = self.start(*words)
            stdout, stderr = process.communicate(timeout=timeout)
            code = process.returncode
        return Ran(
            code=code,
            events=[json.loads(line) for line in stdout.splitlines() if line.startswith('{"type"')],
            stdout=stdout,
            stderr=stderr,
        )

    def matte(self, plate: str, out: str | Path, *words: str, timeout: float = 120) -> Ran:
        """Matte with the test engine and small windows."""
        return self.gvm("matte", plate, "-o", str(out), *SMALL, "--json", *words, timeout=timeout)

    def server(self) -> psutil.Process | None:
        """Return the running server's process."""
        try:
            return psutil.Process(read_connection(self.runtime).pid)
        except ServerNotRunning:
            return None

    def kill_server(self) -> None:
        """Kill the server, if one runs, and wait until it is dead."""
        server = self.server()
        if server is None:
            return
        server.send_signal(signal.SIGKILL)
        # Its parent has gone, and whoever inherited it may take seconds to bury it.
        while is_alive(server.pid, 0):
            time.sleep(0.01)

    def stacks(self) -> str:
        """End the server as a crash does; return its log, which says where each thread was."""
        server = self.server()
        if server is None:
            return "No server runs."
        log = Path(read_connection(self.runtime).log)
        server.send_signal(signal.SIGABRT)
        while is_alive(server.pid, 0):
            time.sleep(0.01)
        return log.read_text()

    def windows_denoised(self) -> list[str]:
        """Return a line for each window that the test engine has denoised, in any server."""
        log = Path(self.environment["GVM_TEST_ENGINE_LOG"])
        return log.read_text().splitlines() if log.exists() else []


@contextmanager
def machine(folder: Path) -> Iterator[Site]:
    """Give a machine of its own below a folder; its server ends with the block."""
    runtime = Path(tempfile.mkdtemp(prefix="gvm-"))  # sockets want short paths
    site = Site(
        folder=folder,
        runtime=runtime,
        environment={
            "GVM_RUNTIME_DIR": str(runtime),
            "GVM_CACHE_DIR": str(folder / "cache"),
            "GVM_TEST_ENGINE_LOG": str(folder / "windows.log"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        },
    )
    try:
        yield site
    finally:
        site.kill_server()
        kill_all_of(runtime)
        shutil.rmtree(runtime, ignore_errors=True)


@contextmanager
def machine_for_hosts(folder: Path) -> Iterator[Site]:
    """Give such a machine, whose hosts may start this Python's server."""
    with machine(folder) as site:
        site.environment["GVM_SERVER"] = forked.command()
        yield site
