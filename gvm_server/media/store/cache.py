"""What was made once, on disk: finished alphas and the alphas of windows, found by key.

- A file proves itself each time it is used, by a checksum that its key goes into: one that is
  damaged, or lies under another's name, is removed and made again. So nothing waits for the disk.
- The least recently used files go when the limit is passed; a hit counts as a use.
- A cache that cannot be written costs time, never a job: the job and the log say so.
"""

from __future__ import annotations

import logging
import os
import struct
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from math import prod
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gvm_client.errors import OutputError
from gvm_server.media.alphas.exr import read_proven
from gvm_server.media.alphas.stamp import Fingerprint, prove
from gvm_server.media.atomic_files import put_whole, sweep_leftovers, write_failure
from gvm_server.media.store.alpha_registry import AlphaRegistry
from gvm_server.media.store.memo import Memo

_ALPHAS, _WINDOWS, _WINDOW = "alphas", "windows", ".window"
_NEW_WINDOWS = 1024  # more than a server makes while a job's next windows wait
_FULL_ENOUGH = 0.9  # of the limit: how far an eviction goes, so that not every file causes one
_UNSEEN = 0.1  # of the limit: what is added before the folder is counted again, for others add too

_log = logging.getLogger(__name__)

WindowAlphas: TypeAlias = NDArray[np.float16] | NDArray[np.float32]

_WINDOW_MAGIC = b"gvm window 1\n"
_WINDOW_HEAD = struct.Struct(
    f"<{len(_WINDOW_MAGIC)}s2s3I"
)  # magic, numpy's word for the type, T, h, w
_SUM_BYTES = 32
_WINDOW_TYPES = (b"f2", b"f4")


@dataclass(frozen=True, kw_only=True, slots=True)
class CacheUsage:
    """What lies in the cache."""

    path: Path
    files: int
    nbytes: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    size: int
    used: int


def _pass() -> None:
    """Say nothing."""


