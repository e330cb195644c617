"""What a movie is encoded as, and a picture's code values for it.

- Without a codec named it is H.264 of 8 bits, 4:2:0, which every player shows; a matte in a named
  codec is grey of 10 bits. ProRes 4444 holds an alpha of 16 bits beside the picture.
- Code values of 10 bits are computed here, BT.709 at limited range, and reach the encoder as they
  are: FFmpeg's scaler would round them once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from gvm_client.errors import SettingsError
from gvm_server.media.pixels import Pixels

BT709 = 1  # ISO/IEC 23091-2: primaries and transfer
# ITU-R BT.709-6, items 3.2 and 3.3: luma, and what scales B - Y and R - Y to -0.5..0.5.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
_CB, _CR = 2 * (1 - _BLUE), 2 * (1 - _RED)
_BLACK, _LUMA_STEPS, _GREY, _CHROMA_STEPS = 64, 876, 512, 896  # item 4.6, of 10 bits
_ALPHA_STEPS = 1023


class MovieCodec(str, Enum):
    """What `--movie-codec` names."""

    H264 = "h264"
    PRORES = "prores4444"
    DNXHR = "dnxhr444"


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoding:
    """How a movie's pictures are encoded.

    Attributes:
        encoder: FFmpeg's word.
        pixels: FFmpeg's word for the pictures; 8 bits where it has no `10le`.
        endings: of the names that such a movie may have; all of them where there are none.
        least: the smallest width and height of its pictures.
        most: the largest.
        options: of the encoder.
    """

    encoder: str
    pixels: str = "yuv420p"
    endings: tuple[str, ...] = ()
    least: tuple[int, int] = (1, 1)
    most: tuple[int, int] = (65_535, 65_535)  # of a QuickTime file's fields
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_deep(self) -> bool:
        """Whether its pictures have 10 bits."""
        return self.pixels.endswith("10le")

    @property
    def has_alpha(self) -> bool:
        """Whether its pictures have an alpha."""
        return self.pixels.startswith("yuva")

    @property
    def is_subsampled(self) -> bool:
        """Whether colours have half the size, so that sides are even."""
        return "420" in self.pixels


_H264 = "libx264"
# Each is visually lossless: x264's rate factor, and MPEG-4's quantiser. x264 would look 40 frames
# ahead to save bytes, which at 4K is half a gigabyte of frames held.
_H264_OPTIONS = MappingProxyType({"crf": "12", "rc-lookahead": "8"})
_DEEP_OPTIONS = MappingProxyType({**_H264_OPTIONS, "crf": "3"})  # of 10 bits: worth keeping
_MPEG4_OPTIONS = MappingProxyType({"qmin": "2", "qmax": "2"})
_PRORES_OPTIONS = MappingProxyType({"profile": "4444", "alpha_bits": "16", "vendor": "apl0"})
_DNXHR_OPTIONS = MappingProxyType({"profile": "dnxhr_444"})


def encoding_of(codec: MovieCodec | None, *, is_matte: bool, alpha: bool = False) -> Encoding:
    """Return how a movie is encoded.

    Args:
        codec: None is what every player shows.
        is_matte: whether it is a grey matte; with ProRes its alpha is the matte too.
        alpha: whether the picture has an alpha.

    Raises:
        SettingsError: the codec holds no alpha.
    """
    if alpha and codec is not MovieCodec.PRORES:
        raise SettingsError(
            "A comp over nothing has an alpha, which only ProRes 4444 holds.",
            remedy=f"Add --movie-codec {MovieCodec.PRORES.value}, or name a background.",
        )
    if codec is MovieCodec.PRORES:
        pixels = "yuva444p10le" if is_matte or alpha else "yuv444p10le"
        return Encoding(
            encoder="prores_ks", pixels=pixels, endings=(".mov",), options=_PRORES_OPTIONS
        )
    if codec is MovieCodec.DNXHR:
        return Encoding(
            encoder="dnxhd",
            pixels="yuv444p10le",
            endings=(".mov",),
            least=(256, 120),  # SMPTE ST 2019-1:2016, annex on resolution independent profiles
            most=(65_535, 8192),  # what FFmpeg reads again
            options=_DNXHR_OPTIONS,
        )
    if _H264 not in av.codecs_available:  # some builds of FFmpeg lack it
        return Encoding(encoder="mpeg4", most=(8190, 8190), options=_MPEG4_OPTIONS)  # of 13 bits
    deep = codec is MovieCodec.H264 and is_matte
    pixels = "yuv420p10le" if deep else "yuv420p"
    return Encoding(
        encoder=_H264,
        pixels=pixels,
        most=(16_384, 16_384),  # x264's
        options=_DEEP_OPTIONS if deep else _H264_OPTIONS,
    )


def as_frame(picture: Pixels, alpha: Pixels | None, encoding: Encoding) -> av.VideoFrame:
    """Return a picture as the encoder takes it, tagged as what it is.

    Args:
        picture: [H, W] grey or [H, W, 3], display-referred; outside 0..1 is clipped.
        alpha: [H, W] in 0..1, where the encoding has one.
        encoding: of the movie; where its colours have half the size, both sides are even.
    """
    frame = _deep(picture, alpha, encoding) if encoding.is_deep else _shallow(picture, encoding)
    # ProRes says its colours in each picture's own header too, after these.
    frame.color_range, frame.colorspace = ColorRange.MPEG, Colorspace.ITU709
    frame.color_primaries = frame.color_trc = BT709
    return frame


def _shallow(picture: Pixels, encoding: Encoding) -> av.VideoFrame:
    coded = np.rint(np.clip(picture, 0.0, 1.0) * np.float32(255)).astype(np.uint8)
    colour = coded if coded.ndim == 3 else np.repeat(coded[..., np.newaxis], 3, axis=-1)
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(colour), format="rgb24").reformat(
        format=encoding.pixels,
        src_color_range=ColorRange.JPEG,
        dst_colorspace=Colorspace.ITU709,
        dst_color_range=ColorRange.MPEG,
    )


def _deep(picture: Pixels, alpha: Pixels | None, encoding: Encoding) -> av.VideoFrame:
    height, width = picture.shape[:2]
    frame = av.VideoFrame(width, height, encoding.pixels)
    planes = _codes(np.clip(picture, 0.0, 1.0))
    if encoding.is_subsampled:
        planes[1:] = [plane[::2, ::2] for plane in planes[1:]]  # of a grey picture
    if encoding.has_alpha:
        shown = np.clip(picture if alpha is None else alpha, 0.0, 1.0)
        planes.append(np.rint(shown * np.float32(_ALPHA_STEPS)))
    for plane, codes in zip(frame.planes, planes, strict=True):
        rows = np.zeros((plane.height, plane.line_size // 2), dtype="<u2")
        rows[:, : plane.width] = codes
        plane.update(rows.tobytes())
    return frame


def _codes(picture: Pixels) -> list[NDArray[np.float32]]:
    """Return Y, Cb and Cr of 10 bits, each [H, W]."""
    if picture.ndim == 2:
        grey = np.full(picture.shape, _GREY, dtype=np.float32)
        return [np.rint(_BLACK + _LUMA_STEPS * picture), grey, grey]
    red, green, blue = (picture[..., at] for at in range(3))
    luma = _RED * red + _GREEN * green + _BLUE * blue
    chroma = [(blue - luma) / _CB, (red - luma) / _CR]
    return [
        np.rint(_BLACK + _LUMA_STEPS * luma),
        *(np.rint(_GREY + _CHROMA_STEPS * each) for each in chroma),
    ]
