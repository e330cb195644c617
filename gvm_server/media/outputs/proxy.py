"""A shot's proxy for a page: plate and matte, one above the other, in one small H.264 movie.

Both are in one picture, so no player can show one frame's plate with another's matte. Every frame
lasts as long: frame n is shown at (n + 0.5) / rate, whatever a player rounds.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import cast

import av
import av.container
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream
from numpy.typing import NDArray

from gvm_client.errors import OutputError
from gvm_server.media.colour.spaces import Colour
from gvm_server.media.pixels import Pixels

Picture = NDArray[np.uint8]

MOST_BYTES = 15_000_000  # of a movie; as text in a page it is a third more
_CODEC = "libx264"
_CRF, _KEYS_EVERY = "23", 12  # as good as the eye asks for; a seek decodes at most so many frames
_BT709 = 1  # ISO/IEC 23091-2


def proxy_size(width: int, height: int, pixel_aspect: float, longest: int) -> tuple[int, int]:
    """Return the width and height, both even, of a proxy of square pixels."""
    wide = width * pixel_aspect
    times = min(1.0, longest / max(wide, height))
    return max(2, round(wide * times / 2) * 2), max(2, round(height * times / 2) * 2)


def proxy_picture(plate: Pixels, alpha: Pixels, colour: Colour, size: tuple[int, int]) -> Picture:
    """Return plate above matte, [2 h, w, 3] of 8 bits.

    Args:
        plate: [H, W, 3], as stored.
        alpha: [H, W].
        colour: how the plate is read.
        size: width and height of either.
    """
    small = cv2.resize(plate, size, interpolation=cv2.INTER_AREA)
    shown = colour.to_display(np.asarray(small, np.float32))
    matte = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)[..., np.newaxis]
    both = np.concatenate([shown, np.repeat(matte, 3, axis=2)])
    return np.clip(both * 255 + 0.5, 0, 255).astype(np.uint8)


class ProxyMovie:
    """Encodes pictures [2 h, w, 3], one after the other, into memory.

    Args:
        size: width and height of a plate's picture.
        count: how many there will be; so large a movie stays below MOST_BYTES.
        rate: frames per second.

    Raises:
        OutputError: this FFmpeg has no H.264.
    """

    def __init__(self, size: tuple[int, int], count: int, rate: Fraction) -> None:
        if _CODEC not in av.codecs_available:
            raise OutputError(
                "This FFmpeg has no H.264 encoder, which browsers need.",
                remedy="Install the `av` wheel from the package index.",
            )
        self._file = io.BytesIO()
        self._container = av.open(self._file, "w", format="mp4")
        bits = int(8 * MOST_BYTES * 0.9 * rate / max(count, 1))  # a second, at most
        stream = cast(
            "VideoStream",
            self._container.add_stream(
                _CODEC,
                rate=rate,
                options={
                    "crf": _CRF,
                    "preset": "veryfast",
                    "x264-params": f"vbv-maxrate={max(bits // 1000, 1)}"
                    f":vbv-bufsize={max(bits // 1000, 1)}:scenecut=0",
                },
            ),
        )
        stream.width, stream.height = size[0], 2 * size[1]
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.gop_size = _KEYS_EVERY
        context.color_range, context.colorspace = ColorRange.MPEG, Colorspace.ITU709
        context.color_primaries = context.color_trc = _BT709
        self._stream = stream
        self._count = 0

    def add(self, picture: Picture) -> None:
        """Add a picture."""
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
        )
        frame.pts = self._count
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> bytes:
        """Return the whole movie."""
        self._container.mux(self._stream.encode())
        self._container.close()
        return self._file.getvalue()
