"""Finished alphas that stand where they were asked for, and why each is trusted.

- A file is trusted while its size, times and place on the disk are those of when it was proven.
- Else it is read whole and checked; the record costs time when it is lost, never a matte.
- What may be somebody else's work is never ours: damage is believed where something proves it.
"""

from __future__ import annotations

import os
import stat
import sys
from collections import OrderedDict
from dataclasses import replace
from enum import Enum
from pathlib import Path
from threading import Lock

from gvm_server.media.alphas.exr import is_image, is_whole_image
from gvm_server.media.alphas.stamp import (
    KEY_BYTES,
    Fingerprint,
    fingerprint_in,
    is_sealed,
    is_stamped,
    prove_file,
    read_fingerprint,
)
from gvm_server.media.atomic_files import put_known
from gvm_server.media.store.file_keys import hash_texts
from gvm_server.media.store.memo import Memo

_PLACED, _OURS = "placed", "ours"  # what the memo calls them
_SIZE_BYTES, _HEAD_BYTES = 8, 64  # of a file that was written; the time of writing lies in its head
_LOOK_BYTES = 1 << 16
LIMIT = 1024  # files held in memory; the memo has the others

_Version = tuple[int, int, int, int, int]


class Verdict(Enum):
    """What a file in an alpha's place is."""

    WHOLE = "whole"
    """An alpha of ours."""
    DAMAGED = "damaged"
    """What is left of one, or one of a version that wrote no checksum."""
    CHANGED = "changed"
    """One that another program wrote anew: an artist's work."""
    FOREIGN = "foreign"
    """Another file, or no file."""

    @property
    def is_ours(self) -> bool:
        """Whether it may be made again in its place."""
        return self in {Verdict.WHOLE, Verdict.DAMAGED}


