"""Which pictures a movie shows, in order: found once, and kept for as long as the file is the same.

Laws:
1. Frame n is the n-th picture that a decoder shows; packets are only believed where they proved to
   be pictures.
2. What the container's own table says is taken first (mp4, mov, avi): the file is not read for it.
   Other containers are gone through once. Where neither tells the pictures' order, all are decoded
   once and counted.
3. A file that was looked at is not looked at again while it is the same: its index is kept in
   memory, and in the memo for the next server.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from threading import Lock

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.filekey import KEY_BYTES, hash_texts
from gvm_server.media.memo import NOTHING, Memo
from gvm_server.media.movieindex import MovieIndex, Times
from gvm_server.media.probe import probe_file

REMEMBERED = 64  # movies; an index of a two-hour movie takes 1.4 MB

_TRIAL = 16  # pictures that are decoded to see whether the container's times are theirs
_TABLES = ("mov", "avi")  # containers whose table of packets is complete when they are opened
_HIDING = ("vp8",)  # codecs some of whose packets are never shown

_INDEX = f"movie index 2, FFmpeg {av.ffmpeg_version_info}"  # another FFmpeg may show others

# A movie is one file. Playlists and scripts (HLS, DASH, concat) name others, wherever they lie.
_DEMUXERS = (
    *("mov", "avi", "matroska", "mpegts", "mpeg", "mpegvideo", "mxf", "gif", "asf", "flv", "ogg"),
    *("dv", "nut", "ivf", "h264", "hevc", "m4v", "mjpeg", "obu"),
)
CONFINED = {"protocol_whitelist": "file", "format_whitelist": ",".join(_DEMUXERS)}

Identity = tuple[int, int, int, int, int]


def open_movie(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a movie and the stream that FFmpeg takes for its picture: never a cover or thumbnail.

    Raises:
        InputError: it is not a movie, or has no moving picture.
    """
    probe_file(path)
    try:
        # Titles and comments are of no matter, and old ones are often no UTF-8.
        container = av.open(str(path), "r", options=dict(CONFINED), metadata_errors="replace")
    except FileNotFoundError as error:
        raise InputError(
            f"No movie is at {path}.",
            remedy="Check the path.",
            code=ErrorCode.PLATE_MISSING,
            path=str(path),
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path, _reason(error)) from error
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


def index_movie(path: Path, memo: Memo = NOTHING) -> MovieIndex:
    """Return a movie's index; one that was made of the same file is kept.

    Raises:
        InputError: it is not a movie, has no video, no frames, or is cut short.
    """
    identity = _identity(path)
    if identity is not None and (known := _recall(identity, memo)):
        return known
    index = _from_table(path) or _from_packets(path)
    if index is None or not _proves_right(path, index):
        index = _by_counting(path)
    if identity is not None and identity == _identity(path):
        _keep(identity, index, memo)
    return index


def count_movie(path: Path, memo: Memo = NOTHING) -> MovieIndex:
    """Return the index of what a decoder shows, counted: where another one proved to be wrong.

    Raises:
        InputError: it cannot be decoded to its end, or shows nothing.
    """
    identity = _identity(path)
    index = _by_counting(path)
    if identity is not None and identity == _identity(path):
        _keep(identity, index, memo)
    return index


def _keep(identity: Identity, index: MovieIndex, memo: Memo) -> None:
    _KNOWN.keep(identity, index)
    memo.keep(_INDEX, hash_texts(*identity), index.to_bytes())


def _recall(identity: Identity, memo: Memo) -> MovieIndex | None:
    if known := _KNOWN.recall(identity):
        return known
    kept = memo.recall(_INDEX, hash_texts(*identity))
    index = None if kept is None else MovieIndex.from_bytes(kept)
    if index is not None:
        _KNOWN.keep(identity, index)
    return index


def unreadable(path: Path, reason: str, *, frame: int | None = None) -> InputError:
    """Return the error for a movie, or a frame of it, that cannot be read."""
    what = f"The movie {path}" if frame is None else f"Frame {frame} of the movie {path}"
    return InputError(
        f"{what} cannot be read: {reason}.",
        remedy="Copy it again, or convert it to an image sequence.",
        code=ErrorCode.PLATE_UNREADABLE,
        frame=frame,
        path=str(path),
    )


