# ruff: noqa: N802, FBT001 - names of Windows' own functions
"""Windows' answers, by a fake of its libraries: who lives, who may reach a file, what is left."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gvm_client import platform, process, windows_api
from gvm_client.errors import ErrorCode, ServerError
from gvm_client.folders import private_dir
from gvm_client.pixels import sweep

ME, STRANGER = "S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1002"
SYSTEM, ADMINISTRATORS, EVERYONE = "S-1-5-18", "S-1-5-32-544", "S-1-1-0"
HANDLES = 1000


class FakeKernel:
    """kernel32 with processes: number -> start time, 0 for one that has ended."""

    def __init__(self) -> None:
        self.processes: dict[int, int] = {}
        self.foreign: set[int] = set()
        self.error = 0
        self.open: list[int] = []

    def OpenProcess(self, rights: int, inherit: bool, pid: int) -> int | None:
        """Windows' own."""
        assert rights == 0x101000  # no right to end it
        del inherit
        if pid in self.foreign or pid not in self.processes:
            self.error = 5 if pid in self.foreign else 87
            return None
        self.open.append(HANDLES + pid)
        return HANDLES + pid

    def CloseHandle(self, handle: Any) -> int:
        """Windows' own."""
        self.open.remove(handle.value)
        return 1

    def WaitForSingleObject(self, handle: Any, milliseconds: int) -> int:
        """Windows' own."""
        assert milliseconds == 0
        return 258 if self.processes[handle.value - HANDLES] else 0

    def GetProcessTimes(self, handle: Any, made: Any, *_: Any) -> int:
        """Windows' own."""
        made._obj.value = self.processes[handle.value - HANDLES]
        return 1

    def GetCurrentProcess(self) -> int:
        """Windows' own."""
        return 2**64 - 1

    def GlobalMemoryStatusEx(self, status: Any) -> int:
        """Windows' own."""
        assert status._obj.length == 64
        status._obj.available = 7 << 30
        return 1

    def K32GetProcessMemoryInfo(self, handle: Any, counters: Any, size: int) -> int:
        """Windows' own."""
        del handle
        assert size == ctypes.sizeof(windows_api.MemoryCounters) == 72
        counters._obj.resident = 5 << 20
        return 1


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeKernel]:
    """A Windows whose libraries are fakes; nothing may be sent to any process."""
    fake = FakeKernel()

    def send(pid: int, number: int) -> None:
        pytest.fail(f"signal {number} would end process {pid} on Windows")

    monkeypatch.setattr(platform, "SYSTEM", "win32")
    monkeypatch.setattr(windows_api, "library", lambda name: {"kernel32": fake}[name])
    monkeypatch.setattr(windows_api, "last_error", lambda: fake.error)
    monkeypatch.setattr(os, "kill", send)
    yield fake
    assert fake.open == []


def test_a_number_that_is_used_again_is_another_process(kernel: FakeKernel):
    """By its start time, 100 ns since 1601, the same number as the plug-in's."""
    kernel.processes = {41: 133_500_000_000_000_001, 42: 0}
    assert process.start_ticks(41) == 133_500_000_000_000_001
    assert process.start_ticks(99) == 0
    assert process.is_alive(41, 133_500_000_000_000_001)
    assert process.is_alive(41, 0)
    assert not process.is_alive(41, 133_500_000_000_000_002)
    assert not process.is_alive(42, 0)
    assert not process.is_alive(99, 0)


def test_another_users_process_lives(kernel: FakeKernel):
    """Access denied is no death."""
    kernel.foreign = {7}
    assert process.is_alive(7, 0)


def test_a_sweep_deletes_what_the_dead_have_left_and_signals_nobody(
    kernel: FakeKernel, tmp_path: Path
):
    """Even signal 0 would end a foreign process there."""
    kernel.processes = {41: 1}
    for name in ("41-lives", "42-dead"):
        (tmp_path / name).write_bytes(b"x")
    assert sweep(tmp_path) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["41-lives"]


def test_memory_is_said(kernel: FakeKernel):
    """`--preset auto` and the status ask for it."""
    del kernel
    assert windows_api.available_bytes() == 7 << 30
    assert windows_api.resident_bytes() == 5 << 20


@pytest.mark.parametrize(
    ("owner", "allowed", "says"),
    [
        (ME, [ME], ""),
        (ME, [ME, SYSTEM, ADMINISTRATORS, "S-1-3-4"], ""),
        (ADMINISTRATORS, [ME], ""),  # who makes a file as an administrator
        (STRANGER, [ME], f"belongs to {STRANGER}"),
        (ME, [ME, EVERYONE], f"is open to other users \\({EVERYONE}\\)"),
        (ME, [ME, STRANGER], "is open to other users"),
        (ME, ["Everyone"], "is open to other users"),  # no list at all
    ],
)
def test_a_run_time_folder_is_the_users_alone(
    kernel: FakeKernel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: str,
    allowed: list[str],
    says: str,
):
    """By its owner and its access list, before anything in it is trusted."""
    del kernel
    monkeypatch.setattr(windows_api, "user_sid", lambda: ME)
    monkeypatch.setattr(windows_api, "who_may_reach", lambda _: (owner, allowed))
    monkeypatch.setattr(windows_api, "make_private_folder", lambda path: path.mkdir(exist_ok=True))
    if not says:
        assert private_dir(tmp_path / "run").is_dir()
        return
    with pytest.raises(ServerError, match=says) as refused:
        private_dir(tmp_path / "run")
    assert refused.value.code is ErrorCode.RUNTIME_UNSAFE
    assert "icacls" in str(refused.value.remedy) or "GVM_RUNTIME_DIR" in str(refused.value.remedy)


def test_a_disk_without_access_lists_is_refused(
    kernel: FakeKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """FAT has none: everybody would read the keys."""
    del kernel
    monkeypatch.setattr(windows_api, "user_sid", lambda: ME)
    monkeypatch.setattr(windows_api, "make_private_folder", lambda path: path.mkdir(exist_ok=True))

    def fails(_: Path) -> tuple[str, list[str]]:
        raise OSError(50, "not supported")

    monkeypatch.setattr(windows_api, "who_may_reach", fails)
    with pytest.raises(ServerError, match="does not say who may reach it"):
        private_dir(tmp_path / "run")
