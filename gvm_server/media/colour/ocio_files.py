"""The files of an OpenColorIO configuration, read by us and handed to OpenColorIO in memory.

- Each file is hashed when it is first looked at; bytes that hash otherwise later are not given.
- A file that was not there stays so: what is found is part of the configuration's content.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import stat
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import PyOpenColorIO as ocio

from gvm_client.limits import MAX_CONFIG_BYTES, MAX_LUT_BYTES

_ARCHIVED_CONFIG = "config.ocio"  # as OpenColorIO's archives call it
# A file written this short a time ago may be written again within one tick of its clock.
_SETTLED_SECONDS = 2.0

Identity: TypeAlias = tuple[int, ...] | None
"""Device, inode, size, change and modification times of a file; None: not there, or too new."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Files:
    """Where a configuration's files are.

    Attributes:
        path: the configuration's own file, or its archive.
        text: the configuration.
        root: the folder that relative names start from; "" in an archive.
        read: gives the bytes of a file; raises OSError where there is none.
        place: gives the path on disk that a file's bytes come from.
    """

    path: Path
    text: bytes
    root: str
    read: Callable[[str], bytes]
    place: Callable[[str], Path]


def open_files(path: Path) -> Files:
    """Read a `.ocio` file, or look into an `.ocioz` archive.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too large, or an archive without a configuration.
    """
    if stat.S_ISREG(path.stat().st_mode) and zipfile.is_zipfile(path):
        return _archive(path)
    return Files(
        path=path,
        text=_read_file(path, MAX_CONFIG_BYTES),
        root=str(path.parent),
        read=lambda name: _read_file(Path(name), MAX_LUT_BYTES),
        place=Path,
    )


def _archive(path: Path) -> Files:
    # One read for all: a table that is taken out later is of the archive that was hashed.
    packed = _read_file(path, MAX_LUT_BYTES)
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        members = {posixpath.normpath(name): name for name in archive.namelist()}

    def read(name: str, limit: int = MAX_LUT_BYTES) -> bytes:
        member = members.get(posixpath.normpath(name))
        if member is None:
            raise FileNotFoundError(name)
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            if archive.getinfo(member).file_size > limit:
                raise ValueError(_too_large(name, limit))
            return archive.read(member)

    if _ARCHIVED_CONFIG not in members:
        raise ValueError(f"the archive holds no {_ARCHIVED_CONFIG}")
    text = read(_ARCHIVED_CONFIG, MAX_CONFIG_BYTES)
    return Files(path=path, text=text, root="", read=read, place=lambda _name: path)


class OcioFiles(ocio.PyConfigIOProxy):  # type: ignore[misc]
    """What OpenColorIO asks for a configuration's text and its lookup tables.

    Attributes:
        changed: the file that was edited after it was hashed; "" where none was.
    """

    def __init__(self, files: Files) -> None:
        super().__init__()
        self._files = files
        self._hashes: dict[str, str] = {}
        self._identities: dict[Path, Identity] = {files.path: _identity(files.path)}
        self.changed = ""

    def getConfigData(self) -> str:  # noqa: N802 - OpenColorIO's name
        """Return the configuration."""
        return self._files.text.decode()

    def getFastLutFileHash(self, path: str) -> str:  # noqa: N802
        """Return the hash of a file's bytes; "" where it is not there."""
        if path not in self._hashes:
            place = self._files.place(path)
            self._identities.setdefault(place, _identity(place))
            try:
                self._hashes[path] = _hash(self._files.read(path))
            except OSError:
                self._hashes[path] = ""
        return self._hashes[path]

    def getLutData(self, path: str) -> bytearray:  # noqa: N802
        """Return a file's bytes.

        Raises:
            ValueError: they are not those that were hashed.
        """
        known = self.getFastLutFileHash(path)
        data = self._files.read(path)
        if _hash(data) != known:
            self.changed = path
            raise ValueError(f"{path} was edited after it was hashed")
        return bytearray(data)

    def are_as_read(self) -> bool:
        """Whether every file that was looked at is still the same, or still not there."""
        return all(
            identity == _identity(place) and (identity is not None or not place.exists())
            for place, identity in self._identities.items()
        )


def _identity(path: Path) -> Identity:
    """Return what changes when a file is written; None where that cannot be told yet."""
    try:
        status = path.stat()
    except OSError:
        return None
    if time.time() - max(status.st_mtime, status.st_ctime) < _SETTLED_SECONDS:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns, status.st_mtime_ns


def _read_file(path: Path, limit: int) -> bytes:
    # A pipe or a device would never end, and every job that loads a configuration waits here.
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"{path} is no regular file")
    if status.st_size > limit:
        raise ValueError(_too_large(str(path), limit))
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:  # it grew
        raise ValueError(_too_large(str(path), limit))
    return data


def _too_large(name: str, limit: int) -> str:
    return f"{name} has more than {limit >> 20} MiB"


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
