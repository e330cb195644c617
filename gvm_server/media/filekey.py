"""Keys of files: what tells one version of a file from another."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import PlateKeys
from gvm_server.media.plate import PlateOptions

KEY_BYTES = 16

_BLOCK = 1 << 20  # bytes hashed at a time


def hash_texts(*texts: object) -> bytes:
    """Return 16 bytes that stand for these values, in this order."""
    digest = blake2b(digest_size=KEY_BYTES)
    for text in texts:
        part = str(text).encode(errors="surrogateescape")
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


class FileKeys:
    """Keys of a plate's files: of path, size and time, or of their content.

    The options that change the pixels are part of every key.
    """

    def __init__(self, options: PlateOptions) -> None:
        self._by_content = options.keys is PlateKeys.CONTENT
        self._reading = (options.layer, options.bad_pixels.value)
        self._hashes: dict[tuple[str, int, int], str] = {}
        self._lock = Lock()

    def key(self, path: Path, frame: int, *parts: object) -> bytes:
        """Return the key of a file; `parts` tell apart what is read from the same file.

        Raises:
            InputError: the file is not there, or cannot be read.
        """
        try:
            status = path.stat()
            version = (os.path.abspath(path), status.st_size, status.st_mtime_ns)  # noqa: PTH100
            if not self._by_content:
                return hash_texts("stat", *version, *self._reading, *parts)
            return hash_texts("content", self._content(path, version), *self._reading, *parts)
        except OSError as error:
            raise _unreadable(path, frame, error) from error

    def _content(self, path: Path, version: tuple[str, int, int]) -> str:
        """Return the hash of a file's bytes, made once for each version of it."""
        with self._lock:
            known = self._hashes.get(version)
        if known is None:
            digest = blake2b(digest_size=KEY_BYTES)
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
            known = digest.hexdigest()
            with self._lock:
                self._hashes[version] = known
        return known


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
