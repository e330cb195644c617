"""The operating system: the one module that asks which it is, and what is done otherwise there.

`SYSTEM` decides, when a function is called: a test sets it and finds every branch. What Windows and
macOS have to be asked for is in `windows_api` and `macos_api`. tests/unit/test_platforms.py holds
the whole tree to this.
"""

from __future__ import annotations

import os
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

SYSTEM = sys.platform
RETRY_SECONDS = 1.0  # a reader holds a file for the time of a read
_RETRY_PAUSE = 0.01


def is_windows() -> bool:
    """Return whether this is Windows."""
    return SYSTEM == "win32"


def is_macos() -> bool:
    """Return whether this is macOS."""
    return SYSTEM == "darwin"


def is_linux() -> bool:
    """Return whether this is Linux."""
    return SYSTEM.startswith("linux")


# Processes.


class StartFlags(TypedDict):
    """Arguments of `subprocess.Popen` by which a process stands alone."""

    start_new_session: bool
    creationflags: int


def start_flags(*, alone: bool = True) -> StartFlags:
    """Return how a process is started, on Windows without a console window of its own.

    Not by DETACHED_PROCESS: the python.exe of a virtual environment starts the real one, which
    would then open a console (cpython issue 85785).

    Args:
        alone: whether no Ctrl-C of ours and no end of our terminal reaches it, by a session of its
            own, or a process group on Windows, which has no sessions.
    """
    if is_windows():
        create_no_window, create_new_process_group = 0x08000000, 0x00000200  # winbase.h
        flags = create_no_window | (create_new_process_group if alone else 0)
        return StartFlags(start_new_session=False, creationflags=flags)
    return StartFlags(start_new_session=alone, creationflags=0)


def end_signals() -> tuple[signal.Signals, ...]:
    """Return the signals by which a farm or a system asks a program to end, besides Ctrl-C.

    A farm sends CTRL_BREAK on Windows, where SIGTERM never comes from another process.
    """
    names = ("SIGTERM", "SIGBREAK") if is_windows() else ("SIGTERM",)
    return tuple(signal.Signals[name] for name in names if name in signal.Signals.__members__)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that stands alone, and on Linux and macOS what it has started."""
    if sys.platform != "win32":
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def split_command(line: str) -> list[str]:
    """Return the words of a command line, by the rules of a POSIX shell on every system.

    On Windows a backslash escapes nothing: it separates folders, and quotes only group.
    """
    if not is_windows():
        return shlex.split(line)
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = lexer.escape = ""
    return list(lexer)


def join_command(words: Sequence[str]) -> str:
    """Return words as one command line that a shell of this system takes."""
    return subprocess.list2cmdline(words) if is_windows() else shlex.join(words)


# Files.


def replace_file(source: Path, target: Path) -> None:
    """Rename a file over another one.

    Windows refuses it while somebody reads the target: it is tried again for RETRY_SECONDS.

    Raises:
        OSError: it cannot be done.
    """
    _with_patience(lambda: source.replace(target))


def remove_file(path: Path) -> None:
    """Delete a file; a missing one is fine.

    Windows refuses it while somebody reads it: it is tried again for RETRY_SECONDS.

    Raises:
        OSError: it cannot be done.
    """
    _with_patience(lambda: path.unlink(missing_ok=True))


def _with_patience(change: Callable[[], object]) -> None:
    deadline = time.monotonic() + RETRY_SECONDS
    while is_windows() and time.monotonic() < deadline:
        with suppress(PermissionError):  # a sharing violation is one
            change()
            return
        time.sleep(_RETRY_PAUSE)
    change()


def lock_file(descriptor: int) -> None:
    """Take the lock of an open file until it is closed.

    Raises:
        OSError: another process has it.
    """
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows alone has it

        # One byte far behind the text, so that the text stays readable.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        os.lseek(descriptor, 0, os.SEEK_SET)
    else:
        import fcntl  # noqa: PLC0415 - Windows has none

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def is_pipe_broken(error: OSError) -> bool:
    """Return whether a write failed because nobody reads any more; Windows says EINVAL."""
    invalid = 22  # errno.h of every system
    return isinstance(error, BrokenPipeError) or (is_windows() and error.errno == invalid)


def same_file(one: Path, other: Path) -> bool:
    """Return whether two paths lead to one file or folder, on disks that ignore case too."""
    with suppress(OSError):
        return one.samefile(other)
    return one.resolve() == other.resolve()


def ignores_case(folder: Path) -> bool:
    """Return whether a folder that exists is found by its name in other letters too.

    So are those of macOS and Windows, mostly; a network's disk may be otherwise than the system's.
    """
    folder = folder.resolve()
    for part in (folder, *folder.parents):
        swapped = part.with_name(part.name.swapcase()) if part.name else part
        if swapped != part:
            with suppress(OSError):
                return swapped.samefile(part)
            return False
    return False


# Folders.


def max_socket_path() -> int:
    """Return how many bytes a socket's path may have: sun_path of sys/un.h, less its end."""
    return 103 if is_macos() else 107


def has_socket_files() -> bool:
    """Return whether a local socket is a file; on Windows it is a port of the loopback device."""
    return not is_windows()


