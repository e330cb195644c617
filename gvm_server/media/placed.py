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

from gvm_server.media.stamp import Fingerprint, prove_file, read_fingerprint

LIMIT = 100_000  # files that are remembered; about 50 MB at the most

_Version = tuple[int, int, int, int, int]


class Placed:
    """What was proven, for the life of a server; safe from several threads."""

    def __init__(self) -> None:
        self._proven: OrderedDict[str, tuple[_Version, Fingerprint]] = OrderedDict()
        self._lock = Lock()

    def remember(self, path: Path, fingerprint: Fingerprint) -> None:
        """Record a file that was just written, or proven."""
        version = _version(path)
        if version is None:
            return
        with self._lock:
            self._proven[str(path)] = (version, fingerprint)
            while len(self._proven) > LIMIT:
                self._proven.popitem(last=False)

    def look(self, path: Path, recipe: bytes) -> tuple[Fingerprint | None, bool]:
        """Return what the file of this recipe is, and whether one stands there damaged."""
        version = _version(path)
        with self._lock:
            known = self._proven.get(str(path))
        if known is not None and known[0] == version:
            return (known[1] if known[1].recipe == recipe else None), False
        said = read_fingerprint(path)
        if said is None or said.recipe != recipe:
            return None, False
        proven = prove_file(path)
        if proven is None or proven.recipe != recipe:
            return None, True
        if _version(path) == version:
            self.remember(path, proven)
        return proven, False


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
