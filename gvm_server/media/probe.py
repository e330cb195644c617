"""A first look at a file, by a thread that may be left behind: a share that stalls ends one job.

Law: a library that opens a file may hold Python's lock meanwhile (OpenImageIO 3 does), and then a
share that stalls silences the whole server. So the file is looked at before, without the lock.
"""

from __future__ import annotations

import stat
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from gvm_client.errors import ErrorCode, InputError

STALL_SECONDS = 20.0  # a share that wakes its disks takes some seconds
_FIRST_BYTES = 1 << 16  # more than any header that decides what a file is

_KINDS: Mapping[int, str] = MappingProxyType(
    {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
)


class StallError(InputError):
    """A disk does not answer: whoever has more files to look at there gives up at once."""


def probe_file(path: Path, *, frame: int | None = None, seconds: float = STALL_SECONDS) -> None:
    """Prove that a file is one and answers; what is not there is left to whoever opens it.

    Raises:
        InputError: PLATE_UNREADABLE: it is a pipe or another thing that is no file.
        StallError: PLATE_UNREADABLE: its disk has not answered for so long.
    """
    kinds: list[str] = []

    def look() -> None:
        with suppress(OSError):  # whoever opens it says why it cannot be
            mode = path.stat().st_mode
            if not stat.S_ISREG(mode):
                kinds.append(_KINDS.get(stat.S_IFMT(mode), "no file"))
                return
            with path.open("rb", buffering=0) as file:
                file.read(_FIRST_BYTES)

    _within(seconds, look, path, frame)
    if kinds:
        raise InputError(
            f"{path} cannot be read: it is {kinds[0]}.",
            remedy="Name an image or a movie.",
            code=ErrorCode.PLATE_UNREADABLE,
            frame=frame,
            path=str(path),
        )


def probe_folder(folder: Path, *, seconds: float = STALL_SECONDS) -> None:
    """Prove that a folder's disk answers; one that is not there answers too.

    Raises:
        StallError: PLATE_UNREADABLE: it has not for so long.
    """

    def look() -> None:
        with suppress(OSError):
            folder.stat()

    _within(seconds, look, folder, None)


def _within(seconds: float, look: Callable[[], None], path: Path, frame: int | None) -> None:
    # Not of a pool: a thread that waits for a dead share waits for ever.
    thread = threading.Thread(target=look, name=f"probe of {path.name}", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise StallError(
            f"{path} has not answered for {seconds:g} s.",
            remedy="See whether its disk or share is there, then ask again.",
            code=ErrorCode.PLATE_UNREADABLE,
            frame=frame,
            path=str(path),
        )