def user_id() -> int:
    """Return the user's number; 0 on Windows, whose temporary folder is the user's own."""
    if sys.platform == "win32":
        return 0
    return os.geteuid()


def runtime_folder(temporary: Path, home: Path | None) -> Path:
    """Return where the run-time folder is unless a variable names it.

    macOS clears its temporary folder of what nobody has used for some days.

    Args:
        temporary: the system's folder for temporary files.
        home: the user's; None where there is none.
    """
    if is_macos() and home is not None:
        return home / "Library" / "Caches" / "gvm-run"
    return temporary / f"gvm-{user_id()}"


def short_temporary_folder() -> str | None:
    """Return a temporary folder with a short path, for sockets; None is Python's choice."""
    return None if is_windows() else "/tmp"  # noqa: S108 - mkdtemp makes it private


def settings_folder(
    home: Callable[[], Path],
    *,
    linux: str,
    mac: str,
    windows: str,
    environment: Mapping[str, str] = os.environ,
) -> Path:
    """Return the folder that a program keeps its settings in, of this user.

    Args:
        home: gives the user's home folder.
        linux: below it.
        mac: below its Library/Application Support.
        windows: below %APPDATA%.
        environment: of this process.
    """
    if is_macos():
        return home() / "Library" / "Application Support" / mac
    if is_windows():
        roaming = environment.get("APPDATA")
        return (Path(roaming) if roaming else home() / "AppData" / "Roaming") / windows
    return home() / linux


def nuke_temporary_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where Nuke keeps temporary files unless NUKE_TEMP_DIR names a folder."""
    if is_windows():
        return Path(environment.get("LOCALAPPDATA", "")) / "Temp" / "nuke"
    return Path(f"/var/tmp/nuke-u{user_id()}")  # noqa: S108 - Nuke's own place


def natron_cache_folder(home: Callable[[], Path], linux: Path) -> Path:
    """Return the folder of caches that Natron's is in, by Qt's rule.

    Args:
        home: gives the user's home folder.
        linux: the folder of caches there.
    """
    if is_macos():
        return home() / "Library" / "Caches"
    return home() / "AppData" / "Local" if is_windows() else linux


def shared_settings_folders(environment: Mapping[str, str] = os.environ) -> list[Path]:
    """Return the folders in which programs keep what all users share; none on Linux."""
    if is_macos():
        return [Path("/Library/Application Support")]
    if is_windows():
        return [Path(environment.get("PROGRAMDATA", r"C:\ProgramData"))]
    return []


# OpenFX 1.5, packaging.


def ofx_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder in which every OpenFX host looks."""
    if is_macos():
        return Path("/Library/OFX/Plugins")
    if is_windows():
        common = environment.get("COMMONPROGRAMFILES", r"C:\Program Files\Common Files")
        return Path(common) / "OFX" / "Plugins"
    return Path("/usr/OFX/Plugins")


def ofx_binaries() -> str:
    """Return the folder of a bundle's Contents that holds this system's binary."""
    return "MacOS" if is_macos() else "Win64" if is_windows() else "Linux-x86-64"


def ofx_search_separators() -> str:
    """Return what separates the folders of OFX_PLUGIN_PATH: a path of Windows has a colon."""
    return ";" if is_windows() else ":;"


def setting_a_variable(name: str, text: str) -> str:
    """Return the command by which a user sets a variable for the programs that start later."""
    if is_macos():  # programs that the Finder starts read no shell's files
        return f"launchctl setenv {name} {shlex.quote(text)}"
    return f'setx {name} "{text}"' if is_windows() else f"export {name}={shlex.quote(text)}"


def more_rights() -> str:
    """Return how a user comes to write what all users share."""
    return "Run it as an administrator" if is_windows() else "Use sudo"


# What belongs to the user alone.


def exposure(path: Path, status: os.stat_result, owner: int | None = None) -> tuple[str, str]:
    """Return why others could reach a file or folder, and the remedy; empty where they cannot.

    Args:
        path: where it is.
        status: what the system says of it.
        owner: the user whose it has to be; None is this one.
    """
    own_folder = "Set GVM_RUNTIME_DIR to a folder of your own."
    if is_windows():
        from gvm_client import windows_api  # noqa: PLC0415 - elsewhere it says nothing

        return windows_api.exposure(path)
    user = user_id() if owner is None else owner
    if status.st_uid != user:
        return f"belongs to user {status.st_uid}, not to user {user}", own_folder
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        wanted = "700" if stat.S_ISDIR(status.st_mode) else "600"
        remedy = f"If nobody else has used it, close it with `chmod {wanted} {path}`."
        return f"is open to other users (mode {mode:o})", remedy
    return "", ""


def make_private_folder(path: Path) -> None:
    """Make a folder of this user's alone; one that stands is left as it is.

    Raises:
        OSError: it cannot be made.
    """
    if is_windows():
        from gvm_client import windows_api  # noqa: PLC0415 - elsewhere it says nothing

        windows_api.make_private_folder(path)
    else:
        path.mkdir(mode=0o700, exist_ok=True)
