"""A movie's file: opened at its moving picture, gone through picture by picture, its metadata.

- A movie is one file: nothing that it names elsewhere is opened.
- Half a packet at the end of a file that was cut short is not decoded: half a picture is none.

The metadata are rate, pixel aspect, orientation and SMPTE timecode. Sources of the timecode: SMPTE
ST 12-1 (frame numbers that drop-frame counting leaves out; frame pairs above 30 frames per second),
OpenEXR's ImfTimeCode (the packing: binary coded decimals and flags).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.sidedata.sidedata import SideData, SideDataContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.file_access import probe_file
from gvm_server.media.geometry import UPRIGHT, Orientation
from gvm_server.media.plates.movies.shortfall import missing_bytes

# A movie is one file. Playlists and scripts (HLS, DASH, concat) name others, wherever they lie.
_DEMUXERS = (
    *("mov", "avi", "matroska", "mpegts", "mpeg", "mpegvideo", "mxf", "gif", "asf", "flv", "ogg"),
    *("dv", "nut", "ivf", "h264", "hevc", "m4v", "mjpeg", "obu"),
)
CONFINED = {"protocol_whitelist": "file", "format_whitelist": ",".join(_DEMUXERS)}

# How long it lasts is not asked: for that, a transport stream's end is read at each opening.
_QUICK = {"skip_estimate_duration_from_pts": "1"}

# Titles and comments are of no matter, and old ones are often no UTF-8. From 19 on PyAV takes them
# as they are, and knows no such argument.
_OF_METADATA: Mapping[str, Any] = (
    {"metadata_errors": "replace"} if int(av.__version__.partition(".")[0]) < 19 else {}
)

_NEAR_RATE = Fraction(1, 4000)  # of a rate: 23.976 and 24 are four times as far apart

_TEXT = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})([:;.,])(\d{2})", re.ASCII)
_DROPPED_FLAG = 1 << 6
_SECOND_OF_PAIR = 1 << 15  # the field/phase flag: which frame of a pair it is
_MAX_RATE = 60  # frames per second that a timecode can count


def open_movie(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a movie and the stream that FFmpeg takes for its picture: never a cover or thumbnail.

    Raises:
        InputError: it is not a movie, or has no moving picture.
    """
    probe_file(path)
    try:
        container = av.open(str(path), "r", options={**CONFINED, **_QUICK}, **_OF_METADATA)
    except FileNotFoundError as error:
        raise InputError(
            f"No movie is at {path}.",
            remedy="Check the path.",
            code=ErrorCode.PLATE_MISSING,
            path=str(path),
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path, movie_reason(error)) from error
    moving = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not moving:
        container.close()
        raise unreadable(path, "it has no video stream")
    stream = max(moving, key=_weight)
    if stream.codec_context is None:
        container.close()
        raise unreadable(path, "nothing here decodes its video stream")
    stream.thread_type = "AUTO"
    return container, stream


def whole_pictures(
    container: InputContainer,
    stream: VideoStream,
    on_packet: Callable[[Packet[VideoStream]], None] = lambda _: None,
) -> Iterator[tuple[VideoFrame, bool]]:
    """Yield the pictures in the order in which they are shown, and whether each is whole.

    Not whole is one that the decoder could only mend, and what follows it before the next key
    picture: that may be made of it. `on_packet` sees each packet, also half a one at the end.
    """
    damaged = False
    for packet in without_half(container.demux(stream), on_packet):
        for picture in packet.decode():
            damaged = picture.is_corrupt or (damaged and not picture.key_frame)
            yield picture, not damaged


def without_half(
    packets: Iterator[Packet[VideoStream]],
    on_packet: Callable[[Packet[VideoStream]], None] = lambda _: None,
) -> Iterator[Packet[VideoStream]]:
    """Yield packets, but not one at the file's end that the container has only a part of.

    Elsewhere such a mark may mean no more than that transport streams were joined.
    """
    held: Packet[VideoStream] | None = None
    for packet in packets:
        if packet.size:
            on_packet(packet)
        if held is not None and packet.size:
            yield held
        held = packet if packet.size and packet.is_corrupt else None
        if held is None:
            yield packet


