"""Which pictures a movie shows, in order: found once, and kept for as long as the file is the same.

- Frame n is the n-th picture that a decoder shows; packets are only believed where they proved to
  be pictures.
- What the container's own table says is taken first (mp4, mov, avi): the file is not read for it.
  Other containers are gone through once. Where neither tells the pictures' order, all are decoded
  once and counted.
- A file that was looked at is not looked at again while it is the same: its index is kept in
  memory, and in the memo for the next server.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from threading import Lock

import av
import numpy as np
import xxhash
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from gvm_server.media.plates.movies.file import movie_reason, open_movie, unreadable, whole_pictures
from gvm_server.media.plates.movies.index import MovieIndex, Times
from gvm_server.media.plates.movies.index_checks import (
    SeenPackets,
    first_times,
    is_cut_stream,
    seeks_right,
    starts_right,
    whole_end,
)
from gvm_server.media.store.file_keys import content_hash, hash_texts
from gvm_server.media.store.memo import NOTHING, Memo

REMEMBERED = 64  # movies; an index of a two-hour movie takes 1.4 MB

_TABLES = ("mov", "avi")  # containers whose table of packets is complete when they are opened
_BY_DECODE_TIME = ("mpegts",)  # containers that are sought in by when a packet is decoded

# Containers in which no seek is believed: a picture whose packet begins within another one's takes
# a guessed time after a seek, and the next picture is handed out in its place.
_GUESSING = ("mpeg",)

INDEX = f"movie index 5, FFmpeg {av.ffmpeg_version_info}"  # another FFmpeg may show others

Identity = tuple[int, int, int, int, int]


def index_movie(path: Path, memo: Memo = NOTHING) -> MovieIndex:
    """Return a movie's index; one that was made of the same file is kept.

    Raises:
        InputError: it is not a movie, has no video, no frames, or is cut short.
    """
    identity = _identity(path)
    if identity is not None and (known := _recall(identity, memo)):
        return known
    index = _from_table(path) or _from_packets(path) or _by_counting(path)
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
    memo.keep(INDEX, hash_texts(*identity), index.to_bytes())


def _recall(identity: Identity, memo: Memo) -> MovieIndex | None:
    if known := _KNOWN.recall(identity):
        return known
    kept = memo.recall(INDEX, hash_texts(*identity))
    index = None if kept is None else MovieIndex.from_bytes(kept)
    if index is not None:
        _KNOWN.keep(identity, index)
    return index


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
        table = _read_table(path, container, stream)
        if table is None:
            return None
        times, is_key = table
        first = first_times(container, stream)
    finally:
        container.close()
    if not first or first[0] is None:
        return None
    key_frames = np.union1d([0], np.flatnonzero(is_key)).astype(np.int64)
    index = MovieIndex(count=len(times), times=times + (first[0] - times[0]), key_frames=key_frames)
    return index if starts_right(first, index) else None


def _read_table(
    path: Path, container: InputContainer, stream: VideoStream
) -> tuple[Times, NDArray[np.bool_]] | None:
    """Return decode times and which are key frames, where a table has all that is shown."""
    entries = [entry for entry in stream.index_entries if entry.size]
    is_fragment = stream.frames == 0
    if not container.format.name.startswith(_TABLES) or not entries or is_fragment:
        return None
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
    edited = stream.frames != len(entries) or any(entry.is_discard for entry in entries)
    if only_decode_times or unlike or edited or (steps <= 0).any():
        return None
    return times, is_key


def _from_packets(path: Path) -> MovieIndex | None:
    """Go through the packets; None where their times do not order the pictures.

    Raises:
        InputError: there are none, or fewer than the container promises.
    """
    container, stream = open_movie(path)
    places, groups = SeenPackets(), _Groups()
    times: list[int | None] = []
    decode_times: list[int | None] = []
    is_key: list[bool] = []
    hidden = 0
    try:
        if container.format.name in ("avi", *_GUESSING):
            return None
        for packet in container.demux(stream):
            if packet.size == 0:
                continue  # the end of the stream
            places.add(packet)
            groups.add(packet)
            if packet.is_discard:
                hidden += 1  # an edit list cuts it away: decoded, never shown
                continue
            times.append(packet.pts)
            decode_times.append(packet.dts)
            is_key.append(packet.is_keyframe)
        # An edit list leaves packets out; the table of such a container was held against the file.
        expected = 0 if container.format.name.startswith(_TABLES) else stream.frames
        is_cut = is_cut_stream(path, container)
        by_decode_time = container.format.name in _BY_DECODE_TIME
    except av.FFmpegError as error:
        raise unreadable(path, f"after {len(times)} frames: {movie_reason(error)}") from error
    finally:
        container.close()
    if not times:
        raise unreadable(path, "it has no frames")
    if len(times) + hidden < expected:
        raise unreadable(
            path, f"it is cut short: {len(times) + hidden} of {expected} frames are there"
        )
    shown = _own_times(times)
    if shown is None:
        return None
    order = np.argsort(shown)
    key_frames = np.union1d([0], np.flatnonzero(np.array(is_key)[order]))
    seek_times = (
        _own_times([decode_times[order[key]] for key in key_frames]) if by_decode_time else None
    )
    index = MovieIndex(
        count=len(times),
        times=shown[order],
        key_frames=key_frames,
        seek_times=seek_times,
        groups=groups.hashes(),
    )
    if not starts_right(_first_times_of(path), index) or not seeks_right(path, index, places):
        return None
    return whole_end(path, index, int(shown[-1]), is_cut=is_cut)


def _first_times_of(path: Path) -> list[int | None]:
    container, stream = open_movie(path)
    try:
        return first_times(container, stream)
    finally:
        container.close()


def _by_counting(path: Path) -> MovieIndex:
    """Decode the whole movie once and count what is shown.

    Raises:
        InputError: it cannot be decoded to its end, or shows nothing that is whole.
    """
    container, stream = open_movie(path)
    places, groups = SeenPackets(), _Groups()
    key_frames: list[int] = []
    seek_times: list[int | None] = []
    key_times: list[int | None] = []
    times: list[int | None] = []
    count = whole = 0
    half, end = False, None  # whether the last packet is one, and when it would be shown

    def note(packet: Packet[VideoStream]) -> None:
        nonlocal half, end
        half, end = packet.is_corrupt, packet.pts
        places.add(packet)
        groups.add(packet)
        if packet.is_keyframe:
            seek_times.append(packet.dts)

    try:
        for picture, is_whole in whole_pictures(container, stream, note):
            if picture.key_frame:
                key_frames.append(count)
                key_times.append(picture.pts)
            count += 1
            times.append(picture.pts)
            whole = count if is_whole else whole
    except av.FFmpegError as error:
        raise unreadable(path, f"after {count} frames: {movie_reason(error)}") from error
    finally:
        container.close()
    if not whole:
        reason = "none of its frames is whole" if count or half else "it has no frames"
        raise unreadable(path, reason)
    begun = count + half
    while half and whole > 1 and (end or 0) < (times[whole - 1] or 0):
        whole -= 1  # behind the half one: its number would be one too low
    from_start = MovieIndex(
        count=begun,
        times=None,
        key_frames=np.zeros(1, np.int64),
        groups=(hash_texts(*(group.hex() for group in groups.hashes())),),
    ).cut_to(whole)
    sought = None if container.format.name in _GUESSING else _own_times(seek_times)
    if not key_frames or key_frames[0] != 0 or sought is None or len(sought) != len(key_frames):
        return from_start
    index = MovieIndex(
        count=begun,
        times=None,
        key_frames=np.array(key_frames, dtype=np.int64),
        seek_times=sought,
        key_times=_own_times(key_times),
        groups=groups.hashes(),
    ).cut_to(whole)
    return index if seeks_right(path, index, places) else from_start


class _Groups:
    """Hashes of the packets from each key packet to the next."""

    def __init__(self) -> None:
        self._digests: list[xxhash.xxh3_128] = []

    def add(self, packet: Packet[VideoStream]) -> None:
        if packet.is_keyframe or not self._digests:
            self._digests.append(content_hash())
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