class DiskCache:
    """Files by key, bounded; safe to use from several threads and several servers at once.

    Args:
        root: its folder.
        limit_bytes: what it may hold; 0 keeps nothing.
        writes: whether anything in it may change: who only asks what stands leaves it as it is.

    Attributes:
        failures: how many things could not be kept so far.
        trouble: why the last of them could not, as a sentence; "" where all were.
    """

    def __init__(self, root: Path, limit_bytes: int, *, writes: bool = True) -> None:
        self._writes = writes
        self.root = root
        self.limit_bytes = limit_bytes
        self._lock = Lock()
        self._total: int | None = None  # of bytes; None until the folder was looked at
        self._look_again = 0  # the total at which it is looked at again
        self.failures = 0
        self.trouble = ""
        self._is_failing = False
        self._new_windows = deque[bytes](maxlen=_NEW_WINDOWS)
        self.memo = Memo(root if limit_bytes > 0 else None, learns=writes)
        self.registry = AlphaRegistry(self.memo)

    def alpha(self, wanted: Fingerprint, on_damage: Callable[[], None] = _pass) -> Path | None:
        """Return the finished alpha file with this fingerprint, proven.

        Args:
            wanted: what it was made from, and what made it.
            on_damage: called where one lay there and was not whole.
        """
        path = self._path(_ALPHAS, wanted.digest, ".exr")
        try:
            found = prove(path.read_bytes())
        except FileNotFoundError:  # never there, or another server has evicted it just now
            return None
        except OSError:
            if not _is_file(path):  # its folder cannot be read
                return None
            found = None
        if found != wanted:
            self._drop(path, "it is damaged, or not the alpha that its name says")
            on_damage()
            return None
        if self._writes:
            _touch(path)
        return path

    def has_alpha(self, made: Fingerprint) -> bool:
        """Return whether a file of this fingerprint's name is there."""
        return _is_file(self._path(_ALPHAS, made.digest, ".exr"))

    def add_alpha(self, made: Fingerprint, source: Path) -> None:
        """Keep a copy of a finished alpha file."""
        if self.has_alpha(made):
            return
        try:
            self.put_alpha(made, read_proven(source, made))
        except FileNotFoundError:
            _log.debug("%s went away before it was kept", source)

    def put_alpha(self, made: Fingerprint, data: bytes | bytearray) -> None:
        """Keep an alpha file of these bytes."""
        self._put(self._path(_ALPHAS, made.digest, ".exr"), data)

    def has_window(self, key: bytes) -> bool:
        """Return whether a window's alphas are there."""
        return _is_file(self._path(_WINDOWS, key, _WINDOW))

    def window(
        self, key: bytes, shape: tuple[int, int, int], on_damage: Callable[[], None] = _pass
    ) -> WindowAlphas | None:
        """Return a window's alphas, [T, h, w], of the type in which they were kept, proven.

        Args:
            key: of recipe and maker.
            shape: what they must have.
            on_damage: called where a file lay there and was not whole.
        """
        path = self._path(_WINDOWS, key, _WINDOW)
        try:
            alphas = read_window(path.read_bytes(), key, shape)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            if not _is_file(path):  # its folder cannot be read
                return None
            self._drop(path, str(error))
            on_damage()
            return None
        _touch(path)
        return alphas

    def has_new_window(self, key: bytes) -> bool:
        """Return whether a window was kept lately, without a look at the disk."""
        return key in self._new_windows

    def add_window(self, key: bytes, array: WindowAlphas) -> None:
        """Keep a window's alphas, [T, h, w]."""
        self._new_windows.append(key)
        self._put(self._path(_WINDOWS, key, _WINDOW), window_bytes(array, key))

    def complaint(self) -> str:
        """Return in a sentence why nothing can be kept, or ""; looked at anew each time."""
        if self.limit_bytes <= 0:
            return ""
        try:
            _make_folder(self.root)
            with tempfile.TemporaryFile(dir=self.root) as file:
                file.write(b"\0")
        except OutputError as error:
            return f"Nothing is kept for later: {error.message}"
        except OSError as error:
            return f"Nothing is kept for later: {write_failure(self.root, error).message}"
        return ""

    def usage(self) -> CacheUsage:
        """Return what lies in the cache now."""
        sizes = [entry.size for entry in self._entries()]
        return CacheUsage(
            path=self.root, files=len(sizes), nbytes=sum(sizes), limit_bytes=self.limit_bytes
        )

    @property
    def size_bytes(self) -> int:
        """The bytes in the cache as this process counts them; 0 before it has counted.

        Answers at once: a walk through a hundred thousand files takes seconds.
        """
        return self._total or 0

    def count(self) -> None:
        """Count what lies in the cache; a server does so when it starts."""
        with self._lock:
            if self._total is None:
                self._know(self.usage().nbytes)

    def clear(self) -> CacheUsage:
        """Remove everything, and return what that was."""
        usage = self.usage()
        self.memo.clear()
        with self._lock:
            for entry in self._entries():
                _remove(entry.path)
            self._total = None
        return usage

    def _path(self, kind: str, key: bytes, extension: str) -> Path:
        name = key.hex()
        return Path(self.root, kind, name[:2], f"{name}{extension}")

    def _put(self, path: Path, data: bytes | bytearray) -> None:
        """Keep a file; whoever asks has looked whether it is there."""
        if self.limit_bytes <= 0 or not self._writes:
            return
        if len(data) > self.limit_bytes * _FULL_ENOUGH:  # all else would go for it, and then it
            return
        try:
            _make_folder(path.parent)
            put_whole(path, data, flush=False)
        except OutputError as error:
            self._warn(error)
            return
        self._is_failing = False
        with self._lock:
            if self._total is not None:
                self._total += len(data)
            if self._total is None or self._total > self._look_again:
                self._evict()

    def _know(self, total: int) -> None:
        """Note what lies there, and at how much more the folder is looked at again.

        Never later than at the limit, but where what lies there cannot be removed: each look is a
        walk through all files.
        """
        again = total + int(self.limit_bytes * _UNSEEN)
        self._look_again = min(again, self.limit_bytes) if total < self.limit_bytes else again
        self._total = total

    def _evict(self) -> None:
        """Count anew; past the limit, remove the least recently used until it is full enough."""
        entries = sorted(self._entries(), key=lambda entry: entry.used)
        total = sum(entry.size for entry in entries)
        enough = self.limit_bytes * _FULL_ENOUGH if total > self.limit_bytes else total
        for entry in entries:
            if total <= enough:
                break
            if _remove(entry.path):
                total -= entry.size
        self._know(total)

    def _entries(self) -> Iterator[_Entry]:
        for kind in (_ALPHAS, _WINDOWS):
            for folder in _listed(self.root / kind):
                sweep_leftovers(folder)
                for path in _listed(folder):
                    with suppress(OSError):  # another server evicts too
                        status = path.stat()
                        yield _Entry(path, status.st_size, status.st_mtime_ns)

    def _drop(self, path: Path, why: str) -> None:
        if not self._writes:
            return
        _log.warning("%s is removed from the cache: %s", path, why)
        size = _size(path)
        if _remove(path):
            with self._lock:
                if self._total is not None:
                    self._total -= size

    def _warn(self, error: OutputError) -> None:
        if not self._is_failing:
            _log.warning("The cache cannot be written, nothing is kept for later: %s", error)
        with self._lock:
            self._is_failing = True
            self.failures += 1
            self.trouble = f"The cache cannot be written, so not all is kept for later: {error}"


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise write_failure(folder, error) from error


