"""Alphas finished behind the GPU, on the writers' pool, with room for a bounded number of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future

from gvm_client.errors import GvmError
from gvm_server.errors import as_gvm_error

ROOM_SECONDS = 0.1  # how often one who waits for room looks whether the job has ended


class FinishBehind:
    """A job's tasks in the writers' hands.

    The job's own loop counts as one task, so the last to leave, whoever it is, ends the job.

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
        """Hand a task over, waiting for room.

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
        """Hand over what is done even when the job has ended: what was made is not lost."""
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
            reason: why, where the job could not go on; what was handed over is still done.
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
            del self._on_end  # its owner, who holds this: nobody waits for the garbage collector
