"""A plate that is a movie file: frames 1 to the last, each exact, never the whole in memory.

- Frame numbers count the frames as shown, from 1: times and rates that vary change nothing.
- Colours are the stream's own, by its matrix and range, as R, G, B at full range; more than
  8 bits stay so. Its alpha is read where the layer `A` or `alpha` is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Lock, local

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import PlateKeys
from gvm_server.media.colour.spaces import resolve_colour
from gvm_server.media.geometry import ClipGeometry, FrameHeader, describe, geometry_of
from gvm_server.media.pixels import Pixels
from gvm_server.media.plates.base import PlateFrame, PlateOptions
from gvm_server.media.plates.image import INTERLACED
from gvm_server.media.plates.movies.alpha import ALPHA_NAMES, alpha_of, no_alpha, said_of_layer
from gvm_server.media.plates.movies.decoder import MovieDecoder
from gvm_server.media.plates.movies.file import (
    MovieMetadata,
    display_orientation,
    timecode_at,
    unreadable,
)
from gvm_server.media.plates.movies.index import MovieContent, MovieIndex
from gvm_server.media.plates.movies.indexing import count_movie, index_movie
from gvm_server.media.plates.movies.look import MovieLook, header_of, known_look, look_of
from gvm_server.media.plates.sequence import outside_clip

# ISO/IEC 23091-2 matrix codes that FFmpeg gives a frame, as its scaler numbers them. PyAV names the
# last from 18 on; before, it leaves a frame with such a number its own code, which is right too.
_BT2020 = 9
_MATRICES: Mapping[int, int] = {
    1: Colorspace.ITU709,
    4: Colorspace.FCC,
    5: Colorspace.ITU601,
    6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M,
    9: _BT2020,
    10: _BT2020,
}
_HD_HEIGHT = 720  # streams that name no matrix: BT.709 from here on, BT.601 below, as players do


class MoviePlate:
    """A movie as a plate; safe to read from several threads.

    Attributes:
        reads_alpha: whether its alpha is read, not its colours.

    Raises:
        InputError: it is unreadable or empty, the clip reaches outside it, or the colour space
            is unknown.
    """

    def __init__(self, path: Path, options: PlateOptions) -> None:
        self.name = str(path)
        self._path = path
        self._keys = options.file_keys(by_content=False)
        with self._keys.read(path, options.first or 1) as opened:
            index = index_movie(opened.path, options.memo)
        self.first = 1 if options.first is None else options.first
        self.last = index.count if options.last is None else options.last
        if not 1 <= self.first <= self.last <= index.count:
            raise InputError(
                f"The clip {self.first}-{self.last} reaches outside the movie {path}, frames"
                f" 1-{index.count}.",
                remedy="Set the clip's extent with --first and --last; a movie's frames count"
                " from 1.",
                code=ErrorCode.RANGE_OUTSIDE,
                path=str(path),
            )
        self._threads = local()
        self._options = options
        self.reads_alpha = options.layer.lower() in ALPHA_NAMES
        self._content: MovieContent | None = None
        self._memo = options.memo
        self._count = index.count
        # Others than before pictures were counted there: such movies showed other ones.
        self._read_as = ("from the start",) if index.is_from_start else ()
        self._counting = Lock()
        self._shows: int | None = None  # how many frames, where they were counted
        self._closed = False
        self._decoder = MovieDecoder(opened.path, index)
        with ExitStack() as failed:
            failed.callback(self.close)
            version = self._keys.version(path, self.first)
            look = known_look(options.memo, version, self.first, self._look)
            self._facts, self._header, self._orientation = look.facts, look.header, look.orientation
            if self.reads_alpha and not look.alpha:
                raise no_alpha(path, options.layer, hidden=look.facts.hides_alpha)
            self.colour = resolve_colour(options.colourspace, look.hint, options.configuration)
            failed.pop_all()
        notes = (
            look.facts.choice,
            said_of_layer(options.layer),
            _said_of_end(index, look.facts),
            _said_of_rate(index, look.facts),
            self.colour.note,
            INTERLACED if look.interlaced else "",
        )
        self.notes: tuple[str, ...] = tuple(note for note in notes if note)

    def missing(self) -> list[int]:
        """Return nothing: a movie has all its frames."""
        return []

    def want(self, frames: Sequence[int]) -> bool:  # noqa: ARG002 - the contract's
        """Return that nothing is waited for: files need no asking."""
        return True

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Do nothing: no frame has a file of its own."""

    def key(self, frame: int) -> bytes:
        """Return 16 bytes for the file's version, or the frame's own packets, and the frame.

        A movie that proves to show another number of pictures has other ones from some frame on.
        """
        self._check(frame)
        if self._options.keys is not PlateKeys.CONTENT:
            return self._keys.key(self._path, frame, frame, self._count, *self._read_as)
        try:
            content = self._content_at(frame).of(frame - 1)
        except OSError as error:
            raise unreadable(self._path, error.strerror or str(error), frame=frame) from error
        shown = self._count, self._header, self._orientation
        return self._keys.of_content(content, frame, *shown)

    def _content_at(self, frame: int) -> MovieContent:
        with self._counting:
            if self._content is None:
                read = partial(self._keys.read, self._path, frame)
                version = self._keys.version(self._path, frame)
                with read() as opened:
                    index = index_movie(opened.path, self._memo)
                self._content = MovieContent(read, index, self._memo, version)
            return self._content

    def header(self, frame: int) -> FrameHeader:
        """Return the header that all frames share, with the frame's own timecode."""
        self._check(frame)
        return self._at(frame)

    def geometry(self) -> ClipGeometry:
        """Return what holds for the whole movie."""
        return geometry_of(self.name, {self.first: self._header.windows})

    def read(self, frame: int) -> PlateFrame:
        """Decode a frame."""
        self._check(frame)
        decoded = self._decode(frame)
        size = decoded.width, decoded.height
        found = header_of(size, display_orientation(decoded), self._facts)
        header = self._at(frame)
        if found != self._header:
            raise InputError(
                f"Frame {frame} of {self.name} is {describe(found.display)}, the clip is"
                f" {describe(self._header.display)}.",
                remedy="Convert the movie to one frame size.",
                code=ErrorCode.PLATE_MISMATCH,
                frame=frame,
                path=self.name,
            )
        return PlateFrame(frame=frame, header=header, stored=self._rgb(decoded))

    def close(self) -> None:
        """Close the file."""
        self._closed = True
        self._decoder.close()

    def _check(self, frame: int) -> None:
        if not self.first <= frame <= self.last:
            raise outside_clip(self, frame)

    def _decode(self, frame: int) -> VideoFrame:
        with self._keys.read(self._path, frame) as opened:
            decoder = self._decoder
            decoded = decoder.frame(frame - 1) or self._counted(opened.path, decoder).frame(
                frame - 1
            )
        if decoded is None:
            raise unreadable(self._path, "the decoder yields no such frame", frame=frame)
        return decoded

    def _look(self) -> MovieLook:
        return look_of(self._decode(self.first), self._decoder.facts())

    def _counted(self, real: Path, wrong: MovieDecoder) -> MovieDecoder:
        """Return a decoder by an index that was counted: the container's times were not right.

        Raises:
            InputError: the movie shows another number of frames than its container promises:
                those that were read may be others than their numbers say.
        """
        with self._counting:
            if self._shows is None:
                counted = count_movie(real, self._memo)
                self._shows = counted.count
                if self._shows == self._count:
                    self._decoder = MovieDecoder(real, counted)
                    wrong.close()
                    if self._closed:  # meanwhile: whoever did so saw the other decoder
                        self._decoder.close()
            if self._shows != self._count:
                raise unreadable(
                    self._path,
                    f"it shows {self._shows} frames, its container promised {self._count}",
                    remedy="Ask again: they were counted now. Or copy it again, or convert it to"
                    " an image sequence.",
                )
            return self._decoder

    def _at(self, frame: int) -> FrameHeader:
        rate = self._facts.rate
        if rate is None or not self._facts.timecode:
            return self._header
        return replace(self._header, timecode=timecode_at(self._facts.timecode, rate, frame - 1))

    def _rgb(self, decoded: VideoFrame) -> Pixels:
        """Return [H, W, 3] float32 0..1, turned upright; the alpha stands for all three."""
        if self.reads_alpha:
            alpha = np.repeat(alpha_of(decoded)[..., np.newaxis], 3, axis=2)
            return display_orientation(decoded).turn(alpha)
        if not hasattr(self._threads, "reformatter"):
            self._threads.reformatter = VideoReformatter()
        deep = any(component.bits > 8 for component in decoded.format.components)
        converted = self._threads.reformatter.reformat(
            decoded,
            format="rgb48le" if deep else "rgb24",
            src_colorspace=_matrix(decoded),
            dst_colorspace=Colorspace.ITU709,
            src_color_range=_range(decoded),
            dst_color_range=ColorRange.JPEG,
            threads=1,  # as many pictures are converted at a time as there are readers
        )
        pixels = converted.to_ndarray().astype(np.float32)
        pixels *= np.float32(1 / 65_535 if deep else 1 / 255)
        return display_orientation(decoded).turn(pixels)


