"""Movies to look at: H.264 where FFmpeg has it, frame by frame, whole or not at all.

- A movie appears under its final name by a rename, after its last frame is in it.
- 8 bits, 4:2:0, BT.709: every player shows it. It is for looking; the EXR alphas are the matte.
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
from numpy.typing import NDArray

from gvm_client.errors import SettingsError
from gvm_server.media.atomic_files import replacing
from gvm_server.media.geometry import FrameHeader
from gvm_server.media.pixels import Pixels
from gvm_server.media.plates.movies.file import CONFINED

CONTAINERS: Mapping[str, str] = MappingProxyType({".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"})
DEFAULT_RATE = Fraction(24)  # frames per second, where the plate has none

_H264 = "libx264"
# Each is visually lossless: x264's rate factor, and MPEG-4's quantiser. x264 would look 40 frames
# ahead to save bytes, which at 4K is half a gigabyte of frames held.
_CODECS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {_H264: {"crf": "12", "rc-lookahead": "8"}, "mpeg4": {"qmin": "2", "qmax": "2"}}
)
_MAX_CLOCK = 65_535  # ticks a second; MPEG-4 counts time in 16 bits
_BT709 = 1  # ISO/IEC 23091-2: primaries and transfer
_COMMENT = "Made by GVM Bridge."


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieShape:
    """What a movie's frames share; width and height are the pictures', odd numbers too."""

    width: int
    height: int
    rate: Fraction = DEFAULT_RATE
    pixel_aspect: float = 1.0

    @classmethod
    def of(cls, header: FrameHeader) -> MovieShape:
        """Return the shape of a plate's display window, at the plate's rate or 24 a second."""
        rate = Fraction(*header.frame_rate) if header.frame_rate else DEFAULT_RATE
        return cls(
            width=header.display.width,
            height=header.display.height,
            rate=1 / (1 / rate).limit_denominator(_MAX_CLOCK),
            pixel_aspect=header.pixel_aspect,
        )


class MovieWriter:
    """Encodes pictures one after the other; made by `writing_movie`."""

    def __init__(self, container: av.container.OutputContainer, shape: MovieShape) -> None:
        self._container = container
        self._shape = shape
        self._count = 0
        codec = _H264 if _H264 in av.codecs_available else "mpeg4"
        options = dict(_CODECS[codec])
        stream = cast("VideoStream", container.add_stream(codec, rate=shape.rate, options=options))
        # 4:2:0 wants even sides.
        stream.width, stream.height = _even(shape.width), _even(shape.height)
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.sample_aspect_ratio = Fraction(shape.pixel_aspect).limit_denominator(1000)
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries = context.color_trc = _BT709
        self._stream = stream

    def write(self, picture: Pixels) -> None:
        """Add a picture: [H, W] grey or [H, W, 3], display-referred; outside 0..1 is clipped.

        An odd side grows by one pixel, a copy of its edge.
        """
        shape = self._shape
        if picture.shape[:2] != (shape.height, shape.width):
            raise ValueError(f"the picture is {picture.shape}, the movie {shape}")
        frame = av.VideoFrame.from_ndarray(_rgb24(picture), format="rgb24").reformat(
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts = self._count
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode what the codec still holds and end the file."""
        self._container.mux(self._stream.encode())
        self._container.close()


@contextmanager
def writing_movie(path: Path, shape: MovieShape) -> Iterator[MovieWriter]:
    """Give a writer for a movie; the file gets its name when the block ends well.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the movie is left.
        SettingsError: the name's ending is not one of `CONTAINERS`.
    """
    kind = movie_container(path)
    size_hint = 3 * shape.width * shape.height
    with replacing(path, size_hint=size_hint) as temporary, _as_os_errors():
        container = av.open(str(temporary), "w", format=kind)
        try:
            container.metadata["comment"] = _COMMENT
            writer = MovieWriter(container, shape)
            container.start_encoding()  # the file is opened here, and not after some frames
            yield writer
            writer.finish()
        finally:
            with suppress(av.FFmpegError):  # it is closed already, or the first error is told
                container.close()


def movie_container(path: Path) -> str:
    """Return the container that a movie's name asks for, as FFmpeg calls it.

    Raises:
        SettingsError: its ending is not one of `CONTAINERS`.
    """
    kind = CONTAINERS.get(path.suffix.lower())
    if kind is None:
        raise SettingsError(
            f"The movie {path} ends with {path.suffix!r}.",
            remedy=f"Name it with one of {', '.join(CONTAINERS)}.",
            path=str(path),
        )
    return kind


def is_our_movie(path: Path) -> bool:
    """Return whether a file is a movie that this program made."""
    try:
        with av.open(str(path), options=dict(CONFINED)) as container:
            words = {name.lower(): text for name, text in container.metadata.items()}
    except (OSError, av.FFmpegError):
        return False
    return words.get("comment") == _COMMENT


def _rgb24(picture: Pixels) -> NDArray[np.uint8]:
    """Return [H, W, 3] of 8 bits with even sides."""
    height, width = picture.shape[:2]
    rounded = np.rint(np.clip(picture, 0.0, 1.0) * np.float32(255)).astype(np.uint8)
    colour = rounded if rounded.ndim == 3 else np.repeat(rounded[..., np.newaxis], 3, axis=-1)
    return np.pad(colour, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _even(side: int) -> int:
    return side + side % 2


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """Turn FFmpeg's errors into OSError, which says why a file cannot be written."""
    try:
        yield
    except av.FFmpegError as error:
        raise OSError(error.errno, error.strerror) from error
