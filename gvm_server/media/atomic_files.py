"""Files that appear whole or not at all: a temporary name beside them, then a rename."""

from __future__ import annotations

import errno
import logging
import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TypeVar

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.platform import replace_file

# Hidden, so that no host takes it for a frame; whose it is stands there for people only.
_PREFIX, _SUFFIX = ".gvm-", ".part"
_LEFTOVER = re.compile(r"\.gvm-.*-[0-9a-f]{8}-.*\.part", re.DOTALL)
LEFTOVER_SECONDS = 3600.0  # without a byte written: longer than any disk makes a writer wait
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_FULL = {errno.ENOSPC, errno.EDQUOT}
_IN_THE_WAY = (FileExistsError, NotADirectoryError, IsADirectoryError)

_Seen = TypeVar("_Seen")

_log = logging.getLogger(__name__)


@contextmanager
def replacing(
    path: Path, *, size_hint: int, flush: bool = True, umask: int | None = None
) -> Iterator[Path]:
    """Give a temporary path to write; flush it and rename it to `path` when the block ends well.

    Args:
        path: the final name.
        size_hint: bytes that were to be written, to find out why a library's write failed.
        flush: whether the bytes are to be on the disk before the name is; a file that proves itself
            when it is read needs no waiting.
        umask: permission bits that the file does not get; None is this process's own.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; the temporary file is removed.
    """
    temporary = _temporary(path)
    try:
        yield temporary
        if umask is not None and not _has_default_acl(path.parent):
            temporary.chmod(0o666 & ~umask)  # a name of our own, which nobody else knows
        if flush:
            _flush(temporary)
        replace_file(temporary, path)
    except OSError as error:
        cause = error if error.errno else _why(temporary, size_hint) or error
        raise write_failure(path, cause) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def put_whole(
    path: Path,
    data: bytes | bytearray | memoryview,
    *,
    flush: bool = True,
    umask: int | None = None,
) -> None:
    """Write a file in one atomic step.

    Args:
        path: the final name.
        data: its bytes.
        flush: as for `replacing`.
        umask: as for `replacing`.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; the temporary file is removed.
    """
    _put(path, data, lambda _: None, flush=flush, umask=umask)


def put_known(path: Path, data: bytes | bytearray, *, umask: int | None) -> os.stat_result | None:
    """Write a file as `put_whole`, flushed; return what the system says of it under its name.

    Returns:
        None where another file has taken its place meanwhile.

    Raises:
        OutputError: as `put_whole`.
    """
    status = _put(path, data, os.fstat, flush=True, umask=umask)
    try:
        named = path.lstat()
    except OSError:
        return None
    is_same = (named.st_size, named.st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    return named if is_same and os.path.samestat(named, status) else None


def _put(
    path: Path,
    data: bytes | bytearray | memoryview,
    look: Callable[[int], _Seen],
    *,
    flush: bool,
    umask: int | None,
) -> _Seen:
    """Write a file in one atomic step; return what `look` sees of its descriptor."""
    temporary = _temporary(path)
    try:
        descriptor = os.open(temporary, _NEW, 0o666)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(descriptor, left) :]
            if umask is not None and not _has_default_acl(path.parent):
                temporary.chmod(0o666 & ~umask)  # a name of our own, which nobody else knows
            if flush:
                os.fsync(descriptor)
            seen = look(descriptor)
        finally:
            os.close(descriptor)
        replace_file(temporary, path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise write_failure(path, error) from error
    return seen


def sweep_leftovers(folder: Path) -> None:
    """Remove the temporary files that nobody has written to for LEFTOVER_SECONDS.

    A folder may be shared by machines and containers, so no process number says whether a file's
    maker lives. Ages are told by the file system's own clock, at the folder's last change.
    """
    try:
        now = folder.stat().st_mtime
        leftovers = [path for path in folder.iterdir() if _LEFTOVER.fullmatch(path.name)]
    except OSError as error:
        _log.debug("%s is not swept: %s", folder, error)
        return
    for path in leftovers:
        with suppress(OSError):
            if now - path.stat().st_mtime > LEFTOVER_SECONDS:
                path.unlink()


def disk_is_full(error: OSError) -> bool:
    """Return whether an error says that no space, or no quota, is left."""
    return error.errno in _FULL


def _temporary(path: Path) -> Path:
    # The name is cut so that it stays below the 255 bytes that file systems allow.
    tail = path.name[-80:]
    return path.with_name(f"{_PREFIX}{_maker()}-{secrets.token_hex(4)}-{tail}{_SUFFIX}")


def host_name() -> str:
    """Return this machine's name as it may stand in the name of a file."""
    return re.sub(r"[^A-Za-z0-9]", "", socket.gethostname())[:24] or "host"


@cache
def _maker() -> str:
    """Return host, boot and process, as they stand in the names of unfinished files."""
    try:
        boot = _BOOT.read_text(encoding="ascii")[:8]
    except OSError:
        boot = "0"
    return f"{host_name()}-{boot}-{os.getpid()}"


def make_folders(folder: Path, *, umask: int | None) -> None:
    """Make a folder and those above it, each with the mode that this umask gives it.

    Args:
        folder: may exist.
        umask: permission bits that new folders do not get; None is this process's own.

    Raises:
        OSError: it cannot be made.
    """
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for made in reversed(missing):
        try:
            made.mkdir()
        except FileExistsError:
            if not made.is_dir():
                raise
            continue  # somebody else made it meanwhile, with the mode of their choice
        if umask is not None and not _has_default_acl(made):
            # What the parent hands down (setgid) stays.
            made.chmod((made.stat().st_mode & 0o7000) | (0o777 & ~umask))


def _has_default_acl(folder: Path) -> bool:
    """Return whether a folder's access list decides modes in it, instead of any umask (acl(5))."""
    try:
        return bool(os.getxattr(folder, "system.posix_acl_default"))
    except (AttributeError, OSError):
        return False


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_failure(path: Path, error: OSError) -> OutputError:
    """Return the error that says why a file or folder cannot be written."""
    if disk_is_full(error):
        return OutputError(
            f"No space is left for {path}.",
            remedy="Free some space or name another output folder, then ask again:"
            " what is finished is kept.",
            code=ErrorCode.DISK_FULL,
            path=str(path),
        )
    remedy = "Check that the folder is there and that you may write in it."
    if isinstance(error, _IN_THE_WAY):
        remedy = "Name another output: a file stands where a folder would, or a folder for a file."
    return OutputError(
        f"{path} cannot be written: {error.strerror or error}.", remedy=remedy, path=str(path)
    )


def _why(temporary: Path, size_hint: int) -> OSError | None:
    """Ask the file system why a library's write failed: write as much again and see."""
    try:
        with temporary.open("ab") as file:
            file.write(bytes(size_hint))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error
    return None
