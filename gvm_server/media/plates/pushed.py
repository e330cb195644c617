"""A plate whose pixels a host holds: frames are asked for once, and waited for when read.

- A frame is copied out when it is read, and may be read again: its buffer stays until the job
  has ended.
- Nobody waits for ever: a read ends with the frame, at `close`, or when the host stays silent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Condition

from gvm_client.errors import ErrorCode, InputError, JobCancelled
from gvm_client.frames import abbreviated_frames
from gvm_client.settings import BadPixels
from gvm_server.media.colour.hints import FileHint
from gvm_server.media.colour.ocio import Configuration
from gvm_server.media.colour.spaces import resolve_colour
from gvm_server.media.geometry import Box, ClipGeometry, FrameHeader, describe, geometry_of
from gvm_server.media.mapped_image import MappedImage, read_mapped
from gvm_server.media.pixels import require_finite
from gvm_server.media.plates.base import PlateFrame, check_extent
from gvm_server.media.plates.sequence import outside_clip
from gvm_server.media.store.file_keys import hash_texts

PATIENCE_SECONDS = 120.0  # a host may render a slow tree for each frame that it is asked for


@dataclass(frozen=True, kw_only=True, slots=True)
class PushedOptions:
    """What a host says of its plate.

    Attributes:
        name: what the artist calls it.
        first: the clip's first frame.
        last: the clip's last frame.
        width: pixels of the clip's whole region; a frame may have fewer.
        height: pixels of the clip's whole region.
        keys: a hash of the pixels, and of where they lie, of each frame that may be read.
        pixel_aspect: width of a pixel over its height.
        colourspace: `auto` means scene-linear: hosts work in float.
        configuration: of OpenColorIO; None is the built-in one.
    """

    name: str
    first: int
    last: int
    width: int
    height: int
    keys: Mapping[int, str]
    pixel_aspect: float = 1.0
    colourspace: str = "auto"
    configuration: Configuration | None = None
    bad_pixels: BadPixels = BadPixels.FAIL


class PushedFrames:
    """A plate that a host gives frame by frame; safe to use from several threads.

    Args:
        options: what the host says of it.
        buffers: the folder of the mapped buffers.
        ask: called with frames that the host is to give; never called twice for a frame.
        patience_seconds: how long a read waits for the host.

    Raises:
        InputError: the colour space is unknown, or the clip is longer than any.
    """

    def __init__(
        self,
        options: PushedOptions,
        *,
        buffers: Path,
        ask: Callable[[tuple[int, ...]], None],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.name = options.name
        self.first = options.first
        self.last = options.last
        check_extent(self.name, self.first, self.last)
        # The pixel type is not known before the first frame comes; the OpenFX hosts work in float.
        pixels = FileHint(kind="pixels", is_float=True)
        self.colour = resolve_colour(options.colourspace, pixels, options.configuration)
        self.notes: tuple[str, ...] = (self.colour.note,) if self.colour.note else ()
        self._options = options
        self._buffers = buffers
        self._ask = ask
        self._patience = patience_seconds
        self._change = Condition()
        self._asked: set[int] = set()
        self._given: dict[int, MappedImage] = {}
        self._closed = False
        box = Box(x=0, y=0, width=options.width, height=options.height)
        self._header = FrameHeader(display=box, data=box, pixel_aspect=options.pixel_aspect)

    def missing(self) -> list[int]:
        """Return the frames of the clip that the host named no key for, ascending."""
        clip = range(self.first, self.last + 1)
        return [frame for frame in clip if frame not in self._options.keys]

    def want(self, frames: Sequence[int]) -> bool:
        """Ask the host for the frames not asked for yet; return whether all were given."""
        for frame in frames:
            self._check(frame)
        with self._change:
            new = tuple(frame for frame in dict.fromkeys(frames) if frame not in self._asked)
            self._asked.update(new)
            ready = all(frame in self._given for frame in frames)
        if new:
            self._ask(new)
        return ready

    def give(self, frame: int, image: MappedImage, *, key: str) -> None:
        """Take the place of a frame's pixels from the host, and the host's hash of them.

        Raises:
            InputError: the frame was not asked for, reaches outside the clip's region, or is
                another than the host named.
        """
        lies = _box(image)
        if not self._header.display.holds(lies):
            raise InputError(
                f"Frame {frame} of {self.name} is {describe(lies)}, the clip is"
                f" {describe(self._header.display)}.",
                remedy="Give the clip one format, with a Reformat or a Crop before this node.",
                code=ErrorCode.PLATE_MISMATCH,
                frame=frame,
                path=self.name,
            )
        with self._change:
            if frame not in self._asked:
                raise InputError(
                    f"Frame {frame} of {self.name} was given and not asked for.",
                    remedy="Update the node: give only the frames of need_frames.",
                    code=ErrorCode.ILLEGAL_MOVE,
                    frame=frame,
                    path=self.name,
                )
            if key != self._options.keys[frame]:  # its matte would be kept as the named one's
                raise InputError(
                    f"Frame {frame} of {self.name} was named as {self._options.keys[frame]} and"
                    f" given as {key}: its pixels changed meanwhile.",
                    remedy="Ask again when the source stands still.",
                    code=ErrorCode.PLATE_MISMATCH,
                    frame=frame,
                    path=self.name,
                )
            self._given[frame] = image
            self._change.notify_all()

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Do nothing: no frame has a file of its own."""

    def key(self, frame: int) -> bytes:
        """Return 16 bytes for the host's hash of the frame's pixels."""
        self._check(frame)
        return hash_texts("pushed", self._options.keys[frame], self._options.bad_pixels.value)

    def header(self, frame: int) -> FrameHeader:
        """Return the header of a frame that fills the clip's region."""
        self._check(frame)
        return self._header

    def geometry(self) -> ClipGeometry:
        """Return the clip's whole region, which the host says before the first frame."""
        return geometry_of(self.name, {self.first: self._header.windows})

    def read(self, frame: int) -> PlateFrame:
        """Wait for a frame, and copy it out.

        Raises:
            InputError: the host did not give it, or its pixels cannot be taken.
            JobCancelled: the plate was closed.
        """
        self.want((frame,))
        image = self._wait(frame)
        pixels = read_mapped(self._buffers, image)
        stored = require_finite(pixels, self._options.bad_pixels, frame=frame, path=self.name)
        header = replace(self._header, data=_box(image))
        return PlateFrame(frame=frame, header=header, stored=stored)

    def close(self) -> None:
        """End every wait."""
        with self._change:
            self._closed = True
            self._change.notify_all()

    def _wait(self, frame: int) -> MappedImage:
        with self._change:
            self._change.wait_for(
                lambda: self._closed or frame in self._given, timeout=self._patience
            )
            if self._closed:
                raise JobCancelled(f"Frame {frame} of {self.name} is not waited for any more.")
            image = self._given.get(frame)
        if image is None:
            raise InputError(
                f"The host did not give frame {frame} of {self.name} within"
                f" {self._patience:g} seconds.",
                remedy="Check that the host is alive and can render that frame, then ask again.",
                code=ErrorCode.PLATE_MISSING,
                frame=frame,
                path=self.name,
            )
        return image

    def _check(self, frame: int) -> None:
        if not self.first <= frame <= self.last:
            raise outside_clip(self, frame)
        if frame not in self._options.keys:
            raise InputError(
                f"The host named no pixels for frame {frame} of {self.name}; it named"
                f" {abbreviated_frames(self._options.keys)}.",
                remedy="Let the node name every frame of the windows that it asks for.",
                code=ErrorCode.PLATE_MISSING,
                frame=frame,
                path=self.name,
            )


def _box(image: MappedImage) -> Box:
    return Box(x=image.x, y=image.y, width=image.width, height=image.height)
