"""What runs beside the GPU: plate frames read and encoded ahead, alphas finished behind it.

All are bounded: a job holds the frames of the windows that come next, and a fixed number of tasks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import TypeVar

from gvm_client.errors import GvmError
from gvm_server.cores import usable_cores
from gvm_server.errors import as_gvm_error
from gvm_server.matting.engines.base import Latent
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.preprocess import PreprocessedFrame, preprocess
from gvm_server.matting.stage_timer import StageTimer

_Item = TypeVar("_Item")

ROOM_SECONDS = 0.1  # how often a caller that waits for room looks whether the job has ended


class ReadAhead:
    """The frames that were asked for and not taken yet; used by one thread.

    `take` alone may be called from several, each for another frame.
    """

    def __init__(self, spec: JobSpec, *, readers: Executor, timer: StageTimer) -> None:
        self._spec = spec
        self._readers = readers
        self._timer = timer
        self._frames: dict[int, Future[PreprocessedFrame]] = {}

    def ask(self, frames: Iterable[int]) -> bool:
        """Start reading; return whether all can be read without waiting for a host."""
        frames = list(frames)
        given = self._spec.plate.want(frames)
        for frame in frames:
            if frame not in self._frames and given:
                self._start(frame)
        return given

    def __contains__(self, frame: int) -> bool:
        return frame in self._frames

    def take(self, frame: int) -> PreprocessedFrame:
        """Return a frame, waiting for its reader; it stays until it is dropped.

        Raises:
            InputError: it cannot be read.
        """
        return (self._frames.get(frame) or self._start(frame)).result()

    def keep_only(self, needed: Callable[[int], bool]) -> None:
        """Drop the frames that are not needed any more."""
        for frame in [frame for frame in self._frames if not needed(frame)]:
            self._frames.pop(frame).cancel()

    def _start(self, frame: int) -> Future[PreprocessedFrame]:
        future = self._readers.submit(preprocess, self._spec, frame, self._timer)
        self._frames[frame] = future
        return future


class Encodings:
    """The latents that are encoded ahead on threads of a job's own; used by one thread."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(usable_cores(), thread_name_prefix="encoder")
        self._latents: dict[bytes, Future[Latent]] = {}

    def start(self, key: bytes, encode: Callable[[], Latent]) -> None:
        """Have a latent made, unless that was begun."""
        if key not in self._latents:
            self._latents[key] = self._threads.submit(encode)

    def take(self, key: bytes) -> Latent:
        """Return a latent that was begun, waiting for it.

        Raises:
            GvmError: its frame cannot be read, or the job has ended.
        """
        return self._latents[key].result()

    def keep_only(self, needed: Collection[bytes]) -> None:
        """Drop the latents that are not needed any more."""
        self.drop([key for key in self._latents if key not in needed])

    def drop(self, keys: Iterable[bytes]) -> None:
        """Drop these latents; one that was not begun is no matter."""
        for key in keys:
            if (future := self._latents.pop(key, None)) is not None:
                future.cancel()

    def close(self) -> None:
        """Let the threads end; what has not begun is not done.

        It waits for nobody: the thread that ends a job may be the one that hears all clients, and
        a frame that is being encoded may wait for a slow disk.
        """
        self._threads.shutdown(wait=False, cancel_futures=True)


def shared_out(
    frames: Mapping[int, _Item], count: int, *, first: int | None
) -> Iterator[Mapping[int, _Item]]:
    """Yield frames in so many shares, each ascending but for the one that is to come first."""
    order = sorted(frames, key=lambda frame: (frame != first, frame))
    for start in range(min(count, len(order))):
        yield {frame: frames[frame] for frame in order[start::count]}


class BackgroundTasks:
    """A job's tasks on the writers' pool.

    The loop that runs the job's windows counts as one task until `close`; the last one to end, on
    whichever thread, ends the job.

    Args:
        writers: the pool.
        room: tasks that may wait or run at once; more make the GPU wait.
        on_end: called once, on the thread of the last task, with the first failure or None.
    """

    def __init__(
        self, *, writers: Executor, room: int, on_end: Callable[[GvmError | None], None]
    ) -> None:
        self._writers = writers
        self._room = threading.Semaphore(room)
        self._on_end = on_end
        self._lock = threading.Lock()
        self._tasks = 1
        self.closed = False
        self._reason: GvmError | None = None
        self.failure: GvmError | None = None

    def put(self, task: Callable[[], None]) -> None:
        """Submit a task, waiting for room.

        Raises:
            GvmError: the job has failed or was ended.
        """
        self.check()
        while not self._room.acquire(timeout=ROOM_SECONDS):
            self.check()
        with self._lock:
            self._tasks += 1
        self._writers.submit(self._run, task).add_done_callback(self._put_done)

    def keep(self, task: Callable[[], None]) -> None:
        """Submit a task that is done even when the job has ended: what was made is not lost."""
        with self._lock:
            self._tasks += 1
        self._writers.submit(task).add_done_callback(self._left)

    def check(self) -> None:
        """Raise the failure, if there is one."""
        if self.failure is not None:
            raise self.failure

    def fail(self, failure: GvmError) -> None:
        """End the job: tasks that have not begun are not done. The first failure stays."""
        with self._lock:
            self.failure = self.failure or failure

    def close(self, reason: GvmError | None = None) -> None:
        """Say that no more tasks come; harmless when said again.

        Args:
            reason: why, where the job could not go on; submitted tasks are still done.
        """
        with self._lock:
            if self.closed:
                return
            self.closed = True
            self._reason = reason
        self._leave()

    def _run(self, task: Callable[[], None]) -> None:
        if self.failure is None:
            task()

    def _put_done(self, future: Future[None]) -> None:
        self._room.release()
        self._left(future)

    def _left(self, future: Future[None]) -> None:
        error = CancelledError() if future.cancelled() else future.exception()
        if error is not None:
            self.fail(as_gvm_error(error))
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._tasks -= 1
            last = self._tasks == 0
        if last:
            self._on_end(self.failure or self._reason)
            del self._on_end  # it refers back to this: no garbage is left to collect
