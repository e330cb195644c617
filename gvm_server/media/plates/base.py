"""What a plate is: numbered frames with a header, a key and pixels, wherever they lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from gvm_client.errors import ErrorCode, InputError
from gvm_client.limits import MAX_FRAMES
from gvm_client.settings import BadPixels, Missing, PlateKeys
from gvm_server.media.colour.ocio import Configuration
from gvm_server.media.colour.spaces import Colour
from gvm_server.media.geometry import ClipGeometry, FrameHeader
from gvm_server.media.pixels import Pixels, StoredPixels, as_float
from gvm_server.media.store.file_keys import FileKeys
from gvm_server.media.store.memo import NOTHING, Memo

AT_A_TIME = 32  # frames whose files are looked at together


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateFrame:
    """One frame, read.

    Attributes:
        frame: the host's frame number that was asked for.
        header: as the file has it.
        stored: [H, W, 3] over the data window, in the plate's own colour space; finite. Half where
            its file holds half, else float.
    """

    frame: int
    header: FrameHeader
    stored: StoredPixels

    @property
    def pixels(self) -> Pixels:
        """The same as float32."""
        return as_float(self.stored)


@dataclass(frozen=True, kw_only=True, slots=True)
class PlateOptions:
    """How a plate on disk is to be read.

    Attributes:
        path: absolute; a sequence pattern, a folder with one sequence, an image, or a movie.
        first: the clip's first frame; None means the first on disk.
        last: the clip's last frame; None means the last on disk.
        layer: an EXR layer or part; "" means the main RGB.
        colourspace: `auto`, one of our names, or an OCIO name.
        configuration: of OpenColorIO; None is the built-in one.
        memo: what is known of files from before.
    """

    path: str
    first: int | None = None
    last: int | None = None
    layer: str = ""
    colourspace: str = "auto"
    configuration: Configuration | None = None
    missing: Missing = Missing.FAIL
    bad_pixels: BadPixels = BadPixels.FAIL
    keys: PlateKeys = PlateKeys.AUTO
    memo: Memo = NOTHING

    def file_keys(self, *, by_content: bool) -> FileKeys:
        """Return the keys of its files, of their content or of path, size and time."""
        reading = (self.layer, self.bad_pixels.value)
        return FileKeys(by_content=by_content, reading=reading, memo=self.memo)


def check_extent(name: str, first: int, last: int) -> None:
    """Refuse a clip that is longer than any, before its frames are gone through.

    Raises:
        InputError: RANGE_OUTSIDE: it has more than MAX_FRAMES frames.
    """
    if last - first >= MAX_FRAMES:
        raise InputError(
            f"The clip {first}-{last} of {name} has {last - first + 1:,} frames; at most"
            f" {MAX_FRAMES:,} are taken.",
            remedy="Set the clip's extent with --first and --last; a stray file may have a number"
            " far from the others'.",
            code=ErrorCode.RANGE_OUTSIDE,
            path=name,
        )


class Plate(Protocol):
    """A clip that can be read in any order, from several threads at once.

    Attributes:
        name: its path or its node's name, for messages.
        first: the clip's first frame.
        last: the clip's last frame.
        colour: the space that it is read in (never `auto`), and the conversion itself.
        notes: what the artist should know, in whole sentences.
    """

    name: str
    first: int
    last: int
    colour: Colour
    notes: tuple[str, ...]

    def missing(self) -> list[int]:
        """Return the frames of the clip that are not there, ascending."""
        ...

    def want(self, frames: Sequence[int]) -> bool:
        """Say that these frames will be read; return whether that needs no waiting for a host.

        A plate that a host holds asks for those that it was not given, once each.
        """
        ...

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Say that the keys of these frames come next: files are looked at some at a time.

        Nothing is wrong with a frame that is not there, or outside the clip: `key` says so.

        Raises:
            InputError: the disk does not answer.
        """
        ...

    def key(self, frame: int) -> bytes:
        """Return 16 bytes that stand for the frame's pixels, the same as long as the plate lives.

        `read` gives those very pixels, or raises.

        Raises:
            InputError: the frame is not there.
        """
        ...

    def header(self, frame: int) -> FrameHeader:
        """Return a frame's header without reading its pixels.

        Raises:
            InputError: the frame is missing or unreadable.
        """
        ...

    def geometry(self) -> ClipGeometry:
        """Return what holds for the whole clip, whichever frames are asked for.

        Raises:
            InputError: the clip's windows span more than a picture can.
        """
        ...

    def read(self, frame: int) -> PlateFrame:
        """Read a frame.

        Raises:
            InputError: the frame is missing, unreadable, or holds NaN or infinite pixels.
        """
        ...

    def close(self) -> None:
        """Give files and decoders back."""
        ...
