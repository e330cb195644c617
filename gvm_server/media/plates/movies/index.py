"""A movie's pictures in the order in which they are shown, and hashes of what each is decoded from.

- The hash of a picture is of its packets, never of the whole file. Equal hashes mean equal
  pictures: all packets that the picture may depend on are in it, and what the container says of the
  stream.
- A change in the movie moves the keys of its own group of pictures and of the neighbours only.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import av
import numpy as np
from numpy.typing import NDArray

from gvm_server.media.plates.movies.file import fraction, open_movie, unreadable
from gvm_server.media.store.file_keys import KEY_BYTES, Opened, content_hash, hash_texts
from gvm_server.media.store.memo import Memo

_HEAD = 7  # numbers before an index's own: how many of each there are

# What the memo calls them; another FFmpeg may say other things of a stream.
_STREAM = f"movie stream 1, FFmpeg {av.ffmpeg_version_info}"
_GROUP = f"movie packets 1, FFmpeg {av.ffmpeg_version_info}"

Times = NDArray[np.int64]

_LEAST_FOR_A_RATE = 3  # pictures: two are always one step apart
_MUCH_LONGER = 1.5  # than the mean: more than pulldown and rounding make of one rate

_CHUNK_HEADER = 8  # bytes: an AVI's table names where a packet's chunk begins

PacketPlaces = Sequence[tuple[int, int]]
"""Where a group's packets lie in the file: position and size, in the order of decoding."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieIndex:
    """A movie's pictures in the order in which they are shown.

    Attributes:
        count: how many there are.
        times: when each is shown, in the stream's time base, strictly ascending; None where the
            file doesn't say, and then pictures are counted from a key frame.
        key_frames: indexes of the pictures at which decoding can begin, ascending; the first is 0.
        seek_times: the time by which each key frame is sought, where its own in `times` is not.
        key_times: where `times` is None: the time that each key frame shows, by which it is known
            where a container lands elsewhere; None where they have none of their own.
        lost: how many pictures the file has begun behind these, and not whole.
        groups: 16 bytes for the packets from each key frame's to the next, in the file's order;
            None where the packets were not gone through.
    """

    count: int
    times: Times | None
    key_frames: Times
    seek_times: Times | None = None
    key_times: Times | None = None
    lost: int = 0
    groups: tuple[bytes, ...] | None = None

    @property
    def is_from_start(self) -> bool:
        """Whether no seek is believed: every picture is counted from the first one."""
        return self.times is None and len(self.key_frames) == 1

    @property
    def longest(self) -> float:
        """How long the longest picture before the last lasts, of the mean; 1 where none is known.

        It is 1 too where all are shown within a mean of where one rate puts them, and none lasts
        half as long again: rounded times, and pulldown, are one rate.
        """
        if self.times is None or self.count < _LEAST_FOR_A_RATE:
            return 1.0
        even, mean = np.linspace(self.times[0], self.times[-1], self.count, retstep=True)
        longest = float(np.diff(self.times).max() / mean)
        out_of_step = float(np.abs(self.times - even).max() / mean)
        return longest if longest >= _MUCH_LONGER or out_of_step >= 1 else 1.0

    def index_at(self, time: int | None) -> int | None:
        """Return the index of the picture that is shown at a time; None where there is none."""
        if self.times is None or time is None:
            return None
        index = int(np.searchsorted(self.times, time))
        return index if index < self.count and self.times[index] == time else None

    def key_frame_showing(self, time: int | None) -> int | None:
        """Return the index of the key frame that shows a time; None where none does."""
        if self.key_times is None or time is None:
            return None
        found = np.flatnonzero(self.key_times == time)
        return int(self.key_frames[found[0]]) if found.size else None

    def key_frame_before(self, index: int) -> int:
        """Return the index of the last key frame at or before a picture."""
        return int(self.key_frames[self._key_frame_number(index)])

    def group_of(self, index: int) -> int:
        """Return the number of the key frame at or before a picture, counted from 0."""
        return self._key_frame_number(index)

    def is_key_frame(self, index: int) -> bool:
        """Return whether decoding can begin at a picture."""
        return self.key_frame_before(index) == index

    def seek_time(self, key: int) -> int | None:
        """Return the time by which a key frame is found; None where only the start can be."""
        if self.seek_times is not None:
            return int(self.seek_times[self._key_frame_number(key)])
        return None if self.times is None else int(self.times[key])

    def cut_to(self, count: int) -> MovieIndex:
        """Return the index of the first pictures alone; the others are lost."""
        kept = self.key_frames < count
        return replace(
            self,
            count=count,
            times=None if self.times is None else self.times[:count],
            key_frames=self.key_frames[kept],
            seek_times=None if self.seek_times is None else self.seek_times[kept],
            key_times=None if self.key_times is None else self.key_times[kept],
            lost=self.lost + self.count - count,
        )

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads: about a byte a picture."""
        groups = None if self.groups is None else np.frombuffer(b"".join(self.groups), "<i8")
        series = [self.times, self.key_frames, self.seek_times, self.key_times, groups]
        sizes = [-1 if part is None else len(part) for part in series]
        steps = [np.diff(part, prepend=0) for part in series if part is not None]
        head = np.array([self.count, self.lost, *sizes], dtype="<i8").tobytes()
        return zlib.compress(head + b"".join(part.astype("<i8").tobytes() for part in steps))

    @classmethod
    def from_bytes(cls, data: bytes) -> MovieIndex | None:
        """Return an index that was kept; None where these bytes are none."""
        try:
            numbers = np.frombuffer(zlib.decompress(data), dtype="<i8").astype(np.int64)
        except (zlib.error, ValueError):
            return None
        count, lost, *sizes = (*(int(number) for number in numbers[:_HEAD]), -1, -1)[:_HEAD]
        if len(numbers) < _HEAD or len(numbers) != _HEAD + sum(max(size, 0) for size in sizes):
            return None
        series: list[Times | None] = []
        at = _HEAD
        for size in sizes:
            series.append(None if size < 0 else np.cumsum(numbers[at : at + size]))
            at += max(size, 0)
        times, key_frames, seek_times, key_times, hashes = series
        if key_frames is None or not _is_sound(count, times, key_frames, seek_times, key_times):
            return None
        return cls(
            count=count,
            times=times,
            key_frames=key_frames,
            seek_times=seek_times,
            key_times=key_times,
            lost=lost,
            groups=None if hashes is None else _groups_of(hashes),
        )

    def _key_frame_number(self, index: int) -> int:
        return max(int(np.searchsorted(self.key_frames, index, side="right")) - 1, 0)


def _groups_of(hashes: Times) -> tuple[bytes, ...]:
    data = hashes.astype("<i8").tobytes()
    return tuple(data[at : at + 16] for at in range(0, len(data), 16))


def _is_sound(
    count: int,
    times: Times | None,
    key_frames: Times,
    seek_times: Times | None,
    key_times: Times | None,
) -> bool:
    """Whether these can be an index: what is looked up in it is there."""
    ascend = all(
        bool((np.diff(part) > 0).all()) for part in (times, key_frames) if part is not None
    )
    fit = all(part is None or len(part) == len(key_frames) for part in (seek_times, key_times))
    in_order = ascend and len(key_frames) > 0 and key_frames[0] == 0 and key_frames[-1] < count
    return bool(fit and in_order and (times is None or len(times) == count))


class MovieContent:
    """Hashes by picture; safe to use from several threads.

    Args:
        read: gives the movie to be read, and proves that it was one version all the while.
        index: its pictures; where the scan went through the packets, their hashes are in it.
        memo: what is known of files from before: hashes, and what the container says.
        version: 16 bytes for the file as it is on the disk, by which that is kept.

    Raises:
        InputError: it is not a movie, or changed.
    """

    def __init__(
        self,
        read: Callable[[], AbstractContextManager[Opened]],
        index: MovieIndex,
        memo: Memo,
        version: bytes,
    ) -> None:
        self._read = read
        self._index = index
        self._memo = memo
        self._version = version
        self._lock = Lock()
        self._places: list[list[tuple[int, int]]] | None = None  # read where a hash is not known
        said = memo.recall(_STREAM, version)
        if said is None or len(said) <= KEY_BYTES:
            with read() as opened:
                stream, self._places = _read_packets(opened.path)
            said = stream + len(self._places).to_bytes(8, "big")
            memo.keep(_STREAM, version, said)
        self._stream, groups = said[:KEY_BYTES], int.from_bytes(said[KEY_BYTES:], "big")
        self._hashes: dict[int, bytes] = {}
        if index.groups is not None:
            self._hashes = dict(enumerate(index.groups))
        self._count = len(self._hashes) or groups

    def of(self, index: int) -> bytes:
        """Return 16 bytes for a picture.

        Raises:
            InputError: the file changed.
            OSError: it cannot be read.
        """
        groups = (self._group(number).hex() for number in self._needed(index))
        key = self._index.key_frame_before(index)
        times = self._index.times
        later = index - key, None if times is None else int(times[index] - times[key])
        return hash_texts(self._stream.hex(), *later, *groups)

    def _needed(self, index: int) -> range:
        """Return the groups that a picture may depend on.

        A picture that is shown before a key frame may come after it in the file, and refer to
        both sides (an open group of pictures).
        """
        if self._count == self._index.count:
            return range(index, index + 1)  # every picture stands for itself
        here = self._index.group_of(index)
        # Where the stream does not begin with a key frame, the two ways to count differ by one.
        reach = 1 if self._count == len(self._index.key_frames) else 2
        return range(max(here - reach, 0), min(here + reach + 1, self._count))

    def _group(self, number: int) -> bytes:
        with self._lock:
            known = self._hashes.get(number)
            if known is None:
                known = self._hashes[number] = self._kept(number)
            return known

    def _kept(self, number: int) -> bytes:
        """Return a group's hash, kept from before, or made and kept."""
        key = hash_texts(self._version.hex(), number)
        known = self._memo.recall(_GROUP, key)
        if known is None:
            with self._read() as opened:
                if self._places is None:
                    _, self._places = _read_packets(opened.path)
                known = _read_places(opened.path, self._places[number])
            self._memo.keep(_GROUP, key, known)
        return known


