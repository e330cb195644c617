"""What a movie's frame is decoded from, hashed: its packets, never the whole file.

- Equal hashes mean equal pictures: all packets that the picture may depend on are in it, and what
  the container says of the stream.
- A change in the movie moves the keys of its own group of pictures and of the neighbours only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Lock

import av

from gvm_server.media.plates.movies.file import open_movie, unreadable
from gvm_server.media.plates.movies.index import MovieIndex
from gvm_server.media.store.filekey import content_hash, hash_texts

_CHUNK_HEADER = 8  # bytes: an AVI's table names where a packet's chunk begins

Places = Sequence[tuple[int, int]]
"""Where a group's packets lie in the file: position and size, in the order of decoding."""


class MovieContent:
    """Hashes by picture; safe to use from several threads.

    Args:
        path: the movie.
        index: its pictures; where the scan went through the packets, their hashes are in it.

    Raises:
        InputError: it is not a movie.
    """

    def __init__(self, path: Path, index: MovieIndex) -> None:
        self._path = path
        self._index = index
        self._lock = Lock()
        self._stream, self._places = _look(path)
        self._hashes: dict[int, bytes] = {}
        if index.groups is not None:
            self._hashes = dict(enumerate(index.groups))
        self._count = len(self._hashes) or len(self._places)

    def of(self, index: int) -> bytes:
        """Return 16 bytes for a picture.

        Raises:
            OSError: the file cannot be read.
        """
        groups = (self._group(number).hex() for number in self._needed(index))
        key = self._index.key_before(index)
        times = self._index.times
        later = index - key, None if times is None else int(times[index] - times[key])
        return hash_texts(self._stream.hex(), *later, *groups)

    def _needed(self, index: int) -> range:
        """Return the groups that a picture may depend on.

        A picture that is shown before a key picture may come after it in the file, and refer to
        both sides (an open group of pictures).
        """
        if self._count == self._index.count:
            return range(index, index + 1)  # every picture stands for itself
        here = self._index.group_of(index)
        # Where the stream does not begin with a key picture, the two ways to count differ by one.
        reach = 1 if self._count == len(self._index.keys) else 2
        return range(max(here - reach, 0), min(here + reach + 1, self._count))

    def _group(self, number: int) -> bytes:
        with self._lock:
            known = self._hashes.get(number)
            if known is None:
                known = self._hashes[number] = _read(self._path, self._places[number])
            return known


def _look(path: Path) -> tuple[bytes, list[list[tuple[int, int]]]]:
    """Return a hash of what the container says, and the table of its packets, in groups."""
    container, stream = open_movie(path)
    try:
        context = stream.codec_context
        said = hash_texts(
            *(container.format.name, context.name, bytes(context.extradata or b"").hex()),
            *(context.pix_fmt, context.profile, context.width, context.height),
            *(context.color_primaries, context.color_trc, context.colorspace),
            *(context.color_range, stream.sample_aspect_ratio),
            *(stream.time_base, stream.average_rate, sorted(stream.metadata.items())),
            sorted(container.metadata.items()),
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


def _read(path: Path, places: Places) -> bytes:
    digest = content_hash()
    with path.open("rb") as file:
        for position, size in places:
            file.seek(position)
            digest.update(file.read(size))
    return digest.digest()
