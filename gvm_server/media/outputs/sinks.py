"""Where finished alphas go: EXR files beside the comp, or memory that a host reads."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from gvm_client.file_content import ALPHA, Compression, FileContent
from gvm_client.settings import Depth
from gvm_server.media.alphas.exr import (
    read_alpha_file,
    read_proven,
    sealed_bytes,
)
from gvm_server.media.alphas.stamp import STAMP, Fingerprint, prove_file, read_stamp
from gvm_server.media.atomic_files import write_failure
from gvm_server.media.file_access import OpenFolder
from gvm_server.media.geometry import Box, FrameHeader, on_display
from gvm_server.media.mapped_image import MappedImage, write_mapped
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.outputs.parts import FilePart, parts_of, recipes_of_others
from gvm_server.media.pixels import Pixels, StoredPixels, as_float
from gvm_server.media.store.cache import DiskCache


@dataclass(frozen=True, kw_only=True, slots=True)
class Alpha:
    """One finished alpha.

    Attributes:
        frame: the host's frame number.
        fingerprint: what it was made from, and what made it.
        pixels: [H, W] over the data window, 0..1; half at most where its file is.
        header: the plate's.
        attributes: what its file says about how it was made.
        layers: the planes beside it, [H, W] float32, by their channels' names.
        linear: the name of the space that their colours are in.
        chromaticities: of that space; () where they are not known.
        foreground: [H, W, 3] in the plate's own space, where a host asked for it.
    """

    frame: int
    fingerprint: Fingerprint
    pixels: StoredPixels
    header: FrameHeader
    attributes: Mapping[str, str]
    layers: Mapping[str, Pixels] = field(default_factory=dict)
    linear: str = ""
    chromaticities: tuple[float, ...] = ()
    foreground: Pixels | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """One alpha where it was asked for: a file's path, or a mapped image.

    Attributes:
        frame: the host's frame number.
        cached: whether nothing was made for it.
        kept: whether it stood in its place already.
        foreground: the mapped image of the subject's colours, where they were asked for.
        roi_cut: the sides of its region that the matte touches inside the frame.
    """

    frame: int
    cached: bool = False
    kept: bool = False
    path: str = ""
    key: bytes = b""
    mapped: MappedImage | None = None
    foreground: MappedImage | None = None
    roi_cut: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands where an alpha was asked for.

    Attributes:
        kept: whether it is that alpha.
        maker: what made it, which may be another maker than here.
        damaged: whether it was that alpha and is not whole any more.
        path: where it is kept; None where it is no file.
    """

    kept: bool = False
    maker: str = ""
    damaged: bool = False
    path: Path | None = None


class Sink(Protocol):
    """Where a job's alphas go; called from several threads at once."""

    @property
    def depth(self) -> Depth:
        """The pixel type; part of an alpha's key."""
        ...

    @property
    def content(self) -> FileContent:
        """What is wanted besides the alpha."""
        ...

    @property
    def way_back(self) -> Callable[[Pixels], Pixels] | None:
        """From light to the plate's own space, where a host takes colours; else None."""
        ...

    def fingerprints(self, wanted: Fingerprint) -> tuple[Fingerprint, ...]:
        """Return the fingerprints of the files that an alpha and its layers are kept as."""
        ...

    def standing(self, frame: int, wanted: Fingerprint) -> Standing:
        """Return what stands there already."""
        ...

    def outdated(self, frame: int, wanted: Fingerprint) -> tuple[Path, ...]:
        """Return files of ours that stay beside an alpha though they were made of another one.

        They are of layers that are not asked for any more.
        """
        ...

    def path(self, frame: int) -> str:
        """Return the path of a frame's alpha; "" where it is no file."""
        ...

    def place(self, frame: int, wanted: Fingerprint, cached: Sequence[Path]) -> Delivery:
        """Deliver a finished alpha from the cache, where all of its files lie.

        Raises:
            FileNotFoundError: it is not there any more, or not whole.
            InputError: it went away, or was damaged, while it was read.
            OutputError: it cannot be written.
        """
        ...

    def put(self, alpha: Alpha) -> Delivery:
        """Deliver a new alpha.

        Raises:
            OutputError: it cannot be written.
        """
        ...

    def keep(self, alpha: Alpha) -> tuple[Fingerprint, ...]:
        """Keep an alpha in the cache that was put; whoever waits for it has been told.

        Returns:
            The fingerprints of the files that are kept.
        """
        ...

    def close(self) -> None:
        """Let go of what is held open; nothing is delivered after."""
        ...


