"""macOS' answers, by a fake of its C library."""

from __future__ import annotations

import ctypes
import os
from typing import Any

import pytest

from gvm_client import macos_api, platform, process


class FakeLibrary:
    """proc_pidinfo and host_statistics64, with processes: number -> (status, seconds, micros)."""

    def __init__(self) -> None:
        self.processes = {41: (2, 1_700_000_000, 250_000), 42: (5, 1_700_000_000, 0)}

    def proc_pidinfo(self, pid: int, flavour: int, argument: Any, info: Any, size: int) -> int:
        """libproc.h."""
        assert argument.value == 0
        if flavour == 4:
            assert pid == os.getpid()
            info._obj.resident = 3 << 20
            return size
        assert (flavour, size) == (3, 136)  # sizeof proc_bsdinfo
        if pid not in self.processes:
            return 0
        seconds, micros = self.processes[pid][1:]
        info._obj.status = self.processes[pid][0]
        info._obj.start_seconds, info._obj.start_microseconds = seconds, micros
        return size

    def mach_host_self(self) -> int:
        """mach_init.h."""
        return 1

    def host_statistics64(self, host: int, flavour: int, words: Any, count: Any) -> int:
        """mach_host.h."""
        assert (host, flavour, count._obj.value) == (1, 4, 38)
        words[0], words[1], words[2] = 1000, 9, 500
        return 0


@pytest.fixture(autouse=True)
def mac(monkeypatch: pytest.MonkeyPatch) -> FakeLibrary:
    """A macOS whose C library is a fake."""
    fake = FakeLibrary()
    monkeypatch.setattr(platform, "SYSTEM", "darwin")
    monkeypatch.setattr(macos_api, "library", lambda: fake)
    return fake


def test_a_number_that_is_used_again_is_another_process():
    """By its start time, microseconds since 1970, the same number as the plug-in's."""
    started = 1_700_000_000_250_000
    assert process.start_ticks(41) == started
    assert process.is_alive(41, started)
    assert process.is_alive(41, 0)
    assert not process.is_alive(41, started + 1)
    assert not process.is_alive(42, 0)  # a zombie


def test_another_users_process_is_asked_for_by_a_signal_that_is_none():
    """proc_pidinfo says nothing of it; signal 0 sends nothing there."""
    assert process.is_alive(os.getpid(), 1)
    assert not process.is_alive(2**22 + 1, 0)


def test_memory_is_said():
    """What is free, and what no program has used of late."""
    assert macos_api.available_bytes() == 1500 * os.sysconf("SC_PAGE_SIZE")
    assert macos_api.resident_bytes() == 3 << 20
    assert ctypes.sizeof(macos_api.TaskInfo) == 96
