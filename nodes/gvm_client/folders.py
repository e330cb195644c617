"""The user's folders: home, those of the XDG specification, and the run-time folder.

A process need not have a home folder: a container's user may have no account.

The run-time folder holds sockets, keys, the log and mapped pixels, private to one user:

- It is `$GVM_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/gvm`, else `gvm-<uid>` in the temporary folder,
  on macOS `~/Library/Caches/gvm-run`.
- It is this user's alone (mode 0700; on Windows by its owner and its access list), and it is not a
  link; anything else is refused.
- It lies on a local file system: sockets and file locks need one.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from gvm_client import platform
from gvm_client.errors import ErrorCode, ServerError, SettingsError
from gvm_client.text import is_text

RUNTIME_VARIABLE = "GVM_RUNTIME_DIR"
PIXELS_FOLDER = "pixels"
LOG_NAME = "server.log"
TASK_PREFIX = "gvm-task-"  # of a folder that is one command's (`own_server`)
# A session's own temporary folder is often too deep for the path of a socket.


def home() -> Path:
    """Return the user's home folder.

    Raises:
        SettingsError: there is none.
    """
    return below_home(Path.home)


def below_home(find: Callable[[], Path]) -> Path:
    """Return the folder that a library finds below the home folder.

    Raises:
        SettingsError: there is no home folder; libraries then fail, or leave the `~` in the path.
    """
    said = os.environ.get("HOME")
    try:
        path = find()
    except RuntimeError:
        path = Path()
    if path.is_absolute() and said != "":  # which Python takes for the root folder
        return path
    why = "HOME is not set, and this user has no account" if said is None else f"HOME is {said!r}"
    raise SettingsError(
        f"There is no home folder: {why}.",
        remedy="Set HOME to a folder of your own, by its absolute path.",
    )


def xdg_folder(variable: str, below: str) -> Path:
    """Return a folder of the XDG Base Directory Specification: the variable's, else the default's.

    Args:
        variable: such as `XDG_CACHE_HOME`.
        below: the default, below the home folder.

    Raises:
        SettingsError: the variable is not set, and there is no home folder.
    """
    return Path(os.environ.get(variable) or home() / below)


def expanded(path: str | Path) -> Path:
    """Return a path with its leading `~` or `~user` as that home folder.

    Raises:
        SettingsError: there is no such folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise SettingsError(
            f"There is no home folder for {path}.",
            remedy="Write the path out, without `~`.",
            path=str(path),
        ) from error


def runtime_dir() -> Path:
    """Return the run-time folder, made if it is not there.

    Raises:
        ServerError: code RUNTIME_UNSAFE; it cannot be made, or others could reach it.
    """
    return private_dir(runtime_path())


def runtime_path() -> Path:
    """Return where the run-time folder is, whether it exists or not."""
    if chosen := os.environ.get(RUNTIME_VARIABLE):
        return Path(chosen).absolute()
    if session := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(session).absolute() / "gvm"
    try:
        own: Path | None = home()
    except SettingsError:
        own = None
    return platform.runtime_folder(Path(tempfile.gettempdir()), own)


def temporary_runtime_dir(prefix: str) -> Path:
    """Return a new run-time folder with a short path, for a server that is not shared.

    Raises:
        ServerError: code RUNTIME_UNSAFE; it cannot be made.
    """
    short = platform.short_temporary_folder()
    try:
        return Path(tempfile.mkdtemp(prefix=prefix, dir=short))
    except OSError as error:
        place = Path(short or tempfile.gettempdir())
        raise _unsafe(
            place,
            f"takes no folder ({error.strerror})",
            "Free some space there, and see that this user may write there.",
        ) from error


def pixels_dir(folder: Path) -> Path:
    """Return the folder of mapped pixels in a run-time folder, made if it is not there.

    Raises:
        ServerError: code RUNTIME_UNSAFE, as `runtime_dir`.
    """
    return private_dir(folder / PIXELS_FOLDER)


def socket_path(folder: Path, name: str) -> Path:
    """Return the path of a socket in the run-time folder.

    Raises:
        ServerError: code RUNTIME_UNSAFE; the path is longer than a socket's may be.
    """
    path = folder / name
    length = len(os.fsencode(path))
    most = platform.max_socket_path()
    if length > most:
        raise _unsafe(
            path,
            f"has {length} bytes in its path; a socket's path has at most {most}",
            f"Set {RUNTIME_VARIABLE} to a shorter path.",
        )
    return path


def private_dir(path: Path) -> Path:
    """Return a folder that belongs to this user alone, made if it is not there.

    Raises:
        ServerError: code RUNTIME_UNSAFE; it cannot be made, or others could reach it.
    """
    if not is_text(str(path)):  # the path of a socket is UTF-8
        raise _unsafe(path, "is not UTF-8", f"Set {RUNTIME_VARIABLE} to a plain name.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        platform.make_private_folder(path)
        status = path.lstat()
    except OSError as error:
        raise _unsafe(
            path,
            f"cannot be made ({error.strerror})",
            f"Set {RUNTIME_VARIABLE} to a folder of your own on a local disk.",
        ) from error
    if stat.S_ISLNK(status.st_mode) or _is_junction(status):
        raise _unsafe(path, "is a link", f"Delete it, or set {RUNTIME_VARIABLE} to a real folder.")
    check_private(path, status)
    return path


def check_private(path: Path, status: os.stat_result) -> None:
    """Check that a file or folder belongs to this user and is closed to others.

    Raises:
        ServerError: code RUNTIME_UNSAFE.
    """
    why, remedy = platform.exposure(path, status)
    if why:
        raise _unsafe(path, why, remedy)


def _is_junction(status: os.stat_result) -> bool:
    """Return whether it is a link of Windows' other kind, which `S_ISLNK` does not know."""
    mount_point = 0xA0000003  # IO_REPARSE_TAG_MOUNT_POINT of winnt.h
    return getattr(status, "st_reparse_tag", 0) == mount_point


def _unsafe(path: Path, why: str, remedy: str) -> ServerError:
    return ServerError(
        f"The run-time path {path} {why}.",
        remedy=remedy,
        code=ErrorCode.RUNTIME_UNSAFE,
        path=str(path),
    )
