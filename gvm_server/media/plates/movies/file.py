"""A movie's file: opened at its moving picture, and gone through picture by picture.

- A movie is one file: nothing that it names elsewhere is opened.
- Half a packet at the end of a file that was cut short is not decoded: half a picture is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.probe import probe_file

# A movie is one file. Playlists and scripts (HLS, DASH, concat) name others, wherever they lie.
_DEMUXERS = (
    *("mov", "avi", "matroska", "mpegts", "mpeg", "mpegvideo", "mxf", "gif", "asf", "flv", "ogg"),
    *("dv", "nut", "ivf", "h264", "hevc", "m4v", "mjpeg", "obu"),
)
CONFINED = {"protocol_whitelist": "file", "format_whitelist": ",".join(_DEMUXERS)}

# How long it lasts is not asked: for that, a transport stream's end is read at each opening.
_QUICK = {"skip_estimate_duration_from_pts": "1"}


def open_movie(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a movie and the stream that FFmpeg takes for its picture: never a cover or thumbnail.

    Raises:
        InputError: it is not a movie, or has no moving picture.
    """
    probe_file(path)
    try:
        # Titles and comments are of no matter, and old ones are often no UTF-8.
        options = {**CONFINED, **_QUICK}
        container = av.open(str(path), "r", options=options, metadata_errors="replace")
    except FileNotFoundError as error:
        raise InputError(
            f"No movie is at {path}.",
            remedy="Check the path.",
            code=ErrorCode.PLATE_MISSING,
            path=str(path),
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path, reason_of(error)) from error
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


def reason_of(error: Exception) -> str:
    """Return what FFmpeg says of an error."""
    return str(getattr(error, "strerror", None) or error)
