"""A movie's frames by index: exact ones, in any order, cheap in ascending order.

Laws:
1. One decoder behind one lock; it goes on where it stands unless a key frame lies ahead.
2. The last few frames stay at hand: threads that ask for t and t+1 out of order cause no seek.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

import av
from av.video.frame import VideoFrame

from gvm_client.errors import JobCancelled
from gvm_server.media.moviefacts import stream_facts
from gvm_server.media.movieindex import MovieIndex
from gvm_server.media.moviescan import open_movie, unreadable

AT_HAND = 8  # decoded frames kept, in the codec's own compact format


class MovieDecoder:
    """Decodes a movie; safe to use from several threads.

    Raises:
        InputError: it is not a movie, or has no video.
    """

    def __init__(self, path: Path, index: MovieIndex) -> None:
        self._path = path
        self._index = index
        self._lock = Lock()
        self._at_hand: OrderedDict[int, VideoFrame] = OrderedDict()
        self._position = 0  # the index that comes next
        self._closed = False
        self._skips = False  # whether pictures come first that nobody counted: see `_go_to`
        self._container, self._stream = open_movie(path)
        self._frames: Iterator[VideoFrame] = self._container.decode(self._stream)
        self._open = True
        self.facts = stream_facts(self._container, self._stream)

    def frame(self, index: int) -> VideoFrame | None:
        """Return a frame by its index; None where the movie does not yield it.

        Raises:
            InputError: the movie cannot be read.
            JobCancelled: it was closed.
        """
        try:
            with self._lock:
                if self._closed:
                    raise JobCancelled(f"{self._path} is not read any more.")
                return self._find(index)
        except av.FFmpegError as error:
            raise unreadable(self._path, error.strerror or str(error)) from error
        finally:
            if self._closed:
                self._let_go()

    def close(self) -> None:
        """Close file and codec, or have whoever reads do so; harmless when said again.

        It waits for nobody: the thread that ends a job may be the one that hears all clients.
        """
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        """Give file and codec back, unless somebody reads: who leaves last does it."""
        if not self._lock.acquire(blocking=False):
            return
        if self._open:
            self._open = False
            self._at_hand.clear()
            self._container.close()
            # PyAV ends a codec's threads with the last reference to it, and has no other word.
            del self._frames, self._stream, self._container
        self._lock.release()

    def _find(self, index: int) -> VideoFrame | None:
        if index in self._at_hand:
            return self._at_hand[index]
        key = self._index.key_before(index)
        goes_on = key <= self._position <= index
        if goes_on and (frame := self._run_to(index)):
            return frame
        # A container may land behind the key frame that was asked for: then begin earlier.
        for start in dict.fromkeys((key, self._index.key_before(key - 1), 0)):
            self._go_to(start)
            if frame := self._run_to(index):
                return frame
        return None

    def _run_to(self, index: int) -> VideoFrame | None:
        """Decode on until a frame; None where the movie ends, passes it by, or shows another."""
        for frame in self._frames:
            if self._skips:
                if not frame.key_frame:
                    continue
                if self._index.marks is not None:
                    landed = self._index.key_at(frame.pts)
                    if landed is None:
                        return None
                    self._position = landed
                self._skips = False
            here = self._position if self._index.times is None else self._index.index_at(frame.pts)
            if here is None:
                return None  # a picture that the index does not know: the index is not right
            self._position = here + 1
            self._keep(here, frame)
            if here >= index:
                break
        return self._at_hand.get(index)

    def _go_to(self, key: int) -> None:
        """Stand before a key frame; the start of the movie is found by opening it anew.

        Where pictures are counted, those before the key picture are passed by: a decoder may show
        some that it cannot make whole. Which key picture comes is told by its own time: mp4 and
        mov with pictures that wait for later ones land at an earlier one (FFmpeg 8).
        """
        self._at_hand.clear()
        self._position = key
        time = self._index.seek_time(key)
        self._skips = self._index.times is None and key > 0 and time is not None
        if key == 0 or time is None:
            self._position = 0
            self._container.close()
            self._container, self._stream = open_movie(self._path)
        else:
            self._container.seek(time, stream=self._stream)
        self._frames = self._container.decode(self._stream)

    def _keep(self, index: int, frame: VideoFrame) -> None:
        self._at_hand[index] = frame
        while len(self._at_hand) > AT_HAND:
            self._at_hand.popitem(last=False)
