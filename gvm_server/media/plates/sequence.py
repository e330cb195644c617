"""A plate of image files: a sequence, or a single image as a clip of one frame.

- The folder is scanned once, when the plate is opened; each file is one version all the while.
- Every frame has the display window and the pixel aspect of the clip's first frame that can be
  read; the canvas is all frames'.
"""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, compress
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import abbreviated_frames
from gvm_client.settings import PlateKeys
from gvm_server.media.colour.spaces import resolve_colour
from gvm_server.media.file_access import FIRST_BYTES, Roots, StallError, answered, read_head
from gvm_server.media.geometry import ClipGeometry, FrameHeader, FrameWindows, geometry_of
from gvm_server.media.pixels import Pixels, require_finite
from gvm_server.media.plates.base import AT_A_TIME, Plate, PlateFrame, PlateOptions, check_extent
from gvm_server.media.plates.find import SequencePath, StillPath, missing_plate
from gvm_server.media.plates.image import (
    Findings,
    ImageFile,
    look_at,
    read_display_lines,
    read_first_channel,
    read_header,
    read_image,
)
from gvm_server.media.store.file_keys import hash_texts

_DAMAGED = {ErrorCode.PLATE_UNREADABLE, ErrorCode.PLATE_MISSING}

READERS = 8  # what waits for a network's disk; a local one takes less time with one
# What one reader may take, for a file and to begin with, before others help it.
_QUICK_SECONDS, _FIRST_SECONDS = 0.0005, 0.05
REMEMBERED = 1 << 18  # files, at about 200 bytes each

_known: OrderedDict[bytes, FrameWindows] = OrderedDict()
_lock = Lock()

_Seen: TypeAlias = tuple[bytes, bytes] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFiles:
    """The files of a plate: what it is called, which frames are there, and where each is."""

    name: str
    frames: frozenset[int]
    path: Callable[[int], Path]


def scan_sequence(pattern: SequencePath) -> ImageFiles:
    """Look once at which files of a pattern are there.

    Raises:
        InputError: there are none, or the folder cannot be read.
    """
    try:
        with os.scandir(pattern.folder) as entries:
            found = {pattern.frame_of(entry.name) for entry in entries}
    except OSError as error:
        raise InputError(
            f"{pattern.folder} cannot be read: {error.strerror}.",
            remedy="Check that you may read this folder.",
            path=str(pattern.folder),
        ) from error
    frames = frozenset(frame for frame in found if frame is not None)
    if not frames:
        raise missing_plate(Path(str(pattern)))
    path = lru_cache(4 * AT_A_TIME)(pattern.path)  # a path remembers its text and its hash
    return ImageFiles(name=str(pattern), frames=frames, path=path)


def single_image(still: StillPath, options: PlateOptions) -> ImageFiles:
    """Return a single image as a clip: its own frame number, else the clip's first, else 1."""
    frame = still.frame
    if frame is None:
        frame = 1 if options.first is None else options.first
    return ImageFiles(name=str(still), frames=frozenset({frame}), path=lambda _: still.path)