class FileSink:
    """EXR files, named after the plate's frames.

    Attributes:
        files: their names.

    Args:
        files: their names.
        depth: their pixel type.
        cache: where copies are kept.
        content: what they hold besides the alpha.
        same_maker: whether finished files that another maker made do not count.
        opened: their folder, where nothing may be written outside it; None goes by its name.
    """

    way_back = None

    def __init__(
        self,
        files: AlphaFiles,
        *,
        depth: Depth,
        cache: DiskCache,
        content: FileContent = FileContent(),  # noqa: B008 (it is frozen)
        same_maker: bool = False,
        opened: OpenFolder | None = None,
    ) -> None:
        self._parts = parts_of(content)
        self._others = recipes_of_others(content)
        self._there: frozenset[str] | None = None
        self.files = files
        self._opened = opened
        self._cache = cache
        self._same_maker = same_maker
        self._written: dict[Path, bytearray] = {}  # from `put` to `keep`
        self.depth = depth
        self.content = content

    def fingerprints(self, wanted: Fingerprint) -> tuple[Fingerprint, ...]:
        """Return one for each file of a frame; a file of the alpha alone has the alpha's."""
        return tuple(wanted.holding(part.recipe) for part in self._parts)

    def standing(self, frame: int, wanted: Fingerprint) -> Standing:
        """Look at the files that stand there; they are kept whoever made them, unless said so."""
        found = [self._standing(frame, *pair) for pair in self._pairs(wanted)]
        if len(found) == 1:
            return found[0]
        return replace(
            found[0],
            kept=all(one.kept for one in found),
            damaged=any(one.damaged for one in found),
        )

    def outdated(self, frame: int, wanted: Fingerprint) -> tuple[Path, ...]:
        """Look for layers' own files of an earlier choice; a file that is not ours does not count.

        The folder is listed once, at the first frame.
        """
        if self._there is None:
            folder = self.files.folder
            there = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
            self._there = frozenset(
                name for name in there if any(suffix in name for suffix in self._others)
            )
        if not self._there:
            return ()
        found = []
        for suffix, recipes in self._others.items():
            path = self.files.path(frame, suffix)
            if path.name in self._there and (stamp := read_stamp(path)) is not None:
                current = {wanted.holding(recipe).recipe for recipe in recipes}
                if stamp not in current:
                    found.append(path)
        return tuple(found)

    def path(self, frame: int) -> str:
        """Return the path of the alpha's own file."""
        return str(self.files.path(frame))

    def place(self, frame: int, wanted: Fingerprint, cached: Sequence[Path]) -> Delivery:
        """Copy a finished frame's files from the cache into place."""
        for (part, made), source in zip(self._pairs(wanted), cached, strict=True):
            path = self.files.path(frame, part.suffix)
            with self._placing(path) as place:
                data = read_proven(source, made)
                self._cache.registry.put(path, made, data, at=place, umask=self.files.umask)
        return Delivery(frame=frame, cached=True, path=self.path(frame))

    def put(self, alpha: Alpha) -> Delivery:
        """Write a frame's files but those that stand."""
        several = len(self._parts) > 1
        for part, made in self._pairs(alpha.fingerprint):
            if not (several and self._standing(alpha.frame, part, made).kept):
                self._write(part, made, alpha)
        return Delivery(frame=alpha.frame, path=self.path(alpha.frame))

    def keep(self, alpha: Alpha) -> tuple[Fingerprint, ...]:
        """Keep copies of a frame's files."""
        for part, made in self._pairs(alpha.fingerprint):
            path = self.files.path(alpha.frame, part.suffix)
            data = self._written.pop(path, None)
            if data is not None:
                self._cache.put_alpha(made, data)
            else:
                with self._placing(path) as place:
                    self._cache.add_alpha(made, place)
        return self.fingerprints(alpha.fingerprint)

    def close(self) -> None:
        """Let the folder go."""
        if self._opened is not None:
            self._opened.close()

    def _pairs(self, wanted: Fingerprint) -> Iterator[tuple[FilePart, Fingerprint]]:
        return zip(self._parts, self.fingerprints(wanted), strict=True)

    def _standing(self, frame: int, part: FilePart, wanted: Fingerprint) -> Standing:
        path = self.files.path(frame, part.suffix)
        found, damaged = self._cache.registry.look(path, wanted.recipe)
        if found is None:
            return Standing(damaged=damaged)
        kept = found.maker == wanted.maker or not self._same_maker
        return Standing(kept=kept, maker=found.maker, path=path)

    def _write(self, part: FilePart, made: Fingerprint, alpha: Alpha) -> None:
        path = self.files.path(alpha.frame, part.suffix)
        says = {**alpha.attributes, **part.attributes(alpha.linear), STAMP: made.recipe.hex()}
        try:
            data = sealed_bytes(
                part.planes({ALPHA: alpha.pixels, **alpha.layers}),
                header=alpha.header,
                depth=self.depth,
                attributes=says,
                compression=Compression(self.content.compression),
                chromaticities=alpha.chromaticities if part.despill else (),
            )
        except OSError as error:
            raise write_failure(path, error) from error
        with self._placing(path) as place:
            self._cache.registry.put(path, made, data, at=place, umask=self.files.umask)
        self._written[path] = data

    @contextmanager
    def _placing(self, path: Path) -> Iterator[Path]:
        """Lend the path by which a file is written; where the folder is held, through that."""
        if self._opened is None:
            yield path
            return
        with self._opened.naming(path.parent) as folder:
            yield folder / path.name


