"""Where finished alphas go: EXR files beside the comp, or memory that a host reads."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gvm_client.settings import Depth
from gvm_server.media.cache import DiskCache
from gvm_server.media.exr import copy_into_place, read_alpha, read_stamp, write_alpha
from gvm_server.media.mapped import MappedImage, write_mapped
from gvm_server.media.output import AlphaFiles
from gvm_server.media.plate import FrameHeader, Pixels


@dataclass(frozen=True, kw_only=True, slots=True)
class Alpha:
    """One finished alpha.

    Attributes:
        frame: the host's frame number.
        key: what it was made from.
        pixels: [H, W] float32 over the data window, 0..1.
        header: the plate's.
        attributes: what its file says about how it was made.
    """

    frame: int
    key: bytes
    pixels: Pixels
    header: FrameHeader
    attributes: Mapping[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One alpha where it was asked for: a file's path, or a mapped image.

    Attributes:
        frame: the host's frame number.
        cached: whether nothing was made for it.
        kept: whether it stood in its place already.
    """

    frame: int
    cached: bool = False
    kept: bool = False
    path: str = ""
    key: bytes = b""
    mapped: MappedImage | None = None


class Sink(Protocol):
    """Where a job's alphas go; called from several threads at once."""

    @property
    def depth(self) -> Depth:
        """The pixel type; part of an alpha's key."""
        ...

    def standing(self, frame: int, key: bytes) -> Delivery | None:
        """Return the alpha that stands there already with this key."""
        ...

    def place(self, frame: int, key: bytes, cached: Path) -> Delivery:
        """Deliver a finished alpha from the cache.

        Raises:
            OutputError: it cannot be written.
        """
        ...

    def put(self, alpha: Alpha) -> Delivery:
        """Deliver a new alpha and keep it in the cache.

        Raises:
            OutputError: it cannot be written.
        """
        ...


class FileSink:
    """EXR files, named after the plate's frames."""

    def __init__(self, files: AlphaFiles, *, depth: Depth, cache: DiskCache) -> None:
        self._files = files
        self._cache = cache
        self.depth = depth

    def standing(self, frame: int, key: bytes) -> Delivery | None:
        """Return the file that stands there already with this key."""
        path = self._files.path(frame)
        if read_stamp(path) != key:
            return None
        return Delivery(frame=frame, cached=True, kept=True, path=str(path))

    def place(self, frame: int, key: bytes, cached: Path) -> Delivery:
        """Copy a finished file from the cache into place."""
        del key
        path = self._files.path(frame)
        copy_into_place(cached, path)
        return Delivery(frame=frame, cached=True, path=str(path))

    def put(self, alpha: Alpha) -> Delivery:
        """Write a file, and keep a copy of it in the cache."""
        path = self._files.path(alpha.frame)
        write_alpha(
            path,
            alpha.pixels,
            header=alpha.header,
            depth=self.depth,
            attributes=alpha.attributes,
        )
        self._cache.add_alpha(alpha.key, path)
        return Delivery(frame=alpha.frame, path=str(path))


class MappedSink:
    """Memory-mapped float pixels, for a host that asked for them; the host deletes each buffer."""

    depth = Depth.FLOAT

    def __init__(self, buffers: Path, cache: DiskCache) -> None:
        self._buffers = buffers
        self._cache = cache

    def standing(self, frame: int, key: bytes) -> Delivery | None:
        """Return nothing: a host asks for what it does not have."""
        del frame, key
        return None

    def place(self, frame: int, key: bytes, cached: Path) -> Delivery:
        """Map a finished alpha from the cache."""
        return self._mapped(frame, key, read_alpha(cached), cached=True)

    def put(self, alpha: Alpha) -> Delivery:
        """Map an alpha, and keep it in the cache as a file."""
        self._cache.make_alpha(
            alpha.key,
            lambda path: write_alpha(
                path,
                alpha.pixels,
                header=alpha.header,
                depth=self.depth,
                attributes=alpha.attributes,
            ),
        )
        return self._mapped(alpha.frame, alpha.key, alpha.pixels, cached=False)

    def _mapped(self, frame: int, key: bytes, pixels: Pixels, *, cached: bool) -> Delivery:
        # Its maker's process comes first, so that what a dead server left can be swept.
        name = f"{os.getpid()}-alpha-{frame}-{secrets.token_hex(8)}"
        return Delivery(
            frame=frame,
            cached=cached,
            key=key,
            mapped=write_mapped(self._buffers, name, pixels),
        )