class ImagePlate:
    """A plate of image files; safe to read from several threads.

    Attributes:
        read_channels: the names of the channels that are read, each once.
        unread_channels: those of the same part's others.

    Raises:
        InputError: no frame of it lies in the clip, none is readable, the layer is not there, or
            the colour space is unknown.
    """

    def __init__(self, files: ImageFiles, options: PlateOptions, *, roots: Roots) -> None:
        self.name = files.name
        self.first = min(files.frames) if options.first is None else options.first
        self.last = max(files.frames) if options.last is None else options.last
        check_extent(self.name, self.first, self.last)
        self._files = files
        self._options = options
        self._roots = roots
        self._keys = options.file_keys(by_content=options.keys is not PlateKeys.STAT)
        self._layer: str | None = None  # found in the first file, expected of all
        found = self._first_readable()
        self._layer = found.layer
        self.read_channels, self.unread_channels = found.read, found.unread
        self.colour = resolve_colour(options.colourspace, found.hint, options.configuration)
        self._display, self._aspect = found.header.display, found.header.pixel_aspect
        said = (self.colour.note,) if self.colour.note else ()
        self.notes: tuple[str, ...] = (*said, *found.remarks)

    def missing(self) -> list[int]:
        """Return the frames of the clip that are not there, ascending."""
        clip = range(self.first, self.last + 1)
        return [frame for frame in clip if frame not in self._files.frames]

    def want(self, frames: Sequence[int]) -> bool:  # noqa: ARG002 - the contract's
        """Return that nothing is waited for: files need no asking."""
        return True

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Look at the files of those that are there and may be read."""
        there = [self._file(frame) for frame in frames if frame in self._files.frames]
        for at in range(0, len(there), AT_A_TIME):
            some = there[at : at + AT_A_TIME]
            allowed = _allowed(some, self._may_read)
            self._keys.look_ahead([image.path for image in compress(some, allowed)])

    def key(self, frame: int) -> bytes:
        """Return 16 bytes for the version of the frame's file that this plate reads."""
        return self._keys.key(self._image(frame).path, frame, self._layer)

    def header(self, frame: int) -> FrameHeader:
        """Return a frame's header without reading its pixels."""
        with self._proven(self._image(frame)) as image:
            header = read_header(image)
        self._check_size(header, frame)
        return header

    def geometry(self) -> ClipGeometry:
        """Return what holds for the whole clip, from the headers of all its frames."""
        frames = self._there()
        windows = read_windows([self._file(frame) for frame in frames], self._may_read)
        return geometry_of(self.name, dict(zip(frames, windows, strict=True)))

    def read(self, frame: int) -> PlateFrame:
        """Read a frame."""
        image = self._image(frame)
        with self._proven(image) as proven:
            header, pixels = read_image(proven)
        self._check_size(header, frame)
        pixels = require_finite(pixels, self._options.bad_pixels, frame=frame, path=str(image.path))
        return PlateFrame(frame=frame, header=header, stored=pixels)

    def read_display_lines(
        self, frame: int, choose: Callable[[int], Sequence[range]]
    ) -> tuple[FrameHeader, Pixels]:
        """Read some lines of a frame's display window: header, and [N, W, 3] float32 as stored.

        Args:
            frame: its number.
            choose: returns spans of lines from the top, ascending, of a display window's height.

        Raises:
            InputError: the frame is missing, unreadable, or holds NaN or infinite pixels.
        """
        with self._proven(self._image(frame)) as image:
            header, pixels = read_display_lines(image, choose)
        self._check_size(header, frame)
        path = str(self._file(frame).path)
        finite = require_finite(pixels, self._options.bad_pixels, frame=frame, path=path)
        return header, np.asarray(finite, np.float32)

    def read_first_channel(self, frame: int) -> tuple[FrameHeader, Pixels]:
        """Read a frame's first channel [H, W] float32 over its data window, and its header.

        Raises:
            InputError: the frame is missing or unreadable.
        """
        with self._proven(self._image(frame)) as image:
            header, pixels = read_first_channel(image)
        self._check_size(header, frame)
        return header, pixels

    def path(self, frame: int) -> Path:
        """Return the file of a frame."""
        return self._files.path(frame)

    def close(self) -> None:
        """Do nothing: no file stays open."""

    @contextmanager
    def _proven(self, image: ImageFile) -> Iterator[ImageFile]:
        """Give an image to be read, and prove that its file was one version all the while."""
        with self._keys.read(image.path, image.frame, head_bytes=FIRST_BYTES) as opened:
            yield replace(image, path=opened.path, head=opened.head)

    def _image(self, frame: int) -> ImageFile:
        """Return where a frame is; a link that leads outside the tree is refused."""
        if not self.first <= frame <= self.last:
            raise outside_clip(self, frame)
        image = self._file(frame)
        self._roots.check_read(image.path)
        return image

    def _file(self, frame: int) -> ImageFile:
        path = self._files.path(frame)
        return ImageFile(path=path, frame=frame, layer=self._options.layer, expected=self._layer)

    def _may_read(self, image: ImageFile) -> None:
        self._roots.check_read(image.path, in_look=True)

    def _first_readable(self) -> Findings:
        """Look at the first frame that can be read: damage elsewhere is no window's trouble."""
        failure: InputError | None = None
        for frame in self._there():
            image = self._image(frame)
            try:
                with self._proven(image) as proven:
                    return look_at(proven)
            except InputError as error:
                if error.code not in _DAMAGED or isinstance(error, StallError):
                    raise
                failure = failure or error
        assert failure is not None  # noqa: S101 (some frame is there)
        raise failure

    def _there(self) -> list[int]:
        """Return the frames of the clip that are there, ascending."""
        there = self._files.frames
        in_clip = [frame for frame in there if self.first <= frame <= self.last]
        if not in_clip:
            raise InputError(
                f"No frame of {self.name} lies in {self.first}-{self.last}; on disk are"
                f" {abbreviated_frames(there)}.",
                remedy="Set the clip's extent with --first and --last.",
                code=ErrorCode.RANGE_OUTSIDE,
                path=self.name,
            )
        return sorted(in_clip)

    def _check_size(self, header: FrameHeader, frame: int) -> None:
        unlike = header.windows.unlike(self._display, self._aspect)
        if unlike:
            raise InputError(
                f"Frame {frame} of {self.name} {unlike}.",
                remedy="Render the frame again, or matte the two parts as two clips with --first"
                " and --last.",
                code=ErrorCode.PLATE_MISMATCH,
                frame=frame,
                path=str(self._files.path(frame)),
            )


