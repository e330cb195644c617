"""An endpoint on a thread, and a handler that answers as a small server would."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from gvm_client.errors import ErrorCode, ServerError
from gvm_client.protocol.messages import (
    Accepted,
    Cancel,
    Cancelled,
    Done,
    EngineName,
    FilePlate,
    FrameReady,
    JobEvent,
    MappedOutput,
    Matte,
    NeedFrames,
    Ok,
    Pong,
    Progress,
    Reply,
    Status,
    Stop,
)
from gvm_client.protocol.wire import Envelope
from gvm_server.service.endpoint import Endpoint
from tests.support.messages import JOB, SAMPLES

FRAMES = 3
REQUEST = Matte(job=JOB, plate=FilePlate(path="/p"), output=MappedOutput())


class SmallServer:
    """Answers every message; what a job does depends on its `frames` text.

    ``: accepted, frames, done. `need`: asks for pixels, done when they came. `forever`: a heartbeat
    each tick until cancelled. `silent`: accepted, then nothing. `illegal`: done before accepted.

    Attributes:
        gone: the peers that were reported as unreachable.
        cancelled: the jobs that were cancelled.
        work: what came on the work socket.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.gone: list[bytes] = []
        self.cancelled: list[str] = []
        self.work: list[Envelope] = []
        self.ticks: list[float] = []
        self._beating: dict[str, tuple[bytes, str]] = {}

    def on_work(self, peer: bytes, envelope: Envelope) -> None:
        """Take a job, or its pixels."""
        self.work.append(envelope)
        message = envelope.message
        if not isinstance(message, Matte):
            self._say(peer, envelope.request, done(message.job))
            return
        kind = message.frames
        if kind == "refuse":
            raise ServerError("Too many jobs.", remedy="Wait.", code=ErrorCode.SERVER_BUSY)
        if kind == "defect":
            raise ZeroDivisionError
        if kind != "illegal":
            self._say(peer, envelope.request, accepted(message.job))
        if kind == "need":
            self._say(peer, envelope.request, NeedFrames(job=message.job, frames=(1,)))
        elif kind == "forever":
            self._beating[message.job] = (peer, envelope.request)
        elif kind != "silent":
            for frame in range(FRAMES):
                ready = FrameReady(job=message.job, frame=frame, cached=False)
                self._say(peer, envelope.request, ready)
            self._say(peer, envelope.request, done(message.job))

    def on_control(self, peer: bytes, envelope: Envelope) -> Reply:
        """Answer at once."""
        del peer
        message = envelope.message
        if isinstance(message, Cancel):
            return self._cancel(message)
        if isinstance(message, Status):
            return SAMPLES["server_status"]["full"]
        if isinstance(message, Stop):
            self.endpoint.stop()
            return Ok(note="Bye.")
        return Pong(pid=self.endpoint.connection.pid, version="small")

    def on_tick(self) -> None:
        """Beat the hearts of the jobs that go on for ever."""
        self.ticks.append(time.monotonic())
        for job, (peer, request) in self._beating.items():
            self._say(peer, request, progress(job))

    def on_unreachable(self, peer: bytes) -> None:
        """Forget the peer's jobs."""
        self.gone.append(peer)
        self._beating = {job: at for job, at in self._beating.items() if at[0] != peer}

    def _cancel(self, message: Cancel) -> Reply:
        self.cancelled.append(message.job)
        if message.job not in self._beating:
            raise ServerError(f"No job {message.job}.", code=ErrorCode.UNKNOWN_JOB)
        peer, request = self._beating.pop(message.job)
        self._say(peer, request, Cancelled(job=message.job, frames_done=0, reason="Asked."))
        return Ok()

    def _say(self, peer: bytes, request: str, event: JobEvent) -> None:
        self.endpoint.send(peer, event, request=request)


@contextmanager
def serving(folder: Path) -> Iterator[SmallServer]:
    """Run a small server in a run-time folder on a thread of this process."""
    endpoint = Endpoint(folder)
    server = SmallServer(endpoint)
    thread = threading.Thread(target=endpoint.run, args=(server,), name="endpoint")
    thread.start()
    try:
        yield server
    finally:
        endpoint.stop()
        thread.join()
        endpoint.close()


def until(rule: Callable[[], object], seconds: float = 30.0) -> bool:
    """Wait until a rule holds, and return whether it does."""
    deadline = time.monotonic() + seconds
    while not rule() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(rule())


def accepted(job: str) -> Accepted:
    """Return a plain acceptance."""
    return Accepted(
        job=job,
        engine=EngineName.TEST,
        revision="1",
        preview=False,
        first=0,
        last=FRAMES - 1,
        frames_total=FRAMES,
        frames_kept=0,
        windows_total=1,
        windows_cached=0,
        colourspace="srgb",
        working_width=32,
        working_height=32,
    )


def progress(job: str) -> Progress:
    """Return a heartbeat."""
    return Progress(job=job, frames_done=0, frames_total=FRAMES, windows_done=0, windows_total=1)


def done(job: str) -> Done:
    """Return a plain end."""
    return Done(
        job=job,
        windows_run=1,
        windows_cached=0,
        frames_written=FRAMES,
        frames_kept=0,
        seconds=0.5,
    )