def _said_of_end(index: MovieIndex, facts: MovieMetadata) -> str:
    if index.lost:
        return (
            f"The movie is cut short or damaged at its end: frames 1-{index.count} are whole,"
            f" {index.lost} after them are not and are left out."
        )
    if facts.missing_bytes:
        many = "byte" if facts.missing_bytes == 1 else "bytes"
        return (
            f"The movie's file is cut short by at least {facts.missing_bytes:,} {many}: frames"
            f" 1-{index.count} are whole, and what came after them is not there."
        )
    return ""


def _said_of_rate(index: MovieIndex, facts: MovieMetadata) -> str:
    if index.longest == 1 or facts.rate is None:
        return ""
    return (
        "The movie's frame rate varies: a picture lasts up to"
        f" {index.longest:.1f} times the mean. Frame n is its n-th picture, and what is made of"
        f" them has one rate, {float(facts.rate):.2f}: movies and timecodes run out of step with"
        " it. Convert it to a constant rate first where that matters."
    )


def _matrix(decoded: VideoFrame) -> int:
    unnamed = Colorspace.ITU709 if decoded.height >= _HD_HEIGHT else Colorspace.ITU601
    return _MATRICES.get(int(decoded.colorspace), unnamed)


def _range(decoded: VideoFrame) -> ColorRange:
    full = int(decoded.color_range) == ColorRange.JPEG or decoded.format.name.startswith("yuvj")
    return ColorRange.JPEG if full or decoded.format.is_rgb else ColorRange.MPEG