class _Memory:
    """The indexes of the movies that were used last."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._indexes: OrderedDict[Identity, MovieIndex] = OrderedDict()

    def recall(self, identity: Identity) -> MovieIndex | None:
        with self._lock:
            index = self._indexes.get(identity)
            if index is not None:
                self._indexes.move_to_end(identity)
            return index

    def keep(self, identity: Identity, index: MovieIndex) -> None:
        with self._lock:
            self._indexes[identity] = index
            while len(self._indexes) > REMEMBERED:
                self._indexes.popitem(last=False)


_KNOWN = _Memory()


def _identity(path: Path) -> Identity | None:
    try:
        status = path.stat()
    except OSError:
        return None
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return status.st_dev, status.st_ino, status.st_size, *times


def _from_table(path: Path) -> MovieIndex | None:
    """Return the index that the container's own table gives; None where it does not tell.

    The table has decode times. They are the times of showing, shifted by a constant, where no
    picture waits for a later one, and where all pictures last equally long.

    Raises:
        InputError: the table names packets beyond the file's end.
    """
    container, stream = open_movie(path)
    try:
        entries = [entry for entry in stream.index_entries if entry.size]
        is_table = container.format.name.startswith(_TABLES)
        if not is_table or not entries or stream.frames != len(entries):
            return None  # no table, in fragments, or cut by an edit list
        size = path.stat().st_size
        whole = sum(entry.pos + entry.size <= size for entry in entries)
        if whole < len(entries):
            raise unreadable(path, f"it is cut short: {whole} of {len(entries)} frames are there")
        times = np.array([entry.timestamp for entry in entries], dtype=np.int64)
        is_key = np.array([entry.is_keyframe for entry in entries])
        steps = np.diff(times)
        waits = stream.codec_context.has_b_frames and not is_key.all()
        only_decode_times = container.format.name == "avi" and not is_key.all()
        unlike = waits and np.unique(steps).size > 1
        cut = any(entry.is_discard for entry in entries) or bool((steps <= 0).any())
        if only_decode_times or unlike or cut:
            return None
        shown = next(container.decode(stream), None)
    except av.FFmpegError as error:
        raise unreadable(path, _reason(error)) from error
    finally:
        container.close()
    if shown is None or shown.pts is None:
        return None
    times += shown.pts - times[0]
    return MovieIndex(
        count=len(times), times=times, keys=np.union1d([0], np.flatnonzero(is_key)).astype(np.int64)
    )


def _from_packets(path: Path) -> MovieIndex | None:
    """Go through the packets; None where their times do not order the pictures.

    Raises:
        InputError: there are none, or fewer than the container promises.
    """
    container, stream = open_movie(path)
    times: list[int | None] = []
    is_key: list[bool] = []
    groups = _Groups()
    hidden = 0
    try:
        if container.format.name == "avi":
            return None
        for packet in container.demux(stream):
            if packet.size == 0:
                continue  # the end of the stream
            groups.add(packet)
            if packet.is_discard:
                hidden += 1  # an edit list cuts it away: decoded, never shown
                continue
            times.append(packet.pts)
            is_key.append(packet.is_keyframe)
        expected = stream.frames
    except av.FFmpegError as error:
        raise unreadable(path, f"after {len(times)} frames: {_reason(error)}") from error
    finally:
        container.close()
    if not times:
        raise unreadable(path, "it has no frames")
    if len(times) + hidden < expected:
        raise unreadable(
            path, f"it is cut short: {len(times) + hidden} of {expected} frames are there"
        )
    known = [time for time in times if time is not None]
    if len(set(known)) < len(times):
        return None
    shown = np.array(known, dtype=np.int64)
    order = np.argsort(shown)
    keys = np.flatnonzero(np.array(is_key)[order])
    return MovieIndex(
        count=len(times),
        times=shown[order],
        keys=np.union1d([0], keys),
        groups=groups.hashes(),
    )


def _proves_right(path: Path, index: MovieIndex) -> bool:
    """Whether the first pictures come at the times that the index says, and no packet is hidden."""
    container, stream = open_movie(path)
    try:
        if stream.codec_context.name in _HIDING or index.times is None:
            return False
        first = [picture.pts for picture in islice(container.decode(stream), _TRIAL)]
    except av.FFmpegError:
        return False  # the count says where it breaks
    finally:
        container.close()
    return first == [int(time) for time in index.times[: len(first)]] and (
        len(first) == min(_TRIAL, index.count)
    )


def _by_counting(path: Path) -> MovieIndex:
    """Decode the whole movie once and count what is shown.

    Raises:
        InputError: it cannot be decoded to its end, or shows nothing.
    """
    container, stream = open_movie(path)
    keys: list[int] = []
    seeks: list[int | None] = []
    marks: list[int | None] = []
    groups = _Groups()
    count = 0
    try:
        for packet in container.demux(stream):
            if packet.size:
                groups.add(packet)
            if packet.size and packet.is_keyframe:
                seeks.append(packet.dts)
            for picture in packet.decode():
                if picture.key_frame:
                    keys.append(count)
                    marks.append(picture.pts)
                count += 1
    except av.FFmpegError as error:
        raise unreadable(path, f"after {count} frames: {_reason(error)}") from error
    finally:
        container.close()
    if not count:
        raise unreadable(path, "it has no frames")
    sought = _own_times(seeks)
    if not keys or keys[0] != 0 or sought is None or len(sought) != len(keys):
        start = np.zeros(1, np.int64)
        whole = (hash_texts(*(group.hex() for group in groups.hashes())),)
        return MovieIndex(count=count, times=None, keys=start, groups=whole)
    return MovieIndex(
        count=count,
        times=None,
        keys=np.array(keys, dtype=np.int64),
        seeks=sought,
        marks=_own_times(marks),
        groups=groups.hashes(),
    )


class _Groups:
    """Hashes of the packets from each key packet to the next."""

    def __init__(self) -> None:
        self._digests: list[blake2b] = []

    def add(self, packet: Packet[VideoStream]) -> None:
        if packet.is_keyframe or not self._digests:
            self._digests.append(blake2b(digest_size=KEY_BYTES))
        # What an edit list hides stands among what it shows.
        self._digests[-1].update(b"-" if packet.is_discard else b"+")
        self._digests[-1].update(memoryview(packet))

    def hashes(self) -> tuple[bytes, ...]:
        return tuple(digest.digest() for digest in self._digests)


def _own_times(times: list[int | None]) -> Times | None:
    """Return times that are all known and differ; else None."""
    known = [time for time in times if time is not None]
    if len(known) < len(times) or len(set(known)) < len(known):
        return None
    return np.array(known, dtype=np.int64)


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


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
