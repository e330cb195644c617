"""What Windows is asked for: processes, memory, and who may reach a file.

Never run on Windows: written by the headers that are named, and tested by fakes of the libraries.
The OpenFX plug-in's `platform_windows.cpp` asks the same, and is run under Wine.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import Structure, byref, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from typing import Any

_QUERY, _SYNCHRONIZE = 0x1000, 0x00100000  # winnt.h: PROCESS_QUERY_LIMITED_INFORMATION
_STILL_RUNS = 258  # WAIT_TIMEOUT
_ACCESS_DENIED, _EXISTS = 5, 183  # winerror.h

# Identifiers that reach everything anyway, and the owner's own rights: the system, its
# administrators (MS-DTYP 2.4.2.4).
_TRUSTED = ("S-1-5-18", "S-1-5-32-544")
_OWNER_RIGHTS = "S-1-3-4"
_ALLOWED, _DENIED, _INHERIT_ONLY = 0, 1, 0x8  # ACE types and a flag, winnt.h
_OWNER_AND_LIST = 0x1 | 0x4  # OWNER_SECURITY_INFORMATION, DACL_SECURITY_INFORMATION
_FILE_OBJECT = 1  # SE_FILE_OBJECT
_TOKEN_QUERY, _TOKEN_USER = 0x8, 1


class MemoryStatus(Structure):
    """MEMORYSTATUSEX of sysinfoapi.h."""

    _fields_ = (("length", c_uint32), ("load", c_uint32), ("total", c_uint64),
                ("available", c_uint64), ("others", c_uint64 * 5))  # fmt: skip


class MemoryCounters(Structure):
    """PROCESS_MEMORY_COUNTERS of psapi.h."""

    _fields_ = (("length", c_uint32), ("faults", c_uint32), ("peak", c_size_t),
                ("resident", c_size_t), ("others", c_size_t * 6))  # fmt: skip


class SecurityAttributes(Structure):
    """SECURITY_ATTRIBUTES of minwinbase.h."""

    _fields_ = (("length", c_uint32), ("descriptor", c_void_p), ("inherit", c_uint32))


@cache
def library(name: str) -> Any:  # noqa: ANN401 - ctypes has no types for it
    """Return a library of the system, whose functions keep the error's number."""
    found = ctypes.WinDLL(name, use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    for function in ("OpenProcess", "GetCurrentProcess", "LocalFree"):
        if name == "kernel32":
            getattr(found, function).restype = c_void_p
    return found


def last_error() -> int:
    """Return the number of the last call's error."""
    return int(ctypes.get_last_error())  # type: ignore[attr-defined,unused-ignore]


def start_time(pid: int) -> int:
    """Return when a process was made, in 100 ns since 1601; 0 where it cannot be told."""
    with _process(pid) as process:
        return _made(process) if process else 0


def is_alive(pid: int, started: int) -> bool:
    """Return whether the process of this start time (0: unknown) lives. Nothing is sent to it.

    Not by a signal: even 0 would end the process there (os.kill, Python's manual).
    """
    with _process(pid) as process:
        if not process:
            return last_error() == _ACCESS_DENIED  # another user's
        if library("kernel32").WaitForSingleObject(c_void_p(process), 0) != _STILL_RUNS:
            return False
        return started in (0, _made(process))


def available_bytes() -> int:
    """Return the bytes that a program can still have without swapping; 0 where nothing is said."""
    status = MemoryStatus(length=ctypes.sizeof(MemoryStatus))
    done = library("kernel32").GlobalMemoryStatusEx(byref(status))
    return int(status.available) if done else 0


def resident_bytes() -> int:
    """Return this process's resident memory; 0 where the system does not say."""
    counters = MemoryCounters(length=ctypes.sizeof(MemoryCounters))
    kernel = library("kernel32")
    done = kernel.K32GetProcessMemoryInfo(
        c_void_p(kernel.GetCurrentProcess()), byref(counters), counters.length
    )
    return int(counters.resident) if done else 0


def exposure(path: Path) -> tuple[str, str]:
    """Return why others could reach a file or folder, and the remedy; empty where they cannot.

    Its owner is this user, or the system's administrators, and its access list lets in nobody but
    these. Never run on NTFS.
    """
    try:
        mine = user_sid()
        owner, allowed = who_may_reach(path)
    except OSError as error:
        return (
            f"does not say who may reach it ({error.strerror})",
            "Set GVM_RUNTIME_DIR to a folder of your own on a local NTFS disk.",
        )
    if owner not in (mine, *_TRUSTED):
        return f"belongs to {owner}", "Set GVM_RUNTIME_DIR to a folder of your own."
    strangers = [sid for sid in allowed if sid not in (mine, *_TRUSTED, _OWNER_RIGHTS)]
    if not strangers:
        return "", ""
    grant = '/inheritance:r /grant:r "%USERNAME%:(OI)(CI)F"'
    return (
        f"is open to other users ({', '.join(strangers)})",
        f'If nobody else has used it, close it with `icacls "{path}" {grant}`.',
    )


def make_private_folder(path: Path) -> None:
    """Make a folder that this user alone may reach, and all within it; one that stands is left.

    Raises:
        OSError: it cannot be made.
    """
    descriptor = c_void_p()
    rule = f"D:P(A;OICI;FA;;;{user_sid()})"  # the security descriptor language, sddl.h
    make = library("advapi32").ConvertStringSecurityDescriptorToSecurityDescriptorW
    _require(make(rule, 1, byref(descriptor), None))
    try:
        attributes = SecurityAttributes(
            length=ctypes.sizeof(SecurityAttributes), descriptor=descriptor, inherit=0
        )
        made = library("kernel32").CreateDirectoryW(str(path), byref(attributes))
        if not made and last_error() != _EXISTS:
            raise _error()
    finally:
        library("kernel32").LocalFree(descriptor)


def user_sid() -> str:
    """Return this user's security identifier, as `S-1-5-21-...`.

    Raises:
        OSError: the system does not say.
    """
    advapi, kernel = library("advapi32"), library("kernel32")
    token, size = c_void_p(), c_uint32()
    _require(
        advapi.OpenProcessToken(c_void_p(kernel.GetCurrentProcess()), _TOKEN_QUERY, byref(token))
    )
    try:
        advapi.GetTokenInformation(token, _TOKEN_USER, None, 0, byref(size))
        user = (ctypes.c_byte * size.value)()
        _require(advapi.GetTokenInformation(token, _TOKEN_USER, user, size, byref(size)))
        return _sid_text(c_void_p.from_buffer(user).value)  # TOKEN_USER begins with the pointer
    finally:
        kernel.CloseHandle(token)


def who_may_reach(path: Path) -> tuple[str, list[str]]:
    """Return a file's owner, and whom its access list lets in; without a list that is everybody.

    Raises:
        OSError: the system does not say.
    """
    advapi = library("advapi32")
    owner, entries, descriptor = c_void_p(), c_void_p(), c_void_p()
    number = advapi.GetNamedSecurityInfoW(
        str(path), _FILE_OBJECT, _OWNER_AND_LIST, byref(owner), None, byref(entries), None,
        byref(descriptor),
    )  # fmt: skip
    if number:
        raise _error(number)
    try:
        return _sid_text(owner.value), list(_allowed(entries.value))
    finally:
        library("kernel32").LocalFree(descriptor)


def _allowed(entries: int | None) -> Iterator[str]:
    """Yield whom an access list lets in."""
    if not entries:
        yield "Everyone"
        return
    count = ctypes.c_uint16.from_address(entries + 4).value  # ACL.AceCount
    for index in range(count):
        entry = c_void_p()
        _require(library("advapi32").GetAce(c_void_p(entries), index, byref(entry)))
        at = entry.value or 0
        kind, flags = (ctypes.c_uint8.from_address(at + offset).value for offset in (0, 1))
        if kind == _DENIED or flags & _INHERIT_ONLY:
            continue
        # ACCESS_ALLOWED_ACE: header, mask, identifier; of other kinds nothing is known.
        yield _sid_text(at + 8) if kind == _ALLOWED else f"an entry of kind {kind}"


def _sid_text(sid: int | None) -> str:
    text = ctypes.c_wchar_p()
    _require(library("advapi32").ConvertSidToStringSidW(c_void_p(sid), byref(text)))
    try:
        return str(text.value)
    finally:
        library("kernel32").LocalFree(text)


@contextmanager
def _process(pid: int) -> Iterator[int | None]:
    kernel = library("kernel32")
    process = kernel.OpenProcess(_QUERY | _SYNCHRONIZE, False, pid)
    try:
        yield process
    finally:
        if process:
            kernel.CloseHandle(c_void_p(process))


def _made(process: int) -> int:
    times = [c_int64() for _ in range(4)]  # a FILETIME is one little-endian number
    done = library("kernel32").GetProcessTimes(c_void_p(process), *map(byref, times))
    return times[0].value if done else 0


def _require(done: int) -> None:
    if not done:
        raise _error()


def _error(number: int | None = None) -> OSError:
    number = last_error() if number is None else number
    words = getattr(ctypes, "FormatError", "Windows error {}".format)
    return OSError(number, words(number))