def _touch(path: Path) -> None:
    with suppress(OSError):  # gone meanwhile, or a read-only cache: the order of use is a nicety
        os.utime(path)


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - a folder that cannot be read says no, not why


def _listed(folder: Path) -> list[Path]:
    """Return what lies in a folder, hidden names left out; nothing where it cannot be read."""
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except FileNotFoundError:
        return True
    except OSError as error:
        _log.debug("%s cannot be removed: %s", path, error)
        return False
    return True


def window_bytes(alphas: WindowAlphas, key: bytes) -> bytes:
    """Return a window's alphas, [T, h, w] in half or float, as a file's bytes."""
    little = np.ascontiguousarray(alphas, alphas.dtype.newbyteorder("<"))
    head = _WINDOW_HEAD.pack(_WINDOW_MAGIC, alphas.dtype.str[1:].encode(), *alphas.shape)
    body = head + little.tobytes()
    return body + _window_checksum(body, key)


def read_window(data: bytes, key: bytes, shape: tuple[int, int, int]) -> WindowAlphas:
    """Return the alphas in a file's bytes.

    Raises:
        ValueError: it is damaged, another window's, of another shape, or holds no alphas.
    """
    body, checksum = data[:-_SUM_BYTES], data[-_SUM_BYTES:]
    if checksum != _window_checksum(body, key) or len(body) < _WINDOW_HEAD.size:
        raise ValueError("it is damaged, or not the window that its name says")
    magic, kind, *found = _WINDOW_HEAD.unpack_from(body)
    if magic != _WINDOW_MAGIC or kind not in _WINDOW_TYPES or tuple(found) != shape:
        raise ValueError(f"it holds {kind!r} {found}, the plan expects {shape}")
    dtype = np.dtype(f"<{kind.decode()}")
    if len(body) != _WINDOW_HEAD.size + prod(shape) * dtype.itemsize:
        raise ValueError(f"it is {len(data)} bytes long")
    alphas: WindowAlphas = np.frombuffer(body, dtype, offset=_WINDOW_HEAD.size).reshape(shape)
    if not np.isfinite(alphas).all():
        raise ValueError("it holds NaN or infinite alphas")
    return alphas


def _window_checksum(body: bytes, key: bytes) -> bytes:
    return blake2b(body, digest_size=_SUM_BYTES, key=key).digest()