_REMEDY = "Copy it again, or convert it to an image sequence."


def unreadable(
    path: Path, reason: str, *, frame: int | None = None, remedy: str = _REMEDY
) -> InputError:
    """Return the error for a movie, or a frame of it, that cannot be read."""
    what = f"The movie {path}" if frame is None else f"Frame {frame} of the movie {path}"
    return InputError(
        f"{what} cannot be read: {reason}.",
        remedy=remedy,
        code=ErrorCode.PLATE_UNREADABLE,
        frame=frame,
        path=str(path),
    )


def _weight(stream: VideoStream) -> tuple[bool, bool, int]:
    """Return what the `ffmpeg` program prefers a stream by: marked as default, then the largest.

    A stream of one picture beside others is a thumbnail whatever it is marked as.
    """
    context = stream.codec_context  # None where there is no decoder
    is_default = bool(stream.disposition & Disposition.default)
    area = context.width * context.height if context else 0
    return stream.frames != 1, is_default, area


def _is_cover(stream: VideoStream) -> bool:
    return bool(stream.disposition & Disposition.attached_pic)


def movie_reason(error: Exception) -> str:
    """Return what FFmpeg says of an error."""
    return str(getattr(error, "strerror", None) or error)


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieMetadata:
    """What holds for all frames of a movie.

    Attributes:
        aspect: width of a pixel over its height, as stored.
        rate: frames per second, or None.
        timecode: of the first frame as text; "" where it has none.
        choice: which stream was taken, as a sentence; "" where there is only one.
        hides_alpha: whether there is an alpha beside the pictures, as VP8 and VP9 write it.
        missing_bytes: how many the container says that its file has, and has not.
    """

    aspect: Fraction = Fraction(1)
    rate: Fraction | None = None
    timecode: str = ""
    choice: str = ""
    hides_alpha: bool = False
    missing_bytes: int = 0


def stream_metadata(container: InputContainer, stream: VideoStream) -> MovieMetadata:
    """Return what an open movie says."""
    aspect = fraction(stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio)
    rate = fraction(stream.average_rate or stream.guessed_rate)
    return MovieMetadata(
        aspect=aspect if aspect and aspect > 0 else Fraction(1),
        rate=exact_rate(rate) if rate and rate > 0 else None,
        timecode=next(_timecodes(container, stream), ""),
        choice=_choice(container, stream),
        hides_alpha=stream.metadata.get("alpha_mode") == "1",
        missing_bytes=missing_bytes(Path(container.name)),
    )


class _Ratio(Protocol):
    @property
    def numerator(self) -> int: ...

    @property
    def denominator(self) -> int: ...


def fraction(value: _Ratio | None) -> Fraction | None:
    """Return what PyAV says of a rate, a time base or an aspect; from 19 on that is no fraction."""
    return None if value is None else Fraction(value.numerator, value.denominator)


def exact_rate(rate: Fraction) -> Fraction:
    """Return the rate that a container meant: whole, or n * 1000 / 1001 where that is near.

    An average over a short clip, or over times in milliseconds, is off in its last digits.
    """
    whole = Fraction(round(rate))
    for exact in (whole, Fraction(round(rate * 1001 / 1000) * 1000, 1001)):
        if exact > 0 and abs(rate - exact) <= exact * _NEAR_RATE:
            return exact
    return rate.limit_denominator(100_000)


def display_orientation(picture: VideoFrame) -> Orientation:
    """Return how a decoded picture is turned to be looked at, from its whole display matrix.

    The matrix maps stored to shown places (ISO/IEC 14496-12, 6.2.2): x' = a x + c y and
    y' = b x + d y. Turns by other angles than quarters are taken as the nearest quarter.
    """
    # Not `picture.side_data`: picture and container would hold each other, until a collection.
    side_data = SideDataContainer(picture)  # type: ignore[call-arg] # PyAV's stub lacks it
    found = side_data.get("DISPLAYMATRIX")
    if not isinstance(found, SideData):
        return UPRIGHT
    matrix = np.frombuffer(memoryview(found), dtype=np.int32)
    if matrix.size < 5:
        return UPRIGHT
    a, b, c, d = (int(matrix[at]) for at in (0, 1, 3, 4))
    if abs(a) + abs(d) >= abs(b) + abs(c):
        return Orientation(flipped=d < 0, flopped=a < 0)
    return Orientation(transposed=True, flipped=b < 0, flopped=c < 0)


