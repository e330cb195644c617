"""What is tried of a movie before its container is believed: its times, its seeks and its end.

A container is believed as far as its decoder was seen to agree. What does not agree is decoded
and counted, or read from the start; a file that ends in half a picture ends before it.
"""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from gvm_server.media.plates.movies.file import open_movie, whole_pictures, without_half
from gvm_server.media.plates.movies.index import MovieIndex
from gvm_server.media.plates.movies.unsized import TRANSPORT_HEAD, transport_packet

TRIAL = 16  # pictures that are decoded to see whether the container's times are theirs
_SEEKS = 8  # that are tried, over the whole movie
_NEAR = 64  # packets that are looked at to find a key frame that was sought
_HIDING = ("vp8",)  # codecs some of whose packets are never shown


class SeenPackets:
    """Where each packet lies in the file, with its time: what a seek is held against."""

    def __init__(self) -> None:
        self._times: dict[int, set[int | None]] = {}

    def add(self, packet: Packet[VideoStream]) -> None:
        """Note a packet that came in the file's order."""
        if packet.pos is not None:
            self._times.setdefault(packet.pos, set()).add(_time(packet))

    def agrees(self, packet: Packet[VideoStream]) -> bool:
        """Return whether a packet has the time that its place has."""
        if packet.pos is None:
            return True
        times: set[int | None] = self._times.get(packet.pos, set())
        return _time(packet) in times


def first_times(container: InputContainer, stream: VideoStream) -> list[int | None]:
    """Return when the first pictures are shown; nothing where that cannot be believed."""
    if stream.codec_context.name in _HIDING:
        return []
    try:
        return [picture.pts for picture, _ in islice(whole_pictures(container, stream), TRIAL)]
    except av.FFmpegError:
        return []  # the count says where it breaks


def starts_right(first: list[int | None], index: MovieIndex) -> bool:
    """Return whether these are the times of an index's first pictures."""
    if index.times is None or len(first) != min(TRIAL, index.count):
        return False
    return bool(first == index.times[: len(first)].tolist())


def seeks_right(path: Path, index: MovieIndex, places: SeenPackets) -> bool:
    """Return whether seeks land where the file has what they say: some are tried.

    A container without its index guesses the place by the bit rate, and the time by the place.
    """
    container, stream = open_movie(path)
    try:
        for key in _spread(index.key_frames[1:].tolist()):
            time = index.seek_time(key)
            if time is None:
                return True  # it is read from the start
            container.seek(time, stream=stream)
            for packet in islice(container.demux(stream), _NEAR):
                if packet.size and not places.agrees(packet):
                    return False
                if packet.size and packet.is_keyframe:
                    break
    except av.FFmpegError:
        return False
    finally:
        container.close()
    return True


def is_cut_stream(path: Path, container: InputContainer) -> bool:
    """Return whether a transport stream ends within one of its packets, which are equally long."""
    if container.format.name != "mpegts":
        return False
    with path.open("rb") as file:
        length = transport_packet(file.read(TRANSPORT_HEAD))
    return bool(length) and path.stat().st_size % length > 0


def whole_end(path: Path, index: MovieIndex, last: int, *, is_cut: bool) -> MovieIndex | None:
    """Return the index of what is whole; None where the end must be counted.

    The group of the file's last packet is decoded strictly: a file that was cut may end in half a
    picture, which a decoder mends without a word. A movie that breaks the rules elsewhere too is
    taken as it is decoded for reading.

    Args:
        path: of the movie.
        index: with times.
        last: the time of the picture in the file's last packet.
        is_cut: that the last packet is known to be a part of one.
    """
    at = index.index_at(last)
    if at is None or index.times is None:
        return None
    key = index.key_frame_before(at)
    wanted = index.times[key:].tolist()
    strict = _shown_from(path, index, key, strict=True)
    if strict == dict.fromkeys(wanted, True) and not is_cut:
        return index
    usual = _shown_from(path, index, key, strict=False)
    if usual is None:
        return None
    is_whole = not is_cut and all(shown.get(last, False) for shown in (usual, strict or usual))
    end = len(wanted) if is_whole else at - key
    if list(usual)[:end] != wanted[:end] or (not is_whole and at == 0):
        return None
    return index if is_whole else index.cut_to(at)


def _shown_from(path: Path, index: MovieIndex, key: int, *, strict: bool) -> dict[int, bool] | None:
    """Return the times from a key frame's on that are shown, in order, and whether whole.

    None where the decoder fails at another packet than the file's last, or shows no time.
    """
    container, stream = open_movie(path)
    stream.thread_type = "SLICE"  # an error is then its own packet's
    if strict:
        stream.codec_context.options = {"err_detect": "explode"}
    time = index.seek_time(key)
    first = 0 if index.times is None else int(index.times[key])
    shown: dict[int, bool] = {}
    failed: int | None = None  # the time of the packet that came last, where it failed
    try:
        if key > 0 and time is not None:
            container.seek(time, stream=stream)
        for packet in without_half(container.demux(stream)):
            if failed is not None and packet.size:
                return None
            try:
                pictures = packet.decode()
            except av.FFmpegError:
                failed = _failure(packet, first)
                continue
            if any(picture.pts is None for picture in pictures):
                return None
            for picture in pictures:
                shown[picture.pts or 0] = not picture.is_corrupt
    except av.FFmpegError:
        return None
    finally:
        container.close()
    return {at: whole and at != failed for at, whole in shown.items() if at >= first}


def _failure(packet: Packet[VideoStream], first: int) -> int | None:
    """Return the time of a packet that could not be decoded; None before the first that counts."""
    time = first if packet.pts is None else packet.pts
    return time if time >= first else None


def _spread(key_frames: list[int]) -> list[int]:
    """Return some key frames, evenly over all; the last too: a loss moves what is behind it."""
    step = max(len(key_frames) // _SEEKS, 1)
    return key_frames[::-1][::step][:_SEEKS]


def _time(packet: Packet[VideoStream]) -> int | None:
    return packet.dts if packet.pts is None else packet.pts
