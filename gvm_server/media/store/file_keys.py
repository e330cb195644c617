"""Keys of files: what tells one version of a file from another."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from threading import Lock

import xxhash

from gvm_client.errors import ErrorCode, InputError
from gvm_client.text import is_text
from gvm_server.media.file_access import answered, probe_file
from gvm_server.media.store.memo import NOTHING, Memo

KEY_BYTES = 16

_HASHES = "XXH3"  # what the memo calls them
_BLOCK = 1 << 20  # bytes hashed at a time
_TICK_NS = 20_000_000  # of file times: Linux keeps them by its timer, 1 to 10 ms


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
        self._folders: dict[Path, tuple[tuple[int, int], str]] = {}
        self._lock = Lock()

    def key(self, path: Path, frame: int, *parts: object) -> bytes:
        """Return the key of a file; `parts` tell apart what is read from the same file.

        Raises:
            InputError: the file is not there, cannot be read, or changed while it was hashed.
        """
        version = self._version(path, frame)
        if self._by_content:
            return self.of_content(self._content(path, frame), *parts)
        named = (os.path.abspath(path), version.size, version.time)  # noqa: PTH100
        return hash_texts("stat", *named, *self._reading, *parts)

    def of_content(self, content: bytes, *parts: object) -> bytes:
        """Return the key of what has this hash, as this plate reads it."""
        return hash_texts("content", content.hex(), *self._reading, *parts)

    @contextmanager
    def read(self, path: Path, frame: int) -> Iterator[Path]:
        """Give the path to read a file by, and prove that it was one version all the while.

        The folder in that path has no links: one that is moved and moved back changes nothing.

        Raises:
            InputError: PLATE_MISMATCH, the file changed since this job first looked at it.
        """
        version = self._version(path, frame)
        self._prove(path, frame, version)
        try:
            yield version.real
        finally:
            # Before what went wrong: half a file cannot be read, and the reason is the change.
            self._prove(path, frame, version)

    def _version(self, path: Path, frame: int) -> _Version:
        with self._lock:
            known = self._versions.get(path)
        if known is None:
            try:
                version = answered(partial(self._settled, path), path, frame=frame)
            except OSError as error:
                raise _unreadable(path, frame, error) from error
            with self._lock:
                known = self._versions.setdefault(path, version)
        return known

    def _prove(self, path: Path, frame: int, version: _Version) -> None:
        try:
            now = answered(partial(self._look, path), path, frame=frame)
        except OSError as error:
            raise _unreadable(path, frame, error) from error
        if now != version:
            raise InputError(
                f"Frame {frame} changed while the job ran: {path} had {version.size} bytes when"
                f" the job began and has {now.size}, or is another file or of another time.",
                remedy="Ask again when it is finished: what was made before the change is kept.",
                code=ErrorCode.PLATE_MISMATCH,
                frame=frame,
                path=str(path),
            )

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
        digest, block = content_hash(), memoryview(bytearray(_BLOCK))
        with self.read(path, frame) as real:
            probe_file(real, frame=frame)
            try:
                with real.open("rb", buffering=0) as file:
                    while count := file.readinto(block):
                        digest.update(block[:count])
            except OSError as error:
                raise _unreadable(path, frame, error) from error
        return digest.digest()

    def _settled(self, path: Path) -> _Version:
        """Look at a file whose last change is older than the clock of its file system is coarse.

        One that is written twice within a tick keeps its times.
        """
        version = self._look(path)
        if 0 <= time.time_ns() - version.changed < _TICK_NS:
            time.sleep(_TICK_NS / 1e9)
            return self._look(path)
        return version

    def _look(self, path: Path) -> _Version:
        real = Path(self._real(path.parent), path.name)
        if not is_text(str(real)):  # the image libraries cannot open it by that name
            real = path
        status = name = real.lstat()
        if stat.S_ISLNK(name.st_mode):
            status = real.stat()
        return _Version(
            real,
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            (status.st_dev, status.st_ino),
            (name.st_dev, name.st_ino, name.st_ctime_ns),
        )

    def _real(self, folder: Path) -> str:
        """Return a folder's path without links; one look where it is the same folder as before.

        Following a path takes a look at each of its parts, for each frame of a long clip.
        """
        status = folder.stat()
        place = status.st_dev, status.st_ino
        known = self._folders.get(folder)
        if known is None or known[0] != place:
            known = self._folders[folder] = place, os.path.realpath(folder)
        return known[1]


@dataclass(frozen=True, slots=True)
class _Version:
    """What tells a file from what it was or from another at its place.

    The time of the last change of the file's record is in it (`changed`): a copy that keeps size
    and time moves that one. So is the name itself, which may be a link.
    """

    real: Path
    size: int
    time: int
    changed: int
    place: tuple[int, int]
    name: tuple[int, int, int]

    @property
    def digest(self) -> bytes:
        """16 bytes that stand for the file itself, by whatever name: a link has its target's."""
        return hash_texts(*self.place, self.size, self.time, self.changed)


def _unreadable(path: Path, frame: int, error: OSError) -> InputError:
    gone = isinstance(error, FileNotFoundError)
    return InputError(
        f"Frame {frame} is not there: {path}."
        if gone
        else f"Frame {frame} cannot be read: {path}: {error.strerror}.",
        remedy="Render it again, or choose hold or black for missing frames."
        if gone
        else "Check that you may read it.",
        code=ErrorCode.PLATE_MISSING if gone else ErrorCode.PLATE_UNREADABLE,
        frame=frame,
        path=str(path),
    )