def outside_clip(plate: Plate, frame: int) -> InputError:
    """Return the error for a frame that is not one of the clip's."""
    return InputError(
        f"Frame {frame} lies outside the clip {plate.first}-{plate.last} of {plate.name}.",
        remedy="Ask for frames of the clip, or set its extent with --first and --last.",
        code=ErrorCode.RANGE_OUTSIDE,
        frame=frame,
        path=plate.name,
    )


def read_windows(
    images: Sequence[ImageFile], check: Callable[[ImageFile], None]
) -> list[FrameWindows | None]:
    """Return each file's windows; None where they cannot be read.

    Args:
        images: the files.
        check: raises InputError for a file that may not be read.

    Raises:
        StallError: their disk does not answer.
    """

    def look(some: Sequence[ImageFile]) -> list[FrameWindows | None]:
        seen: list[_Seen] = []

        def look_at_each() -> None:
            seen.extend(_look(one) if _is_allowed(one, check) else None for one in some)

        answered(look_at_each, some[0].path.parent, progress=lambda: len(seen))
        return list(map(_windows, some, seen))

    shares = (images[at : at + AT_A_TIME] for at in range(0, len(images), AT_A_TIME))
    found: list[FrameWindows | None] = []
    began = time.monotonic()
    for share in shares:
        found += look(share)
        if time.monotonic() - began > _FIRST_SECONDS + len(found) * _QUICK_SECONDS:
            break
    with ThreadPoolExecutor(READERS, thread_name_prefix="headers") as pool:
        return [*found, *chain.from_iterable(pool.map(look, shares))]


def _allowed(images: Sequence[ImageFile], check: Callable[[ImageFile], None]) -> list[bool]:
    """Return of each file whether it may be read."""
    allowed: list[bool] = []

    def check_each() -> None:
        allowed.extend(_is_allowed(image, check) for image in images)

    if images:
        answered(check_each, images[0].path.parent, progress=lambda: len(allowed))
    return allowed


def _is_allowed(image: ImageFile, check: Callable[[ImageFile], None]) -> bool:
    try:
        check(image)
    except InputError:
        return False  # whoever needs this frame learns why
    return True


def _look(image: ImageFile) -> _Seen:
    """Look at a file: the key of its version, and its first bytes where they are not known."""
    try:
        status = os.stat(image.path)  # noqa: PTH116 - a hundred thousand of them
        # The last time too: a copy over a file may keep its size and its date.
        times = (status.st_mtime_ns, status.st_ctime_ns)
        version = (status.st_size, status.st_ino, status.st_dev, *times)
        key = hash_texts(image.path, image.layer, image.expected, *version)
        return key, b"" if key in _known else read_head(image.path)[1]
    except OSError:
        return None


def _windows(image: ImageFile, seen: _Seen) -> FrameWindows | None:
    if seen is None:
        return None
    key, head = seen
    with _lock:
        known = _known.get(key)
        if known is not None:
            _known.move_to_end(key)
            return known
    try:
        windows = read_header(replace(image, head=head or None)).windows
    except StallError:
        raise
    except InputError:
        return None
    with _lock:
        # Most frames lie as the one before: those share one object.
        last = next(reversed(_known.values()), None)
        _known[key] = last if last == windows and last is not None else windows
        while len(_known) > REMEMBERED:
            _known.popitem(last=False)
    return windows
