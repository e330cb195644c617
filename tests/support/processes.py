"""No process outlives its test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


def kill_all_of(runtime: Path) -> None:
    """Kill every process that was started for a run-time folder.

    Of two servers that start at once, the later one may find the first one's lock free again when
    the test has ended, and would serve nobody.
    """
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and _runtime_of(process) == str(runtime):
                process.kill()


@contextmanager
def of_no_test() -> Iterator[None]:
    """Start here what serves all tests: it would be killed with the one that comes first."""
    runtime = os.environ.pop("GVM_RUNTIME_DIR", None)
    try:
        yield
    finally:
        if runtime is not None:
            os.environ["GVM_RUNTIME_DIR"] = runtime


def _runtime_of(process: psutil.Process) -> str | None:
    return process.environ().get("GVM_RUNTIME_DIR")
