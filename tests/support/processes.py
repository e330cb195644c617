"""No process outlives its test."""

from __future__ import annotations

import os
from contextlib import suppress
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


def _runtime_of(process: psutil.Process) -> str | None:
    return process.environ().get("GVM_RUNTIME_DIR")