class MappedSink:
    """Memory-mapped float pixels, for a host that asked for them; the host deletes each buffer.

    Args:
        buffers: the folder of the buffers.
        cache: where copies are kept.
        whole: whether an alpha covers the display window, whatever window its plate has: a host
            that shows a plate on disk knows its format only.
        shown: what it covers instead, where the host's picture was compared with the plate.
        content: the foreground, where the host wants that besides.
        way_back: then, from light to the plate's own space.
    """

    depth = Depth.FLOAT

    def __init__(
        self,
        buffers: Path,
        cache: DiskCache,
        *,
        whole: bool = False,
        shown: Box | None = None,
        content: FileContent = FileContent(),  # noqa: B008 (it is frozen)
        way_back: Callable[[Pixels], Pixels] | None = None,
    ) -> None:
        self.content = content
        self.way_back = way_back
        self._buffers = buffers
        self._cache = cache
        self._whole = whole
        self._shown = shown

    def fingerprints(self, wanted: Fingerprint) -> tuple[Fingerprint, ...]:
        """Return the alpha's own: one file in the cache holds it. None holds a host's colours."""
        return (wanted.holding("colours for a host") if self.content.has_colours else wanted,)

    def standing(self, frame: int, wanted: Fingerprint) -> Standing:
        """Return nothing: a host asks for what it does not have."""
        del frame, wanted
        return Standing()

    def outdated(self, frame: int, wanted: Fingerprint) -> tuple[Path, ...]:
        """Return nothing: no file is made."""
        del frame, wanted
        return ()

    def path(self, frame: int) -> str:
        """Return nothing: no file is made."""
        del frame
        return ""

    def place(self, frame: int, wanted: Fingerprint, cached: Sequence[Path]) -> Delivery:
        """Map a finished alpha from the cache."""
        (path,) = cached
        if prove_file(path) != wanted:
            raise FileNotFoundError(errno.ENOENT, "it is damaged", str(path))
        file = read_alpha_file(path)
        lies = file.pixels, file.data, file.display
        return self._mapped(frame, wanted.digest, *lies, cached=True)

    def put(self, alpha: Alpha) -> Delivery:
        """Map an alpha."""
        header = alpha.header
        foreground = None
        if alpha.foreground is not None:
            at = header.data.x - header.display.x, header.data.y - header.display.y
            name = self._name("foreground", alpha.frame)
            foreground = write_mapped(self._buffers, name, alpha.foreground, at=at)
        lies = as_float(alpha.pixels), header.data, header.display
        made = self._mapped(alpha.frame, alpha.fingerprint.digest, *lies, cached=False)
        return replace(made, foreground=foreground)

    def keep(self, alpha: Alpha) -> tuple[Fingerprint, ...]:
        """Keep nothing: what it is made of is kept, and it is made in less time than a file."""
        del alpha
        return ()

    def close(self) -> None:
        """Do nothing: nothing is held open."""

    def _mapped(
        self, frame: int, key: bytes, pixels: Pixels, data: Box, display: Box, *, cached: bool
    ) -> Delivery:
        if self._whole or self._shown is not None:
            covers = self._shown or display
            pixels, data = on_display(pixels, data, covers), covers
        return Delivery(
            frame=frame,
            cached=cached,
            key=key,
            mapped=write_mapped(
                self._buffers,
                self._name("alpha", frame),
                pixels,
                at=(data.x - display.x, data.y - display.y),
            ),
        )

    @staticmethod
    def _name(what: str, frame: int) -> str:
        # Its maker's process comes first, so that what a dead server left can be swept.
        return f"{os.getpid()}-{what}-{frame}-{secrets.token_hex(8)}"
