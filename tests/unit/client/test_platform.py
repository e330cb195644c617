"""What is done otherwise on Windows and macOS, by the module's own choice of a system."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import ClassVar

import pytest

from gvm_client import platform
from gvm_client.folders import runtime_path

SYSTEMS = ("linux", "darwin", "win32")
System = Callable[[str], None]


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    """Choose the system that the module believes in."""

    def choose(name: str) -> None:
        monkeypatch.setattr(platform, "SYSTEM", name)

    return choose


def test_a_server_on_windows_has_no_console_and_no_ctrl_c_of_ours(system: System):
    """DETACHED_PROCESS (8) would make a virtual environment's Python open a console."""
    system("win32")
    flags = platform.start_flags()
    assert flags == {"start_new_session": False, "creationflags": 0x08000200}
    assert platform.start_flags(alone=False)["creationflags"] == 0x08000000
    for name in ("linux", "darwin"):
        system(name)
        assert platform.start_flags() == {"start_new_session": True, "creationflags": 0}


def test_a_farm_ends_a_task_on_windows_by_ctrl_break(
    system: System, monkeypatch: pytest.MonkeyPatch
):
    """SIGTERM never comes there; Python's name for CTRL_BREAK is SIGBREAK."""
    system("linux")
    assert platform.end_signals() == (signal.SIGTERM,)

    class Signals:
        __members__: ClassVar = {"SIGTERM": 15, "SIGBREAK": 21}

        def __class_getitem__(cls, name: str) -> int:
            return cls.__members__[name]

    monkeypatch.setattr(signal, "Signals", Signals)
    system("win32")
    assert platform.end_signals() == (15, 21)


SERVE = ["-m", "gvm_server", "serve"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (r"C:\venv\python.exe -m gvm_server serve", [r"C:\venv\python.exe", *SERVE]),
        (r'"C:\Program Files\gvm\py.exe" -m x', [r"C:\Program Files\gvm\py.exe", "-m", "x"]),
        (r'"\\server\share\my venv\py.exe" #1', [r"\\server\share\my venv\py.exe", "#1"]),
    ],
)
def test_a_backslash_in_a_command_of_windows_is_a_folder(
    system: System, line: str, words: list[str]
):
    """By a POSIX shell's rules it would be lost."""
    system("win32")
    assert platform.split_command(line) == words
    assert platform.split_command(platform.join_command(words)) == words


def test_a_file_that_is_read_is_replaced_when_its_reader_is_done(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Windows refuses to rename over an open file, and to delete it; reading takes a moment."""
    new, old = tmp_path / "new", tmp_path / "old"
    new.write_text("new")
    old.write_text("old")
    free_at = time.monotonic() + 0.1
    replace, unlink = Path.replace, Path.unlink

    def shared(method: Callable[..., object]) -> Callable[..., object]:
        def act(*words: object, **more: object) -> object:
            if time.monotonic() < free_at:
                raise PermissionError(13, "sharing violation")
            return method(*words, **more)

        return act

    monkeypatch.setattr(Path, "replace", shared(replace))
    monkeypatch.setattr(Path, "unlink", shared(unlink))
    system("linux")
    with pytest.raises(PermissionError):
        platform.replace_file(new, old)
    system("win32")
    platform.replace_file(new, old)
    assert old.read_text() == "new"
    platform.remove_file(old)
    platform.remove_file(old)
    assert not old.exists()


def test_a_reader_that_stays_is_an_error_in_the_end(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Nothing waits for ever."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "sharing violation")

    monkeypatch.setattr(Path, "unlink", refuse)
    monkeypatch.setattr(platform, "RETRY_SECONDS", 0.05)
    system("win32")
    with pytest.raises(PermissionError, match="sharing violation"):
        platform.remove_file(tmp_path / "alpha.exr")


def test_the_run_time_folder_of_macos_is_none_that_is_cleared(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its temporary folder loses what nobody has used for days; a socket's path stays short."""
    for name in ("GVM_RUNTIME_DIR", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/Users/ann")
    system("darwin")
    assert runtime_path() == Path("/Users/ann/Library/Caches/gvm-run")
    assert platform.max_socket_path() == 103
    assert platform.runtime_folder(tmp_path, None).parent == tmp_path
    system("linux")
    assert runtime_path().name.startswith("gvm-")
    assert platform.max_socket_path() == 107


@pytest.mark.parametrize(
    ("name", "folder", "binaries"),
    [
        ("linux", "/usr/OFX/Plugins", "Linux-x86-64"),
        ("darwin", "/Library/OFX/Plugins", "MacOS"),
        ("win32", r"C:\Program Files\Common Files\OFX\Plugins", "Win64"),
    ],
)
def test_openfx_has_its_places_on_each_system(
    system: System, name: str, folder: str, binaries: str
):
    """OpenFX 1.5, packaging."""
    system(name)
    found = platform.ofx_folder({})
    assert PureWindowsPath(str(found).replace("/", "\\")) == PureWindowsPath(
        folder.replace("/", "\\")
    )
    assert platform.ofx_binaries() == binaries


def test_a_disk_that_ignores_case_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever the system: a share may be of another."""
    folder = tmp_path / "Shots"
    folder.mkdir()
    assert not platform.ignores_case(folder)
    real = Path.samefile

    def samefile(self: Path, other: Path) -> bool:
        return real(Path(str(self).replace("sHOTS", "Shots")), other)

    monkeypatch.setattr(Path, "samefile", samefile)
    assert platform.ignores_case(folder)
    assert platform.same_file(tmp_path / "sHOTS", folder)


def test_every_system_starts_a_process(system: System):
    """The flags of the system that this is are taken by its `subprocess`."""
    ran = subprocess.run(["true"], check=False, **platform.start_flags())
    assert ran.returncode == 0
