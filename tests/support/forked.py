"""The `gvm` command in a process that starts with its modules loaded.

Most of a short command is the start of an interpreter and its imports, and the tests run over a
thousand of them. Here a server process (multiprocessing's forkserver) imports once and forks for
each command: a process of its own, with its own environment, folder and streams. `Site.start` runs
the interpreter anew, for tests of what a process is from its first moment.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext
from multiprocessing.forkserver import ensure_running
from pathlib import Path

import gvm_server
from gvm_server.telemetry import refuse_telemetry
from tests.support.processes import of_no_test

_PRELOADED = (
    "tests.support.forked",
    "gvm_server.cli.main",
    "gvm_server.cli.matte.command",
    "gvm_server.cli.matte.deliverables",
    "gvm_server.cli.matte.dry_run",
    "gvm_server.cli.cache",
    "gvm_server.cli.review.parts",
    "gvm_server.cli.studio",
    "gvm_server.service.server",
    "tests.support.frozen",
)
# An interpreter reads these once, at its start.
READ_AT_START = ("PYTHON", "LANG", "LC_", "LD_")


def can_fork(environment: Mapping[str, str]) -> bool:
    """Return whether a forked process can stand for one with these variables set."""
    return not any(name.startswith(READ_AT_START) for name in environment)


def context() -> ForkServerContext:
    """Return what makes processes that start with the modules loaded."""
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload(list(_PRELOADED))
    with of_no_test():
        ensure_running()
    return forking


def run(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, timeout: float
) -> tuple[int, str, str]:
    """Run `gvm` with `words`; return its exit status, standard output and standard error.

    Raises TimeoutError where it takes longer than `timeout` seconds; it is killed.
    """
    forking = context()
    with tempfile.TemporaryDirectory(prefix="gvm-streams-") as streams:
        paths = [Path(streams, name) for name in ("stdout", "stderr")]
        process = forking.Process(
            target=_command,
            args=([os.fspath(word) for word in words], dict(environment), folder, *paths),
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"gvm {' '.join(words)} took longer than {timeout:g} s")
        stdout, stderr = (path.read_text() for path in paths)
        return process.exitcode, stdout, stderr


def _command(
    words: list[str], environment: dict[str, str], folder: Path, stdout: Path, stderr: Path
) -> None:
    for path, stream in ((stdout, 1), (stderr, 2)):
        written = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(written, stream)
        os.close(written)
    be_gvm(words, environment, folder)


def be_gvm(words: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
    """Be the `gvm` command in this process, with these variables and in this folder."""
    os.environ.clear()
    os.environ.update(environment)
    refuse_telemetry()  # as the package does where it is imported
    os.chdir(folder)
    sys.argv = [str(Path(gvm_server.__file__).with_name("__main__.py")), *words]
    runpy.run_module("gvm_server", run_name="__main__")