def _choice(container: InputContainer, stream: VideoStream) -> str:
    if len(container.streams.video) < 2:
        return ""
    count, context = len(container.streams.video), stream.codec_context
    return (
        f"The movie has {count} video streams; stream {stream.index} is read,"
        f" {context.name} of {context.width}x{context.height}."
    )


def _timecodes(container: InputContainer, stream: VideoStream) -> Iterator[str]:
    """Yield the timecodes that a movie names: the picture's own first, then its track's."""
    yield from filter(None, [stream.metadata.get("timecode", "")])
    yield from (
        other.metadata["timecode"] for other in container.streams if "timecode" in other.metadata
    )
    yield from filter(None, [container.metadata.get("timecode", "")])


def timecode_at(text: str, rate: Fraction, index: int) -> tuple[int, int] | None:
    """Return the timecode words of a movie's frame.

    Args:
        text: of the movie's first frame, `hh:mm:ss:ff`; a semicolon before the frames means that
            numbers are dropped (29.97 and 59.94 frames per second).
        rate: frames per second.
        index: the frame, 0-based.

    Returns:
        The time and flags, and the user data (0), as OpenEXR's `timeCode` has them; None where
        the text is no timecode of such a rate.
    """
    match = _TEXT.fullmatch(text.strip())
    nominal = round(rate)
    if match is None or not 1 <= nominal <= _MAX_RATE:
        return None
    hours, minutes, seconds, frames = (int(match[part]) for part in (1, 2, 3, 5))
    drops = match[4] != ":" and nominal % 30 == 0 and rate.denominator != 1
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= nominal:
        return None
    count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    return _packed(_advanced(count, nominal, index, drops=drops), nominal, drops=drops), 0


def timecode_text(words: tuple[int, int], rate: Fraction) -> str:
    """Return a frame's timecode words as text, as `timecode_at` reads it; "" of no such rate."""
    word, nominal = words[0], round(rate)
    if not 1 <= nominal <= _MAX_RATE:
        return ""
    hours, minutes, seconds, frames = (
        (word >> shift & mask & 0xF) + 10 * (word >> shift + 4 & mask >> 4)
        for shift, mask in ((24, 0x3F), (16, 0x7F), (8, 0x7F), (0, 0x3F))
    )
    if nominal > 30:
        frames = 2 * frames + bool(word & _SECOND_OF_PAIR)
    drops = word & _DROPPED_FLAG and nominal % 30 == 0 and rate.denominator != 1
    text = f"{hours:02}:{minutes:02}:{seconds:02}{';' if drops else ':'}{frames:02}"
    return text if timecode_at(text, rate, 0) else ""


def _advanced(count: int, nominal: int, index: int, *, drops: bool) -> int:
    """Return a frame's number within a day of nominal frames, so many frames after another."""
    per_minute = nominal * 60
    dropped = nominal // 15 if drops else 0  # numbers left out at each minute but every tenth
    whole_minutes = count // per_minute
    real = count - dropped * (whole_minutes - whole_minutes // 10) + index
    per_ten = per_minute * 10 - dropped * 9
    tens, rest = divmod(real % (per_ten * 6 * 24), per_ten)
    # The first minute of ten keeps its numbers; each of the others starts at the dropped-th.
    later = max(0, (rest - per_minute) // (per_minute - dropped) + 1) if dropped else 0
    return tens * per_minute * 10 + rest + dropped * later


def _packed(count: int, nominal: int, *, drops: bool) -> int:
    seconds, frames = divmod(count, nominal)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    pair = nominal > 30
    second_of_pair = pair and frames % 2 == 1
    word = _bcd(frames // 2 if pair else frames)
    word |= _bcd(seconds) << 8 | _bcd(minutes) << 16 | _bcd(hours % 24) << 24
    return word | (_DROPPED_FLAG if drops else 0) | (_SECOND_OF_PAIR if second_of_pair else 0)


def _bcd(number: int) -> int:
    return number // 10 << 4 | number % 10
