"""Which frames a movie has: found once by reading its packets, without decoding any."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from gvm_client.errors import ErrorCode, InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class MovieIndex:
    """A movie's frames in the order in which they are shown.

    Attributes:
        count: how many there are.
        times: when each is shown, in the stream's time base, strictly ascending; None where
            the file doesn't say, and then frames can only be counted from the start.
        keys: indexes of the frames at which decoding can begin, ascending; the first is 0.
    """

    count: int
    times: NDArray[np.int64] | None
    keys: NDArray[np.int64]

    def index_at(self, time: int | None) -> int | None:
        """Return the index of the frame that is shown at a time; None where there is none."""
        if self.times is None or time is None:
            return None
        index = int(np.searchsorted(self.times, time))
        return index if index < self.count and self.times[index] == time else None

    def key_before(self, index: int) -> int:
        """Return the index of the last key frame at or before a frame."""
        return int(self.keys[max(int(np.searchsorted(self.keys, index, side="right")) - 1, 0)])


def open_movie(path: Path) -> tuple[InputContainer, VideoStream]:
    """Open a movie and its first video stream.

    Raises:
        InputError: it is not a movie, or has no video.
    """
    try:
        container = av.open(str(path), "r")
    except FileNotFoundError as error:
        raise InputError(
            f"No movie is at {path}.",
            remedy="Check the path.",
            code=ErrorCode.PLATE_MISSING,
            path=str(path),
        ) from error
    except (av.FFmpegError, OSError) as error:
        raise unreadable(path, _reason(error)) from error
    if not container.streams.video:
        container.close()
        raise unreadable(path, "it has no video stream")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return container, stream


def index_movie(path: Path) -> MovieIndex:
    """Read a movie's packets.

    Raises:
        InputError: it is not a movie, has no video, no frames, or is cut short.
    """
    container, stream = open_movie(path)
    times: list[int | None] = []
    is_key: list[bool] = []
    hidden = 0
    try:
        for packet in container.demux(stream):
            if packet.size == 0:
                continue  # the end of the stream
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
    return _index(times, is_key)


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


def _index(times: list[int | None], is_key: list[bool]) -> MovieIndex:
    known = [time for time in times if time is not None]
    if len(set(known)) < len(times):
        return MovieIndex(count=len(times), times=None, keys=np.zeros(1, np.int64))
    shown = np.array(known, dtype=np.int64)
    order = np.argsort(shown)
    keys = np.flatnonzero(np.array(is_key)[order])
    return MovieIndex(count=len(times), times=shown[order], keys=np.union1d([0], keys))


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
