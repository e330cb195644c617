"""Movies to look at and to hand on: frame by frame, whole or not at all.

- A movie appears under its final name by a rename, after its last frame is in it.
- How its pictures are encoded is said in `codecs`. It is made of the EXR alphas, which stay the
  matte.
- A movie of ours says so in its comment; `is_our_movie` reads just that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import cast

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from gvm_client.errors import SettingsError
from gvm_server.media.atomic_files import replacing
from gvm_server.media.geometry import FrameHeader
from gvm_server.media.outputs.codecs import BT709, Encoding, as_frame, encoding_of
from gvm_server.media.pixels import Pixels
from gvm_server.media.plates.movies.file import CONFINED, timecode_text

CONTAINERS: Mapping[str, str] = MappingProxyType({".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"})
DEFAULT_RATE = Fraction(24)  # frames per second, where the plate has none

_MAX_CLOCK = 65_535  # ticks a second; MPEG-4 counts time in 16 bits
_COMMENT = "Made by GVM Bridge."


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieShape:
    """What a movie's frames share; width and height are the pictures', odd numbers too.

    Attributes:
        timecode: of the first frame as text; "" where it has none.
    """

    width: int
    height: int
    rate: Fraction = DEFAULT_RATE
    pixel_aspect: float = 1.0
    timecode: str = ""

    @classmethod
    def of(cls, header: FrameHeader) -> MovieShape:
        """Return the shape of a plate's display window, at the plate's rate or 24 a second.

        The header is the first frame's: its timecode is the movie's.
        """
        rate = Fraction(*header.frame_rate) if header.frame_rate else DEFAULT_RATE
        return cls(
            width=header.display.width,
            height=header.display.height,
            rate=1 / (1 / rate).limit_denominator(_MAX_CLOCK),
            pixel_aspect=header.pixel_aspect,
            timecode=timecode_text(header.timecode, rate) if header.timecode else "",
        )


class MovieWriter:
    """Encodes pictures one after the other; made by `writing_movie`."""

    def __init__(
        self, container: av.container.OutputContainer, shape: MovieShape, encoding: Encoding
    ) -> None:
        self._container = container
        self._shape = shape
        self._encoding = encoding
        self._count = 0
        options = dict(encoding.options)
        made = container.add_stream(encoding.encoder, rate=shape.rate, options=options)
        stream = cast("VideoStream", made)
        even = encoding.is_subsampled
        stream.width = shape.width + shape.width % 2 * even
        stream.height = shape.height + shape.height % 2 * even
        stream.pix_fmt = encoding.pixels
        if shape.timecode:
            stream.metadata["timecode"] = shape.timecode
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(shape.pixel_aspect).limit_denominator(1000)
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries = context.color_trc = BT709
        self._stream = stream

    def write(self, picture: Pixels, alpha: Pixels | None = None) -> None:
        """Add a picture, display-referred; outside 0..1 is clipped.

        Where colours have half the size, an odd side grows by one pixel, a copy of its edge.

        Args:
            picture: [H, W] grey or [H, W, 3].
            alpha: [H, W], where the encoding has one; a grey picture is its own.
        """
        shape = self._shape
        if picture.shape[:2] != (shape.height, shape.width):
            raise ValueError(f"the picture is {picture.shape}, the movie {shape}")
        if self._encoding.is_subsampled:
            picture = _even(picture)
        frame = as_frame(picture, alpha, self._encoding)
        frame.pts = self._count
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode what the codec still holds and end the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


@contextmanager
def writing_movie(
    path: Path, shape: MovieShape, encoding: Encoding | None = None
) -> Iterator[MovieWriter]:
    """Give a writer for a movie; the file gets its name when the block ends well.

    Args:
        path: of the movie.
        shape: of its pictures.
        encoding: of its pictures; None is what every player shows.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the movie is left.
        SettingsError: the name's ending is no known container's, or not the encoding's; or its
            codec takes no pictures of this size.
    """
    encoding = encoding or encoding_of(None, is_matte=True)
    kind = movie_container(path, encoding)
    check_size(path, encoding, shape.width, shape.height)
    size_hint = 3 * shape.width * shape.height
    with replacing(path, size_hint=size_hint) as temporary, _as_os_errors():
        container = av.open(str(temporary), "w", format=kind)
        try:
            container.metadata["comment"] = _COMMENT
            writer = MovieWriter(container, shape, encoding)
            container.start_encoding()  # the file is opened here, and not after some frames
            yield writer
            writer.finish()
        finally:
            with suppress(av.FFmpegError):  # it is closed already, or the first error is told
                container.close()


def movie_container(path: Path, encoding: Encoding) -> str:
    """Return the container that a movie's name asks for, as FFmpeg calls it.

    Raises:
        SettingsError: its ending is not one of `CONTAINERS`, or not the encoding's.
    """
    endings = encoding.endings or tuple(CONTAINERS)
    kind = CONTAINERS.get(path.suffix.lower())
    if kind is None or path.suffix.lower() not in endings:
        raise SettingsError(
            f"The movie {path} ends with {path.suffix!r}.",
            remedy=f"Name it with {'one of ' * (len(endings) > 1)}{', '.join(endings)}.",
            path=str(path),
        )
    return kind


def check_size(path: Path, encoding: Encoding, width: int, height: int) -> None:
    """Refuse pictures of a size that a movie's codec does not take.

    Raises:
        SettingsError: they are too small or too large.
    """
    least, most = encoding.least, encoding.most
    if least[0] <= width <= most[0] and least[1] <= height <= most[1]:
        return
    raise SettingsError(
        f"The pictures of {path} are {width}x{height}; its codec ({encoding.encoder}) takes"
        f" {least[0]}x{least[1]} to {most[0]}x{most[1]}.",
        remedy="Take another --movie-codec: prores4444 takes every size.",
        path=str(path),
    )


def is_our_movie(path: Path) -> bool:
    """Return whether a file is a movie that this program made."""
    try:
        with av.open(str(path), options=dict(CONFINED)) as container:
            words = {name.lower(): text for name, text in container.metadata.items()}
    except (OSError, av.FFmpegError):
        return False
    return words.get("comment") == _COMMENT


def _even(picture: Pixels) -> Pixels:
    """Return a picture with even sides."""
    height, width = picture.shape[:2]
    if not height % 2 and not width % 2:
        return picture
    grown = ((0, height % 2), (0, width % 2), *((0, 0),) * (picture.ndim - 2))
    return np.pad(picture, grown, mode="edge")


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Turn FFmpeg's errors into OSError, which says why a file cannot be written."""
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