class AlphaRegistry:
    """What was proven, in memory and in the memo; safe from several threads."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._proven: OrderedDict[bytes, Fingerprint] = OrderedDict()
        self._lock = Lock()

    def put(
        self,
        path: Path,
        fingerprint: Fingerprint,
        data: bytes | bytearray,
        *,
        at: Path | None = None,
        umask: int | None = None,
    ) -> None:
        """Write a file in one atomic step, and record it.

        Another server may have put another alpha in its place already; then nothing is recorded.

        Args:
            path: its name.
            fingerprint: what it is.
            data: its bytes.
            at: the path by which it is written, where that is another.
            umask: permission bits that it does not get.

        Raises:
            OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the file is left.
        """
        status = put_known(at or path, data, umask=umask)
        if status is not None:
            self._record(path, fingerprint, _version_of(status), bytes(data[:_HEAD_BYTES]))

    def remember(self, path: Path, fingerprint: Fingerprint) -> None:
        """Record a file that was just proven; nothing where it is another one by now."""
        version = _version(path)
        head = _first_bytes(path, _LOOK_BYTES) or b""
        if version is None or fingerprint_in(head) != fingerprint or _version(path) != version:
            return
        self._record(path, fingerprint, version, head)

    def _record(self, path: Path, fingerprint: Fingerprint, version: _Version, head: bytes) -> None:
        key = _key(path, version)
        self._hold(key, fingerprint)
        self._memo.keep(_PLACED, key, fingerprint.recipe + fingerprint.maker.encode())
        size, *_ = version
        said = size.to_bytes(_SIZE_BYTES, "big") + head[:_HEAD_BYTES]
        self._memo.keep(_OURS, _place(path, version), said)

    def look(self, path: Path, recipe: bytes) -> tuple[Fingerprint | None, bool]:
        """Return what the file of this recipe is, and whether one stands there damaged."""
        version = _version(path)
        if version is None:
            return None, False
        known = self._known(path, version)
        if known is None:
            said = read_fingerprint(path)
            if said is not None and said.recipe != recipe:
                return None, False
            verdict, known = self._proven_now(path, version)
            if verdict is Verdict.DAMAGED:
                # Else it is another file, or gone, by now.
                return None, _version(path) == version
        return (known if known is not None and known.recipe == recipe else None), False

    def is_ours(self, path: Path) -> bool:
        """Return whether a file may be made again in its place; read only where it is not known."""
        version = _version(path)
        if version is None:
            return False
        return self._known(path, version) is not None or self._proven_now(path, version)[0].is_ours

    def examine(self, path: Path) -> tuple[Verdict, Fingerprint | None]:
        """Read a whole file, trusted or not; return what it is, and its fingerprint if it is whole.

        Raises:
            InputError: it does not answer.
        """
        version = _version(path)
        if version is None:
            return Verdict.FOREIGN, None
        if not is_stamped(path):
            is_wreck = self._is_wreck(path, version)
            return (Verdict.DAMAGED if is_wreck else Verdict.FOREIGN), None
        proven = prove_file(path)
        if proven is not None:
            return Verdict.WHOLE, proven
        size, _ = self._written(path, version)
        # Damage leaves the size, or no picture; whoever retouches an alpha may copy our stamp.
        if is_sealed(path) and size != version[0] and is_whole_image(path):
            return Verdict.CHANGED, None
        return Verdict.DAMAGED, None

    def _proven_now(self, path: Path, version: _Version) -> tuple[Verdict, Fingerprint | None]:
        """Examine a file of this version, and record it where it is whole."""
        verdict, proven = self.examine(path)
        if proven is not None and _version(path) == version:
            self.remember(path, proven)
        return verdict, proven

    def _is_wreck(self, path: Path, version: _Version) -> bool:
        """Return whether a file without our stamp is what is left of one of ours.

        It lies where one was written, has that file's number on the disk, and is as long, or is
        its beginning. What another program writes, even into our file, is neither, or is an image;
        the number alone tells nothing: file systems give one again as soon as it is free.
        """
        size, head = self._written(path, version)
        if not size or version[0] > size:
            return False
        same_size, left = version[0] == size, _first_bytes(path, _LOOK_BYTES)
        if left is None:  # cannot be read
            return same_size
        if same_size and left[:_HEAD_BYTES] == head:
            return True
        if is_image(path):
            return False
        return same_size or head.startswith(left[:_HEAD_BYTES])

    def _written(self, path: Path, version: _Version) -> tuple[int, bytes]:
        """Return the size and the first bytes that were recorded of this file; 0 where none."""
        said = self._memo.recall(_OURS, _place(path, version)) or b""
        return int.from_bytes(said[:_SIZE_BYTES], "big"), said[_SIZE_BYTES:]

    def _known(self, path: Path, version: _Version) -> Fingerprint | None:
        key = _key(path, version)
        with self._lock:
            held = self._proven.get(key)
        if held is not None:
            return held
        kept = self._memo.recall(_PLACED, key)
        if kept is None or len(kept) < KEY_BYTES:
            return None
        found = Fingerprint(kept[:KEY_BYTES], kept[KEY_BYTES:].decode(errors="replace"))
        self._hold(key, found)
        return found

    def _hold(self, key: bytes, fingerprint: Fingerprint) -> None:
        # A few makers made all files: each is kept once.
        shared = replace(fingerprint, maker=sys.intern(fingerprint.maker))
        with self._lock:
            self._proven[key] = shared
            while len(self._proven) > LIMIT:
                self._proven.popitem(last=False)


def _key(path: Path, version: _Version) -> bytes:
    return hash_texts(path, *version)


def _place(path: Path, version: _Version) -> bytes:
    # Its folder may be renamed, or reached by another name: the inode is the file's own.
    *_, device, inode = version
    return hash_texts(path.name, device, inode)


def _version(path: Path) -> _Version | None:
    """Return what tells a plain file's versions apart; None where there is none, or a link."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return _version_of(status)


def _version_of(status: os.stat_result) -> _Version:
    times = status.st_mtime_ns, status.st_ctime_ns
    return (status.st_size, *times, status.st_dev, status.st_ino)


def _first_bytes(path: Path, count: int) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(count)
    except OSError:
        return None
