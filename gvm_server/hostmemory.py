"""How much memory this machine, or this container, still has to give, and giving ours back."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from gvm_client import macos_api, platform, windows_api

ARENAS_VARIABLE = "MALLOC_ARENA_MAX"  # glibc's own
_M_ARENA_MAX = -8  # malloc.h

_MEMINFO = Path("/proc/meminfo")
_CONTROL_GROUP = Path("/sys/fs/cgroup")  # Linux control groups, version 2

_AVAILABLE = re.compile(r"^MemAvailable:\s+(\d+) kB$", re.MULTILINE)


def available_bytes(meminfo: Path = _MEMINFO, group: Path = _CONTROL_GROUP) -> int:
    """Return the bytes that a program can still have without swapping.

    Files that the system keeps in memory count as available: free memory, which leaves them out,
    is little on any machine that has run for a day. A container's limit counts too.
    """
    try:
        found = _AVAILABLE.search(meminfo.read_text(encoding="ascii"))
    except (OSError, ValueError):
        found = None
    if found:
        available = int(found[1]) << 10
    elif platform.is_windows():
        available = windows_api.available_bytes()
    elif platform.is_macos():
        available = macos_api.available_bytes()
    else:
        available = _sysconf("SC_AVPHYS_PAGES") or _sysconf("SC_PHYS_PAGES")
    limit, used = (_number(group / name) for name in ("memory.max", "memory.current"))
    if limit is not None and used is not None:
        available = min(available, max(limit - used, 0))
    return available


def resident_bytes() -> int:
    """Return this process's resident memory; 0 where the system does not say."""
    if platform.is_windows():
        return windows_api.resident_bytes()
    if platform.is_macos():
        return macos_api.resident_bytes()
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def use_one_arena(environment: Mapping[str, str] = os.environ) -> None:
    """Have all threads allocate from one place; to be called before there are any.

    glibc gives each thread an arena, and what one frees between what lives helps no other: after
    the work of fifty clients a server held a tenth more. `MALLOC_ARENA_MAX` wins where it is set.
    """
    if ARENAS_VARIABLE not in environment and (mallopt := _of_the_c_library("mallopt")):
        mallopt(_M_ARENA_MAX, 1)


def give_back() -> None:
    """Give the system the memory that was freed and that the C library keeps for later.

    glibc keeps it between what still lives: a third of what a server held after the work of many
    clients. Elsewhere nothing is done.
    """
    if trim := _of_the_c_library("malloc_trim"):
        trim(0)


def _of_the_c_library(name: str) -> Callable[..., int] | None:
    """Return a function that glibc has, and other C libraries may not."""
    return getattr(ctypes.CDLL(None), name, None) if platform.is_linux() else None


def _sysconf(name: str) -> int:
    try:
        return os.sysconf(name) * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 0


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # no such control, or "max"
