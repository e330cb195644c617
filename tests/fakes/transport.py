"""A way to a server that is not there: it says what a server would, and notes what it is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator

from gvm_client.errors import ErrorCode
from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    EngineName,
    Failed,
    FrameReady,
    JobEvent,
    Matte,
    Progress,
    ServerStatus,
)

BEAT_SECONDS = 0.02


class FakeTransport:
    """A server that takes every job: two of its ten frames are quick.

    Attributes:
        requests: what was asked for, in order.
        ended: the jobs that were cancelled.
        holds: whether jobs stop after two frames until they are cancelled.
        fails: a sentence with which every job fails.
        opened: the names of the threads that looked for the server.
    """

    def __init__(self, *, holds: bool = False, fails: str = "") -> None:
        self.requests: list[Matte] = []
        self.ended: list[str] = []
        self.holds, self.fails = holds, fails
        self.opened: list[str] = []
        self.released = 0

    def __call__(self) -> FakeTransport:
        """Look for the server."""
        self.opened.append(threading.current_thread().name)
        return self

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Take a job."""
        self.requests.append(request)
        if self.fails:
            yield Failed(code=ErrorCode.OUT_OF_MEMORY, message=self.fails, remedy="Try less.")
            return
        yield _accepted(request.job)
        yield self._progress(request, 2)
        yield FrameReady(job=request.job, frame=1001, cached=False, path="/m")
        while self.holds:
            time.sleep(BEAT_SECONDS)
            if request.job in self.ended:
                yield Cancelled(job=request.job, frames_done=2, reason="Two frames are kept.")
                return
            yield self._progress(request, 2)
        yield Done(
            job=request.job,
            windows_run=1,
            windows_cached=0,
            frames_written=10,
            frames_kept=0,
            seconds=1,
            notes=("The test engine made this.",),
        )

    def cancel(self, job: str) -> None:
        """End a job."""
        self.ended.append(job)

    def release(self) -> None:
        """Give memory back."""
        self.released += 1

    def status(self) -> ServerStatus | None:
        """Say nothing."""
        return None

    def _progress(self, request: Matte, done: int) -> Progress:
        return Progress(
            job=request.job,
            frames_done=done,
            frames_total=10,
            windows_done=1,
            windows_total=4,
            note="Third in the queue.",
        )


def _accepted(job: str) -> Accepted:
    return Accepted(
        job=job,
        engine=EngineName.TEST,
        revision="1",
        preview=False,
        first=1001,
        last=1010,
        frames_total=10,
        frames_kept=0,
        windows_total=4,
        windows_cached=0,
        colourspace="srgb",
        working_width=32,
        working_height=32,
    )
