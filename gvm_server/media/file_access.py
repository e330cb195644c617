"""Access to files: the tree that a server is confined to, disks that stall, and why a file fails.

- What lies outside of `--root` is neither read nor written.
- A library that opens a file may hold Python's lock meanwhile (OpenImageIO 3 does), and then a
  share that stalls silences the whole server. So the file is looked at before, without the lock, by
  a thread that may be left behind: a share that stalls ends one job.
- A look that is not answered takes no thread of a pool: all jobs would soon wait for that share.
"""

from __future__ import annotations

import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import OpenImageIO as oiio

from gvm_client.errors import ErrorCode, InputError, OutputError
from gvm_client.text import is_text, printable

_DESCRIPTORS = Path("/proc/self/fd")
_PLAIN_NAME = "Rename it, or name it by a link that has a plain name."

STALL_SECONDS = 20.0  # a share that wakes its disks takes some seconds
LOOKER = "looks at files"  # its threads' name
KEPT_IDLE = 4  # threads that wait for the next look
FIRST_BYTES = 1 << 16  # more than any header that decides what a file is
# A pipe without a writer is opened at once, too; on Windows no byte is translated.
_AT_ONCE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_KINDS: Mapping[int, str] = MappingProxyType(
    {
        stat.S_IFDIR: "a folder",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
)

_Seen = TypeVar("_Seen")


@dataclass(frozen=True, slots=True)
class Roots:
    """Where files may be.

    Attributes:
        root: the folder that all reads and writes must stay in, or None for the whole machine.
    """

    root: Path | None = None

    def check_read(self, path: Path, *, in_look: bool = False) -> None:
        """Refuse a path that leads outside, by `..` and by links too.

        Args:
            path: of a file or a folder.
            in_look: whether this is asked in a look whose answer is waited for already.

        Raises:
            InputError: PATH_REFUSED; or its name is not UTF-8, which the image libraries need.
            StallError: its disk does not answer.
        """
        remedy = "Move the plate below that folder, or start the server with another --root."
        check = partial(self._check, path, InputError, "read", remedy)
        if in_look or self.root is None:
            check()
        else:
            answered(check, path)  # links are followed by asking the disk

    def check_write(self, path: Path) -> None:
        """Refuse a path that leads outside, by `..` and by links too.

        Raises:
            OutputError: PATH_REFUSED; or its name is not UTF-8, which the image libraries need.
        """
        remedy = "Name an output below that folder, or start the server with another --root."
        self._check(path, OutputError, "written", remedy)

    def _check(
        self, path: Path, kind: type[InputError | OutputError], verb: str, remedy: str
    ) -> None:
        if not is_text(str(path)):
            says = f"The name {printable(str(path))} is not UTF-8."
            raise kind(says, remedy=_PLAIN_NAME, path=str(path))
        if not self._holds(path):
            says = f"{path} may not be {verb}: this server is confined to {self.root}."
            raise kind(says, remedy=remedy, code=ErrorCode.PATH_REFUSED, path=str(path))

    def _holds(self, path: Path) -> bool:
        # A path that does not exist yet is resolved as far as it exists, and so is a link that
        # leads to itself (`Path.resolve` fails there): whoever opens it is told.
        return self.root is None or Path(os.path.realpath(path)).is_relative_to(self.root.resolve())


class OpenFolder:
    """A folder held open: what is written by `path` goes there, whatever its name leads to later.

    Linux reaches a descriptor's folder as `/proc/self/fd/N` (proc_pid_fd(5)). Elsewhere the name
    is used, and only checked when the job begins.

    Args:
        folder: exists.
        roots: where it must lie; proved of the folder that was opened.

    Raises:
        OutputError: PATH_REFUSED; it leads outside.
        OSError: it cannot be opened.
    """

    def __init__(self, folder: Path, roots: Roots) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        place = _DESCRIPTORS / str(self._descriptor)
        self.path = place if place.exists() else folder
        try:
            roots.check_write(self.path)
        except OutputError as error:
            raise _named_as_asked(error, self.path, folder) from None

    @contextmanager
    def naming(self, folder: Path) -> Iterator[Path]:
        """Lend the path; errors about it name the folder as it was asked for."""
        try:
            yield self.path
        except OutputError as error:
            raise _named_as_asked(error, self.path, folder) from error

    def close(self) -> None:
        """Let the folder go; harmless when said again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):  # it could not be opened
            self.close()


def _named_as_asked(error: OutputError, opened: Path, folder: Path) -> OutputError:
    message, path = (text.replace(str(opened), str(folder)) for text in (error.message, error.path))
    return OutputError(message, remedy=error.remedy, code=error.code, frame=error.frame, path=path)


class StallError(InputError):
    """A disk does not answer: whoever has more files to look at there gives up at once."""


def answered(
    look: Callable[[], _Seen],
    path: Path,
    *,
    frame: int | None = None,
    seconds: float | None = None,
    progress: Callable[[], int] = lambda: 0,
) -> _Seen:
    """Return what a look at a path sees, or raise what it raises.

    Args:
        look: asks the disk; it goes on by itself where nobody waits for it any more.
        path: what is named where no answer comes.
        frame: the frame that it is, if any.
        seconds: how long an answer is waited for; None is STALL_SECONDS.
        progress: how many files a look at several of them has seen; it is waited for as long as
            that grows.

    Raises:
        StallError: PLATE_UNREADABLE: there was no answer for so long.
    """
    limit = STALL_SECONDS if seconds is None else seconds
    try:
        looker: _Looker[Any] = _IDLE.pop()
    except IndexError:
        looker = _Looker()
    looker.asked.put(look)
    before, count = -1, 0
    while True:
        try:
            seen, error = looker.seen.get(timeout=limit)
            break
        except Empty:
            before, count = count, progress()
            if count > before:
                continue
        looker.asked.put(None)
        raise StallError(
            f"{path} has not answered for {limit:g} s.",
            remedy="See whether its disk or share is there, then ask again.",
            code=ErrorCode.PLATE_UNREADABLE,
            frame=frame,
            path=str(path),
        )
    if len(_IDLE) < KEPT_IDLE:
        _IDLE.append(looker)
    else:
        looker.asked.put(None)
    if error is not None:
        raise error
    answer: _Seen = seen  # type: ignore[assignment]  # there is one, where there is no error
    return answer


class _Looker(Generic[_Seen]):
    """A thread that looks; it is used again, for starting one takes longer than most looks."""

    def __init__(self) -> None:
        self.asked = SimpleQueue[Callable[[], _Seen] | None]()
        self.seen = SimpleQueue[tuple[_Seen | None, Exception | None]]()
        threading.Thread(target=self._work, name=LOOKER, daemon=True).start()

    def _work(self) -> None:
        while (look := self.asked.get()) is not None:
            try:
                self.seen.put((look(), None))
            except Exception as error:  # noqa: BLE001 (whoever waits for it hears it)
                self.seen.put((None, error))
            del look


_IDLE = deque[_Looker[Any]]()


def probe_file(path: Path, *, frame: int | None = None, seconds: float | None = None) -> bytes:
    """Prove that a file is one and answers; return its first bytes, as many as decide what it is.

    What is not there is left to whoever opens it: nothing is returned then.

    Raises:
        InputError: PLATE_UNREADABLE: it is a pipe or another thing that is no file.
        StallError: PLATE_UNREADABLE: its disk has not answered for so long.
    """
    try:
        status, head = answered(partial(read_head, path), path, frame=frame, seconds=seconds)
    except OSError:  # whoever opens it says why it cannot be
        return b""
    require_file(path, status, frame=frame)
    return head


def read_head(path: Path, most: int = FIRST_BYTES) -> tuple[os.stat_result, bytes]:
    """Return what is at a path, and its first bytes where it is a file: one opening, no waiting.

    Raises:
        OSError: it is not there, or may not be read.
    """
    try:
        descriptor = os.open(path, _AT_ONCE)
    except OSError:  # a socket, and on Windows a folder, cannot be opened
        status = path.stat()
        if stat.S_ISREG(status.st_mode):
            raise
        return status, b""
    try:
        status = os.fstat(descriptor)
        is_file = stat.S_ISREG(status.st_mode)
        return status, os.read(descriptor, most) if is_file and most else b""
    finally:
        os.close(descriptor)


def require_file(path: Path, status: os.stat_result, *, frame: int | None = None) -> None:
    """Refuse what is no plain file.

    Raises:
        InputError: PLATE_UNREADABLE: it is a pipe or another thing.
    """
    if stat.S_ISREG(status.st_mode):
        return
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "no file")
    raise InputError(
        f"{path} cannot be read: it is {kind}.",
        remedy="Name an image or a movie.",
        code=ErrorCode.PLATE_UNREADABLE,
        frame=frame,
        path=str(path),
    )


def frame_gone(path: Path, frame: int | None) -> InputError:
    """Return the error for a listed frame that is not there: it went, or its link dangles."""
    is_link = path.is_symlink()
    return InputError(
        f"Frame {frame} is not there: {path}{' is a link that leads nowhere' if is_link else ''}.",
        remedy="Mend the link; once it is deleted, hold or black for missing frames can stand in."
        if is_link
        else "Render it again, or ask again with hold or black for missing frames.",
        code=ErrorCode.PLATE_MISSING,
        frame=frame,
        path=str(path),
    )


def probe_folder(folder: Path, *, seconds: float | None = None) -> None:
    """Prove that a folder's disk answers; one that is not there answers too.

    Raises:
        StallError: PLATE_UNREADABLE: it has not for so long.
    """
    with suppress(OSError):
        answered(folder.stat, folder, seconds=seconds)


def reason_of(file: oiio.ImageInput | oiio.ImageOutput | None) -> str:
    """Return why the last call failed, and forget it; None asks for what has no file.

    A reason that quotes a damaged file's bytes may not be text.
    """
    try:
        reason: str = oiio.geterror() if file is None else file.geterror()
    except UnicodeDecodeError:
        return "it is damaged"
    return reason
