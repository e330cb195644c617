"""Whether a process still lives, without asking it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ENDED = ("Z", "X")  # zombie and dead, proc(5)
_START_TIME = 19  # index after the closing bracket of the name: field 22 of proc(5)


def start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 where it cannot be told.

    A process number is used again after its owner's death; with its start time it is unique.
    """
    fields = _status_fields(pid)
    return int(fields[_START_TIME]) if fields else 0


def is_alive(pid: int, started: int) -> bool:
    """Return whether the process of this number and start time (0: unknown) still lives.

    Where only an answer can tell (Windows), it is taken to live.
    """
    if sys.platform == "win32":
        return True
    if not Path("/proc/self/stat").exists():
        return _takes_signals(pid)
    fields = _status_fields(pid)
    if not fields or fields[0] in _ENDED:
        return False
    return started in (0, int(fields[_START_TIME]))


def _status_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may itself hold spaces."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _takes_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
