"""A movie's frames by index: exact ones, in any order, cheap in ascending order.

- One decoder behind one lock; it goes on where it stands unless a key frame lies ahead.
- The last few frames stay at hand: threads that ask for t and t+1 out of order cause no seek.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import TypeVar

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from gvm_client.errors import InputError, JobCancelled
from gvm_server.media.plates.movies.file import (
    MovieMetadata,
    movie_reason,
    open_movie,
    stream_metadata,
    unreadable,
    whole_pictures,
)
from gvm_server.media.plates.movies.index import MovieIndex

AT_HAND = 8  # decoded frames kept, in the codec's own compact format

_Seen = TypeVar("_Seen")


class MovieDecoder:
    """Decodes a movie, opened when something of it is asked for; safe from several threads."""

    _container: InputContainer
    _stream: VideoStream
    _frames: Iterator[tuple[VideoFrame, bool]]

    def __init__(self, path: Path, index: MovieIndex) -> None:
        self._path = path
        self._index = index
        self._lock = Lock()
        self._at_hand: OrderedDict[int, VideoFrame] = OrderedDict()
        self._position = 0  # the index that comes next
        self._closed = False
        self._skips = False  # whether pictures come first that nobody counted: see `_go_to`
        self._is_open = False

    def facts(self) -> MovieMetadata:
        """Return what the container says.

        Raises:
            InputError: it is not a movie, or has no video.
            JobCancelled: it was closed.
        """
        return self._asked(lambda: stream_metadata(self._container, self._stream))

    def frame(self, index: int) -> VideoFrame | None:
        """Return a frame by its index; None where the movie does not yield it.

        Raises:
            InputError: the movie cannot be read.
            JobCancelled: it was closed.
        """
        try:
            return self._asked(lambda: self._find(index))
        except av.FFmpegError as error:
            raise unreadable(self._path, movie_reason(error), frame=index + 1) from error

    def close(self) -> None:
        """Close file and codec, or have whoever reads do so; harmless when said again.

        It waits for nobody: the thread that ends a job may be the one that hears all clients.
        """
        self._closed = True
        self._let_go()

    def _asked(self, look: Callable[[], _Seen]) -> _Seen:
        """Return what a look at the open movie sees, one at a time."""
        try:
            with self._lock:
                if self._closed:
                    raise JobCancelled(f"{self._path} is not read any more.")
                if not self._is_open:
                    self._container, self._stream = open_movie(self._path)
                    self._frames = whole_pictures(self._container, self._stream)
                    self._is_open = True
                return look()
        finally:
            if self._closed:
                self._let_go()

    def _let_go(self) -> None:
        """Give file and codec back, unless somebody reads: who leaves last does it."""
        if not self._lock.acquire(blocking=False):
            return
        if self._is_open:
            self._is_open = False
            self._at_hand.clear()
            self._container.close()
            # PyAV ends a codec's threads with the last reference to it, and has no other word.
            del self._frames, self._stream, self._container
        self._lock.release()

    def _find(self, index: int) -> VideoFrame | None:
        if index in self._at_hand:
            return self._at_hand[index]
        key = self._index.key_frame_before(index)
        # A container may land behind the key frame that was asked for: then begin earlier. Also
        # where the decoder fails: it may lack what lies before.
        starts = list(dict.fromkeys((key, self._index.key_frame_before(key - 1), 0)))
        goes_on = key <= self._position <= index
        failure: Exception | None = None
        for start in (None, *starts) if goes_on else starts:
            if failure is not None and start in starts[2:]:
                break  # damaged, wherever one begins
            try:
                if start is not None:
                    self._go_to(start)
                if frame := self._run_to(index):
                    return frame
            except (av.FFmpegError, InputError) as error:
                failure = error
        if failure is not None:
            raise failure
        return None

    def _run_to(self, index: int) -> VideoFrame | None:
        """Decode on until a frame; None where the movie ends, passes it by, or shows another.

        Raises:
            InputError: the frame is damaged.
        """
        for frame, is_whole in self._frames:
            here = self._place(frame)
            if here is None:
                if self._skips:
                    continue
                return None  # a picture that the index does not know: the index is not right
            self._skips = False
            self._position = here + 1
            if is_whole:
                self._keep(here, frame)
            elif here == index:
                raise unreadable(self._path, "it is damaged in the file", frame=index + 1)
            if here >= index:
                break
        return self._at_hand.get(index)

    def _place(self, frame: VideoFrame) -> int | None:
        """Return a picture's index; None where the index has none, or while none is counted.

        After a jump the first that counts is a key frame.
        """
        if self._index.times is not None:
            here = self._index.index_at(frame.pts)
            passed_by = self._skips and here is not None and not self._index.is_key_frame(here)
            return None if passed_by else here
        if not self._skips:
            return self._position
        if not frame.key_frame:
            return None
        return (
            self._position
            if self._index.key_times is None
            else self._index.key_frame_showing(frame.pts)
        )

    def _go_to(self, key: int) -> None:
        """Stand before a key frame; the start of the movie is found by opening it anew.

        Pictures before the key frame are passed by: a decoder may show some that it cannot make
        whole. Where they are counted, which key frame comes is told by its own time: mp4 and
        mov with pictures that wait for later ones land at an earlier one (FFmpeg 8).
        """
        self._at_hand.clear()
        self._position = key
        time = self._index.seek_time(key)
        self._skips = key > 0 and time is not None
        if not self._skips or time is None:
            self._position = 0
            self._container.close()
            self._container, self._stream = open_movie(self._path)
        else:
            self._container.seek(time, stream=self._stream)
        self._frames = whole_pictures(self._container, self._stream)

    def _keep(self, index: int, frame: VideoFrame) -> None:
        self._at_hand[index] = frame
        while len(self._at_hand) > AT_HAND:
            self._at_hand.popitem(last=False)
