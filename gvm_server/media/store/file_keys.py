"""Keys of files: what tells one version of a file from another."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from threading import Lock
from typing import TypeAlias, TypeVar

import xxhash

from gvm_client.errors import ErrorCode, InputError
from gvm_client.text import is_text
from gvm_server.media.file_access import answered, frame_gone, read_head, require_file
from gvm_server.media.store.memo import NOTHING, Memo

KEY_BYTES = 16

_HASHES = "XXH3"  # what the memo calls them
_BLOCK = 1 << 20  # bytes hashed at a time
_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_LOOK_SECONDS = 1.0  # of a look at several files: in the middle of one nobody hears a cancel
_TICK_NS = 20_000_000  # of file times: Linux keeps them by its timer, 1 to 10 ms

_Place: TypeAlias = tuple[int, int, int]  # device, number there, last change of the record
_Seen = TypeVar("_Seen")


def hash_texts(*texts: object) -> bytes:
    """Return 16 bytes that stand for these values, in this order."""
    digest = blake2b(digest_size=KEY_BYTES)
    for text in texts:
        part = str(text).encode(errors="surrogateescape")
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


def content_hash() -> xxhash.xxh3_128:
    """Return what makes 16 bytes of a file's bytes: XXH3, which costs less than reading them.

    It tells apart what differs by chance or by work, and is no proof against who builds two files
    of one hash: that gives him the matte of another plate of his own.
    """
    return xxhash.xxh3_128()


class FileKeys:
    """Keys of a plate's files: of path, size and time, or of their content.

    A job's plate is one version: the first look at a file says which, and its key stays that one.
    `read` proves that what was read was it.

    Args:
        by_content: whether a file's key is of its content.
        reading: what of the reading changes the pixels: it is part of every key.
        memo: what is known of files from before.
    """

    def __init__(
        self, *, by_content: bool, reading: tuple[str, ...] = (), memo: Memo = NOTHING
    ) -> None:
        self._memo = memo
        self._by_content = by_content
        self._reading = reading
        self._versions: dict[Path, _Version] = {}
        self._hashes: dict[Path, bytes] = {}
        self._folders: dict[Path, str] = {}
        self._lock = Lock()

    def key(self, path: Path, frame: int, *parts: object) -> bytes:
        """Return the key of a file; `parts` tell apart what is read from the same file.

        Raises:
            InputError: the file is not there, cannot be read, or changed while it was hashed.
        """
        version = self._version(path, frame)
        if self._by_content:
            return self.of_content(self._content(path, frame), *parts)
        status = version.status
        named = (os.path.abspath(path), status.st_size, status.st_mtime_ns)  # noqa: PTH100
        return hash_texts("stat", *named, *self._reading, *parts)

    def look_ahead(self, paths: Sequence[Path]) -> None:
        """Look at files together, which costs less than one by one: `key` finds what it needs.

        What is wrong with one of them is left to `key`, and what a slow disk has not said within a
        second. Of content only small files are read.

        Args:
            paths: at most MOST of the memo's facts.

        Raises:
            StallError: their disk does not answer.
        """
        with self._lock:
            new = [path for path in paths if path not in self._versions]
        looked = _each(new, self._settled)
        with self._lock:
            for path, version in looked.items():
                if version.is_plain:
                    self._versions.setdefault(path, version)
            known = {path: self._versions[path] for path in paths if path in self._versions}
            unhashed = {path: known[path] for path in known if path not in self._hashes}
        if self._by_content:
            self._hash_ahead(unhashed)

    def _hash_ahead(self, versions: Mapping[Path, _Version]) -> None:
        digests = {path: version.digest for path, version in versions.items()}
        known = self._memo.recall_all(_HASHES, digests.values())
        small = [
            path
            for path, version in versions.items()
            if digests[path] not in known and version.status.st_size <= _BLOCK
        ]
        read = _each(small, lambda path: _read_hash(versions[path].real, []))
        made = {
            digests[path]: content
            for path, (status, content) in read.items()
            if versions[path].is_of(status)
        }
        self._memo.keep_all(_HASHES, made)
        hashes = {**known, **made}
        with self._lock:
            for path, digest in digests.items():
                if digest in hashes:
                    self._hashes[path] = hashes[digest]

    def version(self, path: Path, frame: int) -> bytes:
        """Return 16 bytes for the file as it is on the disk: what is known of it is kept by these.

        Raises:
            InputError: the file is not there.
        """
        return self._version(path, frame).digest

    def of_content(self, content: bytes, *parts: object) -> bytes:
        """Return the key of what has this hash, as this plate reads it."""
        return hash_texts("content", content.hex(), *self._reading, *parts)

    @contextmanager
    def read(self, path: Path, frame: int, *, head_bytes: int = 0) -> Iterator[Opened]:
        """Give the path to read a file by, and prove that it was one version all the while.

        The folder in that path has no links: one that is moved and moved back changes nothing.

        Args:
            path: the file.
            frame: that it is read for.
            head_bytes: how many of its first bytes are read at once.

        Raises:
            InputError: PLATE_MISMATCH, the file changed since this job first looked at it; or it
                is no file.
        """
        version = self._version(path, frame)
        status, head = self._asked(partial(read_head, version.real, head_bytes), path, frame)
        if not version.is_of(status):
            raise _changed(path, frame, version, status)
        try:
            yield Opened(path=version.real, head=head)
        finally:
            # Before what went wrong: half a file cannot be read, and the reason is the change.
            now, name = self._asked(partial(_look, path), path, frame)
            if not version.is_of(now) or name != version.name:
                raise _changed(path, frame, version, now)

    def _version(self, path: Path, frame: int) -> _Version:
        with self._lock:
            known = self._versions.get(path)
        if known is None:
            version = self._asked(partial(self._settled, path), path, frame)
            require_file(path, version.status, frame=frame)
            with self._lock:
                known = self._versions.setdefault(path, version)
        return known

    def _asked(
        self,
        look: Callable[[], _Seen],
        path: Path,
        frame: int,
        *,
        progress: Callable[[], int] = lambda: 0,
    ) -> _Seen:
        """Return what a look sees; a long one is waited for as long as its progress grows.

        Raises:
            InputError: the file is not there, or its disk does not answer.
        """
        try:
            return answered(look, path, frame=frame, progress=progress)
        except OSError as error:
            raise _unreadable(path, frame, error) from error

    def _content(self, path: Path, frame: int) -> bytes:
        """Return the hash of a file's bytes, made once."""
        with self._lock:
            known = self._hashes.get(path)
        if known is None:
            version = self._version(path, frame).digest
            known = self._memo.recall(_HASHES, version)
            if known is None:
                known = self._hash(path, frame)
                self._memo.keep(_HASHES, version, known)
            with self._lock:
                self._hashes[path] = known
        return known

    def _hash(self, path: Path, frame: int) -> bytes:
        """Read a file whole, by one descriptor: what it leads to is the version, or is refused."""
        version, blocks = self._version(path, frame), list[int]()
        read = partial(_read_hash, version.real, blocks)
        status, content = self._asked(read, path, frame, progress=lambda: len(blocks))
        if not version.is_of(status):
            raise _changed(path, frame, version, status)
        return content

    def _settled(self, path: Path) -> _Version:
        """Look at a file whose last change is older than the clock of its file system is coarse.

        One that is written twice within a tick keeps its times.
        """
        status, name = _look(path)
        if 0 <= time.time_ns() - status.st_ctime_ns < _TICK_NS:
            time.sleep(_TICK_NS / 1e9)
            status, name = _look(path)
        real = Path(self._real(path.parent), path.name)
        if not is_text(str(real)):  # the image libraries cannot open it by that name
            real = path
        return _Version(real, status, name)

    def _real(self, folder: Path) -> str:
        """Return a folder's path without links, found once.

        Following a path takes a look at each of its parts, for each frame of a long clip. Where a
        link in it is moved meanwhile, the files behind it are others, and their reading says so.
        """
        known = self._folders.get(folder)
        if known is None:
            known = self._folders[folder] = os.path.realpath(folder)
        return known


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A file to be read: the path that leads to it, and its first bytes."""

    path: Path
    head: bytes


def _each(paths: Sequence[Path], look: Callable[[Path], _Seen]) -> dict[Path, _Seen]:
    """Return what looks at files see, without those that cannot be looked at, or not in time.

    Raises:
        StallError: their disk does not answer.
    """
    seen: dict[Path, _Seen] = {}
    done = 0
    ends = time.monotonic() + _LOOK_SECONDS

    def look_at_each() -> None:
        nonlocal done
        for path in paths:
            if time.monotonic() > ends:
                break
            with suppress(OSError):
                seen[path] = look(path)
            done += 1

    if paths:
        answered(look_at_each, paths[0].parent, progress=lambda: done)
    return seen


def _read_hash(real: Path, blocks: list[int]) -> tuple[os.stat_result, bytes]:
    """Return what a file is after it was read, and the hash of its bytes; count the blocks."""
    digest = content_hash()
    descriptor = os.open(real, _TO_READ)
    try:
        while block := os.read(descriptor, _BLOCK):
            digest.update(block)
            blocks.append(len(block))
        return os.fstat(descriptor), digest.digest()
    finally:
        os.close(descriptor)


def _look(path: Path) -> tuple[os.stat_result, _Place]:
    """Return what a path leads to, and what its name itself is, which may be a link."""
    status = name = path.lstat()
    if stat.S_ISLNK(name.st_mode):
        status = path.stat()
    return status, (name.st_dev, name.st_ino, name.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class _Version:
    """What tells a file from what it was or from another at its place.

    The time of the last change of the file's record is in it: a copy that keeps size and time
    moves that one.
    """

    real: Path
    status: os.stat_result
    name: _Place

    @property
    def is_plain(self) -> bool:
        """Whether it is a file, no folder or pipe."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def facts(self) -> tuple[int, ...]:
        """Device, number there, size, time, and time of the record's last change."""
        return _facts(self.status)

    def is_of(self, status: os.stat_result) -> bool:
        """Return whether this is what the system says of the same version."""
        return _facts(status) == self.facts

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for the file itself, by whatever name: a link has its target's."""
        return hash_texts(*self.facts)


def _facts(status: os.stat_result) -> tuple[int, ...]:
    place = status.st_dev, status.st_ino
    return (*place, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _changed(path: Path, frame: int, version: _Version, now: os.stat_result) -> InputError:
    return InputError(
        f"Frame {frame} changed while the job ran: {path} had {version.status.st_size} bytes when"
        f" the job began and has {now.st_size}, or is another file or of another time.",
        remedy="Ask again when it is finished: what was made before the change is kept.",
        code=ErrorCode.PLATE_MISMATCH,
        frame=frame,
        path=str(path),
    )


def _unreadable(path: Path, frame: int, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return frame_gone(path, frame)
    return InputError(
        f"Frame {frame} cannot be read: {path}: {error.strerror}.",
        remedy="Check that you may read it.",
        code=ErrorCode.PLATE_UNREADABLE,
        frame=frame,
        path=str(path),
    )
