"""What a weights file is, told by its bytes: time and place change where a farm copies files.

Each version of a file is read once in a process, at the speed of its disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

_BLOCK_BYTES = 1 << 22
_KEPT = 256  # versions of files; a checkpoint has about ten


def content_of(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    status = path.stat()
    place = status.st_dev, status.st_ino
    return _read(path, (*place, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


def sha256_of(path: Path, hashed: Callable[[int], None] = lambda _: None) -> str:
    """Return the SHA-256 of a file of any size, read anew; `hashed` is told the bytes so far."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            hashed(file.tell())
    return digest.hexdigest()


@lru_cache(_KEPT)
def _read(path: Path, version: tuple[int, ...]) -> str:
    del version  # of the file; the cache tells by it
    return sha256_of(path)
