"""Processes: whether one still lives, and how one of ours ends (exit codes, signals).

The exit codes are what a script, a farm or a render queue may rely on, of commands and hosts alike.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from gvm_client import macos_api, platform, windows_api
from gvm_client.errors import ErrorCode, GvmError

_ENDED = ("Z", "X")  # zombie and dead, proc(5)
_START_TIME = 19  # index after the closing bracket of the name: field 22 of proc(5)


def start_ticks(pid: int) -> int:
    """Return when a process started, as its system counts; 0 where it cannot be told.

    A process number is used again after its owner's death; with its start time it is unique. Linux
    counts clock ticks since boot, Windows 100 ns since 1601, macOS microseconds since 1970: as the
    OpenFX plug-in's `bridge/platform.hpp`.
    """
    if platform.is_windows():
        return windows_api.start_time(pid)
    if platform.is_macos():
        return macos_api.start_time(pid)
    fields = _status_fields(pid)
    return int(fields[_START_TIME]) if fields else 0


def is_alive(pid: int, started: int) -> bool:
    """Return whether the process of this number and start time (0: unknown) still lives."""
    if platform.is_windows():
        return windows_api.is_alive(pid, started)
    if platform.is_macos():
        lives = macos_api.is_alive(pid, started)
        return _takes_signals(pid) if lives is None else lives
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


def _takes_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


class Exit(IntEnum):
    """How the command line ends."""

    DONE = 0
    CHECK_FAILED = 1
    """All is made, and a check that was asked for fails: --strict-roi, or a limit of `gvm qc`."""
    USAGE = 2
    INPUT = 3
    SERVER = 4
    OUTPUT = 5
    CANCELLED = 130
    READER_GONE = 141
    """Whoever read the output left: 128 and the number of SIGPIPE, as shells say it."""


_EXITS: Mapping[ErrorCode, Exit] = MappingProxyType(
    {
        ErrorCode.BAD_REQUEST: Exit.USAGE,
        ErrorCode.PLATE_MISSING: Exit.INPUT,
        ErrorCode.PLATE_UNREADABLE: Exit.INPUT,
        ErrorCode.PLATE_AMBIGUOUS: Exit.INPUT,
        ErrorCode.PLATE_MISMATCH: Exit.INPUT,
        ErrorCode.PLATE_NOT_FINITE: Exit.INPUT,
        ErrorCode.RANGE_OUTSIDE: Exit.INPUT,
        ErrorCode.COLOURSPACE_UNKNOWN: Exit.INPUT,
        ErrorCode.PATH_REFUSED: Exit.INPUT,
        ErrorCode.UNKNOWN_JOB: Exit.INPUT,
        ErrorCode.OUTPUT_UNWRITABLE: Exit.OUTPUT,
        ErrorCode.OUTPUT_IN_USE: Exit.OUTPUT,
        ErrorCode.OUTPUT_NOT_OURS: Exit.OUTPUT,
        ErrorCode.DISK_FULL: Exit.OUTPUT,
        ErrorCode.CANCELLED: Exit.CANCELLED,
    }
)


def exit_for(error: GvmError) -> Exit:
    """Return the exit code of an error; what has no other is the server's trouble."""
    return _EXITS.get(error.code, Exit.SERVER)


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM, which a farm sends, end what is within as Ctrl-C does, with the server's job.

    On Windows a farm sends CTRL_BREAK, and SIGBREAK comes. On the main thread only; afterwards the
    signals do what they did before.
    """
    before = {
        number: signal.signal(number, signal.default_int_handler)
        for number in platform.end_signals()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave(code: int) -> NoReturn:
    """End the process at once with its exit code, what was said being said.

    A host's own module may crash, and lose the code, while Python puts things away.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a pipe that nobody reads any more
            stream.flush()
    os._exit(code)
