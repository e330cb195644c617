"""A movie's pictures in the order in which they are shown: a value, and its bytes in the memo."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

_HEAD = 7  # numbers before an index's own: how many of each there are

Times = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieIndex:
    """A movie's pictures in the order in which they are shown.

    Attributes:
        count: how many there are.
        times: when each is shown, in the stream's time base, strictly ascending; None where the
            file doesn't say, and then pictures are counted from a key picture.
        keys: indexes of the pictures at which decoding can begin, ascending; the first is 0.
        seeks: the time by which each key picture is sought, where that is not its own in `times`.
        marks: where `times` is None: the time that each key picture shows, by which it is known
            where a container lands elsewhere; None where they have none of their own.
        lost: how many pictures the file has begun behind these, and not whole.
        groups: 16 bytes for the packets from each key packet to the next, in the file's order; None
            where the packets were not gone through.
    """

    count: int
    times: Times | None
    keys: Times
    seeks: Times | None = None
    marks: Times | None = None
    lost: int = 0
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

    def is_key(self, index: int) -> bool:
        """Return whether decoding can begin at a picture."""
        return self.key_before(index) == index

    def seek_time(self, key: int) -> int | None:
        """Return the time by which a key picture is found; None where only the start can be."""
        if self.seeks is not None:
            return int(self.seeks[self._key_at(key)])
        return None if self.times is None else int(self.times[key])

    def cut_to(self, count: int) -> MovieIndex:
        """Return the index of the first pictures alone; the others are lost."""
        kept = self.keys < count
        return replace(
            self,
            count=count,
            times=None if self.times is None else self.times[:count],
            keys=self.keys[kept],
            seeks=None if self.seeks is None else self.seeks[kept],
            marks=None if self.marks is None else self.marks[kept],
            lost=self.lost + self.count - count,
        )

    def to_bytes(self) -> bytes:
        """Return what `from_bytes` reads: about a byte a picture."""
        groups = None if self.groups is None else np.frombuffer(b"".join(self.groups), "<i8")
        series = [self.times, self.keys, self.seeks, self.marks, groups]
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
        times, keys, seeks, marks, hashes = series
        if keys is None or not _is_sound(count, times, keys, seeks, marks):
            return None
        return cls(
            count=count,
            times=times,
            keys=keys,
            seeks=seeks,
            marks=marks,
            lost=lost,
            groups=None if hashes is None else _groups(hashes),
        )

    def _key_at(self, index: int) -> int:
        return max(int(np.searchsorted(self.keys, index, side="right")) - 1, 0)


def _groups(hashes: Times) -> tuple[bytes, ...]:
    data = hashes.astype("<i8").tobytes()
    return tuple(data[at : at + 16] for at in range(0, len(data), 16))


def _is_sound(
    count: int, times: Times | None, keys: Times, seeks: Times | None, marks: Times | None
) -> bool:
    """Whether these can be an index: what is looked up in it is there."""
    ascend = all(bool((np.diff(part) > 0).all()) for part in (times, keys) if part is not None)
    fit = all(part is None or len(part) == len(keys) for part in (seeks, marks))
    in_order = ascend and len(keys) > 0 and keys[0] == 0 and keys[-1] < count
    return bool(fit and in_order and (times is None or len(times) == count))
