"""A movie's pictures in the order in which they are shown: a value, and its bytes in the memo."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_HEAD = 6  # numbers before an index's own: how many of each there are

Times = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieIndex:
    """A movie's pictures in the order in which they are shown.

    Attributes:
        count: how many there are.
        times: when each is shown, in the stream's time base, strictly ascending; None where the
            file doesn't say, and then pictures are counted from a key picture.
        keys: indexes of the pictures at which decoding can begin, ascending; the first is 0.
        seeks: where `times` is None: the time by which each key picture is sought.
        marks: where `times` is None: the time that each key picture shows, by which it is known
            where a container lands elsewhere; None where they have none of their own.
        groups: 16 bytes for the packets from each key packet to the next, in the file's order; None
            where the packets were not gone through.
    """

    count: int
    times: Times | None
    keys: Times
    seeks: Times | None = None
    marks: Times | None = None
    groups: tuple[bytes, ...] | None = None

    def index_at(self, time: int | None) -> int | None:
        """Return the index of the picture that is shown at a time; None where there is none."""
        if self.times is None or time is None:
            return None
        index = int(np.searchsorted(self.times, time))
        return index if index < self.count and self.times[index] == time else None

    def key_at(self, time: int | None) -> int | None:
        """Return the index of the key picture that shows a time; None where none does."""
        if self.marks is None or time is None:
            return None
        found = np.flatnonzero(self.marks == time)
        return int(self.keys[found[0]]) if found.size else None

    def key_before(self, index: int) -> int:
        """Return the index of the last key picture at or before a picture."""
        return int(self.keys[self._key_at(index)])

    def group_of(self, index: int) -> int:
        """Return the number of the key picture at or before a picture, counted from 0."""
        return self._key_at(index)

    def seek_time(self, key: int) -> int | None:
        """Return the time by which a key picture is found; None where only the start can be."""
        if self.times is not None:
            return int(self.times[key])
        return None if self.seeks is None else int(self.seeks[self._key_at(key)])

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads: about a byte a picture."""
        groups = None if self.groups is None else np.frombuffer(b"".join(self.groups), "<i8")
        series = [self.times, self.keys, self.seeks, self.marks, groups]
        sizes = [-1 if part is None else len(part) for part in series]
        steps = [np.diff(part, prepend=0) for part in series if part is not None]
        head = np.array([self.count, *sizes], dtype="<i8").tobytes()
        return zlib.compress(head + b"".join(part.astype("<i8").tobytes() for part in steps))

    @classmethod
    def from_bytes(cls, data: bytes) -> MovieIndex | None:
        """Return an index that was kept; None where these bytes are none."""
        try:
            numbers = np.frombuffer(zlib.decompress(data), dtype="<i8").astype(np.int64)
        except (zlib.error, ValueError):
            return None
        count, *sizes = (int(number) for number in numbers[:_HEAD])
        if len(sizes) < _HEAD - 1 or len(numbers) != _HEAD + sum(max(size, 0) for size in sizes):
            return None
        series: list[Times | None] = []
        at = _HEAD
        for size in sizes:
            series.append(None if size < 0 else np.cumsum(numbers[at : at + size]))
            at += max(size, 0)
        times, keys, seeks, marks, hashes = series
        if keys is None:
            return None
        groups = None
        if hashes is not None:
            data = hashes.astype("<i8").tobytes()
            groups = tuple(data[at : at + 16] for at in range(0, len(data), 16))
        return cls(count=count, times=times, keys=keys, seeks=seeks, marks=marks, groups=groups)

    def _key_at(self, index: int) -> int:
        return max(int(np.searchsorted(self.keys, index, side="right")) - 1, 0)
