"""Whether a process still lives, and what it is, without asking it."""

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
    """Return whether the process of this number and start time (0: unknown) still lives."""
    if sys.platform == "win32":
        return _runs_on_windows(pid)
    if not Path("/proc/self/stat").exists():
        return _takes_signals(pid)
    fields = _status_fields(pid)
    if not fields or fields[0] in _ENDED:
        return False
    return started in (0, int(fields[_START_TIME]))


def command_line(pid: int) -> list[str]:
    """Return the words that a process was started with; none where they cannot be told."""
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(word) for word in text.split(b"\0")[:-1]]


def _status_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may itself hold spaces."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _runs_on_windows(pid: int) -> bool:
    """Ask the kernel: a signal, even 0, would end the process there (os.kill, Python's manual)."""
    import ctypes  # noqa: PLC0415 - only Windows needs it

    query_limited_information, still_active = 0x1000, 259  # winnt.h, minwinbase.h
    kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
    handle = kernel.OpenProcess(query_limited_information, False, pid)
    if not handle:
        return False
    code = ctypes.c_ulong()
    kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return code.value == still_active


def _takes_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
