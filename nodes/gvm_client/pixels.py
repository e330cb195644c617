"""Pixels that a host holds in memory, in memory-mapped files: the client's side.

- A buffer's file is made whole, with its space taken, before its name is said to anyone.
- The client deletes its own buffers and the alphas that it has read; what a dead process made
  is swept by the server, at its start and every few seconds.
- A reader maps read-only and never past the end of the file.
"""

from __future__ import annotations

import errno
import mmap
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from gvm_client.errors import ErrorCode, OutputError, RemoteProtocolError
from gvm_client.platform import remove_file
from gvm_client.process import is_alive
from gvm_client.protocol.messages import MappedFrame

UNREAD_SECONDS = 600.0  # an alpha that its host has not read by then: the host has gone

_NAME = re.compile(r"(\d+)-.+")  # its maker's process, then anything


class PixelBuffer:
    """A writable buffer of the pixels folder; close it, or use it as a context manager.

    Attributes:
        name: the file's bare name, as `MappedFrame.buffer` takes it.
    """

    def __init__(self, path: Path, pixels: mmap.mmap) -> None:
        self.name = path.name
        self._path = path
        self._pixels = pixels

    @classmethod
    def create(cls, folder: Path, nbytes: int) -> PixelBuffer:
        """Make a buffer.

        Args:
            folder: the pixels folder (see `folders.pixels_dir`).
            nbytes: its size, at least 1.

        Raises:
            OutputError: code DISK_FULL or OUTPUT_UNWRITABLE.
        """
        path = folder / f"{os.getpid()}-{secrets.token_hex(16)}"
        try:
            return cls(path, _map_new(path, nbytes))
        except OSError as error:
            path.unlink(missing_ok=True)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            raise OutputError(
                f"A pixel buffer of {nbytes} bytes cannot be made in {folder}: {error.strerror}.",
                remedy="Free some space there, or set GVM_RUNTIME_DIR to a larger disk.",
                code=ErrorCode.DISK_FULL if full else ErrorCode.OUTPUT_UNWRITABLE,
                path=str(path),
            ) from error

    def __enter__(self) -> PixelBuffer:  # noqa: PYI034 - `Self` is not in Python 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._pixels)

    def write(self, pixels: bytes | bytearray | memoryview, *, offset: int = 0) -> None:
        """Copy pixels into the buffer.

        Raises:
            ValueError: they do not fit.
        """
        source = memoryview(pixels).cast("B")
        if offset < 0 or offset + len(source) > len(self._pixels):
            raise ValueError(
                f"{len(source)} bytes at {offset} do not fit a buffer of {len(self._pixels)}."
            )
        self._pixels[offset : offset + len(source)] = source

    def close(self) -> None:
        """Unmap and delete; a reader that has mapped it keeps its pixels.

        On Windows the file stays while it is mapped, and the server sweeps it later.
        """
        self._pixels.close()
        _delete(self._path)


@contextmanager
def open_frame(folder: Path, frame: MappedFrame) -> Iterator[memoryview]:
    """Lend the pixels of a mapped frame, read-only; the view ends with the context.

    Raises:
        RemoteProtocolError: there is no such buffer, or it is shorter than the frame says.
    """
    path = folder / frame.buffer
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError as error:
        raise RemoteProtocolError(
            f"The pixel buffer {path} cannot be opened: {error.strerror}.",
            frame=frame.frame,
            path=str(path),
        ) from error
    try:
        length = os.fstat(descriptor).st_size
        end = frame.offset + frame.nbytes
        if length < end:
            raise RemoteProtocolError(
                f"The pixel buffer {path} has {length} bytes; the frame ends at {end}.",
                frame=frame.frame,
                path=str(path),
            )
        pixels = mmap.mmap(descriptor, end, access=mmap.ACCESS_READ)
    finally:
        os.close(descriptor)
    with pixels, memoryview(pixels) as whole, whole[frame.offset : end] as view:
        yield view


def delete_frame(folder: Path, frame: MappedFrame) -> None:
    """Delete the buffer of an alpha that was read; a missing one is fine."""
    _delete(folder / frame.buffer)


def _delete(path: Path) -> None:
    with suppress(PermissionError):  # somebody reads it on Windows: it is swept
        remove_file(path)


def sweep(folder: Path) -> int:
    """Delete the buffers whose makers have died, and this process's own that nobody read for long.

    Returns:
        How many.
    """
    swept = 0
    for path in folder.iterdir():
        owner = _NAME.fullmatch(path.name)
        if owner and _is_left(path, int(owner[1])):
            _delete(path)
            swept += 1
    return swept


def _is_left(path: Path, maker: int) -> bool:
    if maker != os.getpid():
        return not is_alive(maker, 0)
    try:
        return time.time() - path.stat().st_mtime > UNREAD_SECONDS
    except FileNotFoundError:
        return False  # it was read just now


def _map_new(path: Path, nbytes: int) -> mmap.mmap:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        # With a hole in it, a full disk would be a bus error in the host at the first write.
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, nbytes)
        else:
            _fill(descriptor, nbytes)
        return mmap.mmap(descriptor, nbytes)
    finally:
        os.close(descriptor)


def _fill(descriptor: int, nbytes: int) -> None:
    zeros = memoryview(bytes(1 << 20))
    left = nbytes
    while left:
        left -= os.write(descriptor, zeros[: min(left, len(zeros))])
    os.lseek(descriptor, 0, os.SEEK_SET)
