"""Finished alphas that stand where they were asked for, and why each is trusted.

Laws:
1. A file is trusted while its size, times and place on the disk are those of when it was proven.
2. Else it is read whole and checked; the record costs time when it is lost, never a matte.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from threading import Lock

from gvm_server.media.exr import is_image
from gvm_server.media.filekey import hash_texts
from gvm_server.media.memo import Memo
from gvm_server.media.stamp import KEY_BYTES, Fingerprint, prove_file, read_fingerprint

_PLACED, _OURS = "placed", "ours"  # what the memo calls them
LIMIT = 100_000  # files that are remembered; about 50 MB at the most

_Version = tuple[int, int, int, int, int]


class Placed:
    """What was proven, in memory and in the memo; safe from several threads."""

    def __init__(self, memo: Memo) -> None:
        self._memo = memo
        self._proven: OrderedDict[str, tuple[_Version, Fingerprint]] = OrderedDict()
        self._lock = Lock()

    def remember(self, path: Path, fingerprint: Fingerprint, *, at: Path | None = None) -> None:
        """Record a file that was just written.

        Another server may have put another alpha in its place already; then nothing is recorded.

        Args:
            path: its name.
            fingerprint: what it is.
            at: the path by which it was written, where that is another.
        """
        place = at or path
        version = _version(place)
        said = read_fingerprint(place)
        if version is not None and said == fingerprint and _version(place) == version:
            self._record(path, version, fingerprint)

    def look(self, path: Path, recipe: bytes) -> tuple[Fingerprint | None, bool]:
        """Return what the file of this recipe is, and whether one stands there damaged."""
        version = _version(path)
        if version is None:
            return None, False
        known = self._known(path, version)
        if known is not None:
            return (known if known.recipe == recipe else None), False
        said = read_fingerprint(path)
        if said is None or said.recipe != recipe:
            return None, False
        proven = prove_file(path)
        if proven is None or proven.recipe != recipe:
            return None, _version(path) == version  # else it is another file, or gone, by now
        if _version(path) == version:
            self._record(path, version, proven)
        return proven, False

    def is_wreck(self, path: Path) -> bool:
        """Return whether a file is one of ours whose header is destroyed.

        It lies where one was written, is still that very file on the disk, and is no image any
        more. What another program put there is another file, or an image.
        """
        version = _version(path)
        if version is None or self._memo.recall(_OURS, _place(path, version)) is None:
            return False
        return not is_image(path)

    def _record(self, path: Path, version: _Version, fingerprint: Fingerprint) -> None:
        self._hold(path, version, fingerprint)
        said = fingerprint.recipe + fingerprint.maker.encode()
        self._memo.keep(_PLACED, _key(path, version), said)
        self._memo.keep(_OURS, _place(path, version), b"")

    def _known(self, path: Path, version: _Version) -> Fingerprint | None:
        with self._lock:
            held = self._proven.get(str(path))
        if held is not None and held[0] == version:
            return held[1]
        kept = self._memo.recall(_PLACED, _key(path, version))
        if kept is None or len(kept) < KEY_BYTES:
            return None
        found = Fingerprint(kept[:KEY_BYTES], kept[KEY_BYTES:].decode(errors="replace"))
        self._hold(path, version, found)
        return found

    def _hold(self, path: Path, version: _Version, fingerprint: Fingerprint) -> None:
        with self._lock:
            self._proven[str(path)] = (version, fingerprint)
            while len(self._proven) > LIMIT:
                self._proven.popitem(last=False)


def _key(path: Path, version: _Version) -> bytes:
    return hash_texts(path, *version)


def _place(path: Path, version: _Version) -> bytes:
    *_, device, inode = version
    return hash_texts(path, device, inode)


def _version(path: Path) -> _Version | None:
    try:
        status = os.lstat(path)
    except OSError:
        return None
    return (
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_dev,
        status.st_ino,
    )
