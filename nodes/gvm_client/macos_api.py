"""What macOS is asked for: a process's start and memory, and the memory that is left.

Never run on macOS: written by libproc.h and mach/host_info.h, and tested by a fake of the library.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from ctypes import Structure, c_char, c_uint32, c_uint64
from typing import Any

_TASK, _TIMES = 4, 3  # PROC_PIDTASKINFO, PROC_PIDTBSDINFO
_ZOMBIE = 5  # SZOMB of sys/proc.h
_VM_INFO_64, _VM_WORDS = 4, 38  # HOST_VM_INFO64 and its length, of mach/host_info.h


class ProcessTimes(Structure):
    """proc_bsdinfo of sys/proc_info.h."""

    _fields_ = (
        ("flags", c_uint32),
        ("status", c_uint32),
        ("before", c_uint32 * 10),
        ("command", c_char * 16),
        ("name", c_char * 32),
        ("after", c_uint32 * 6),
        ("start_seconds", c_uint64),
        ("start_microseconds", c_uint64),
    )


class TaskInfo(Structure):
    """The beginning of proc_taskinfo; the rest is not looked at."""

    _fields_ = (("virtual", c_uint64), ("resident", c_uint64), ("rest", c_uint64 * 10))


def library() -> Any:  # noqa: ANN401 - ctypes has no types for it
    """Return the C library."""
    return ctypes.CDLL(None)


def start_time(pid: int) -> int:
    """Return when a process started, in microseconds since 1970; 0 where it cannot be told."""
    times = _times(pid)
    if times is None:
        return 0
    return int(times.start_seconds) * 1_000_000 + int(times.start_microseconds)


def is_alive(pid: int, started: int) -> bool | None:
    """Return whether the process of this start time (0: unknown) lives; None where nothing is told.

    Of another user's process nothing is.
    """
    times = _times(pid)
    if times is None:
        return None
    return times.status != _ZOMBIE and started in (0, start_time(pid))


def resident_bytes() -> int:
    """Return this process's resident memory; 0 where the system does not say."""
    info = TaskInfo()
    size = ctypes.sizeof(info)
    got = library().proc_pidinfo(os.getpid(), _TASK, c_uint64(0), ctypes.byref(info), size)
    return int(info.resident) if got == size else 0


def available_bytes() -> int:
    """Return the bytes that are free or can be at once; 0 where the system does not say.

    What no program has used of late counts, as in `psutil`.
    """
    words = (c_uint32 * _VM_WORDS)()
    count = c_uint32(_VM_WORDS)
    c = library()
    if c.host_statistics64(c.mach_host_self(), _VM_INFO_64, words, ctypes.byref(count)) != 0:
        return 0
    free, inactive = int(words[0]), int(words[2])  # vm_statistics64 of mach/vm_statistics.h
    return (free + inactive) * mmap.PAGESIZE


def _times(pid: int) -> ProcessTimes | None:
    times = ProcessTimes()
    size = ctypes.sizeof(times)
    got = library().proc_pidinfo(pid, _TIMES, c_uint64(0), ctypes.byref(times), size)
    return times if got == size else None