def _read_packets(path: Path) -> tuple[bytes, list[list[tuple[int, int]]]]:
    """Return a hash of what the container says, and the table of its packets, in groups."""
    container, stream = open_movie(path)
    try:
        context = stream.codec_context
        said = hash_texts(
            *(container.format.name, context.name, bytes(context.extradata or b"").hex()),
            *(context.pix_fmt, context.profile, context.width, context.height),
            *(context.color_primaries, context.color_trc, context.colorspace),
            *(context.color_range, fraction(stream.sample_aspect_ratio)),
            *(fraction(stream.time_base), fraction(stream.average_rate)),
            *(sorted(stream.metadata.items()), sorted(container.metadata.items())),
        )
        before = _CHUNK_HEADER if container.format.name == "avi" else 0
        groups: list[list[tuple[int, int]]] = []
        for entry in stream.index_entries:
            if entry.is_keyframe or not groups:
                groups.append([])
            groups[-1].append((entry.pos, entry.size + before))
    except av.FFmpegError as error:
        raise unreadable(path, str(error)) from error
    finally:
        container.close()
    return said, groups


def _read_places(path: Path, places: PacketPlaces) -> bytes:
    digest = content_hash()
    with path.open("rb") as file:
        for position, size in places:
            file.seek(position)
            digest.update(file.read(size))
    return digest.digest()
