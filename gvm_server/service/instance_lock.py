"""One server for each run-time folder: a file lock that ends with the process, however it ends."""

from __future__ import annotations

import os
from pathlib import Path

from gvm_client.errors import ErrorCode, ServerError
from gvm_client.platform import lock_file
from gvm_client.process import is_alive

LOCK_NAME = "server.lock"


class InstanceLock:
    """The lock of a run-time folder, held until `release` or the end of the process.

    Raises:
        ServerError: code SERVER_RUNNING; another server holds it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LOCK_NAME
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor = os.open(self._path, flags, 0o600)
        try:
            lock_file(self._descriptor)
        except OSError as error:
            owner = os.read(self._descriptor, 32).decode("ascii", "replace").strip()
            os.close(self._descriptor)
            raise ServerError(
                f"Another GVM server{f' (process {owner})' if owner else ''} owns {folder}.",
                remedy="Use it, end it with `gvm stop`, or set GVM_RUNTIME_DIR to another folder.",
                code=ErrorCode.SERVER_RUNNING,
                path=str(self._path),
            ) from error
        os.ftruncate(self._descriptor, 0)
        os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let the folder go; the file stays, because deleting it would race with the next owner."""
        os.close(self._descriptor)


def lock_owner(folder: Path) -> int:
    """Return the process that holds the lock of a run-time folder; 0 where none does."""
    try:
        descriptor = os.open(folder / LOCK_NAME, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return 0
    try:
        text = os.read(descriptor, 32).decode("ascii", "replace").strip()
        # Looked at first: to try the lock of a server that has ended would keep a new one out.
        if not text.isdigit() or not is_alive(int(text), 0):
            return 0
        lock_file(descriptor)
    except OSError:
        return int(text)
    finally:
        os.close(descriptor)
    return 0
