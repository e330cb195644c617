"""One job as a host follows it: on a background thread, or to its end in a batch render.

`on_update` hears at most one update every `UPDATE_SECONDS`, and always the last one. A job ends
once; its last update is `result`, with an error as an object in it. `cancel` returns at once, from
any thread. When a job has ended, neither an update nor a cancel of it is still on its way, so that
none can reach the next job of the same name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from enum import Enum

from gvm_client.errors import GvmError, JobCancelled, JobFailed
from gvm_client.protocol.messages import Accepted, Done, FrameReady, JobEvent, Matte, Progress
from gvm_client.text import ARE, counted
from gvm_nodes.core.transport import Transport, open_transport, raise_ending

UPDATE_SECONDS = 0.5  # more often is only load on a host's main thread


class Phase(str, Enum):
    """Where a job stands."""

    WORKING = "working"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, kw_only=True, slots=True)
class Update:
    """What a host shows of a job.

    Attributes:
        phase: where it stands; all but `WORKING` are final.
        frames_done: alphas that stand.
        frames_total: alphas asked for; 0 before the plate was looked at.
        ready: the host's numbers of the frames that have come since the last update.
        note: what it waits for, or does, in plain words.
        error: why it failed or was cancelled.
    """

    phase: Phase = Phase.WORKING
    frames_done: int = 0
    frames_total: int = 0
    ready: tuple[int, ...] = ()
    note: str = ""
    error: GvmError | None = None

    @property
    def sentence(self) -> str:
        """One line for an artist."""
        if self.error is not None:
            return str(self.error)
        if self.phase is Phase.DONE:
            return f"{counted(self.frames_total, 'frame', ARE)} ready. {self.note}".strip()
        if not self.frames_total:
            return self.note
        percent = 100 * self.frames_done // self.frames_total
        return f"{percent} %, frame {self.frames_done} of {self.frames_total}. {self.note}".strip()


OnUpdate = Callable[[Update], None]


@dataclass(kw_only=True, slots=True)
class _JobProgress:
    """What is known of a job while its events come."""

    frames_done: int = 0
    frames_total: int = 0
    note: str = "Asking the server."
    ready: list[int] = field(default_factory=list)

    def hear(self, event: JobEvent) -> None:
        if isinstance(event, Accepted):
            self.frames_total = event.frames_total
            licence = f"Licence: {event.licence}." if event.licence else ""
            self.note = " ".join(filter(None, (*event.notes, licence)))
        elif isinstance(event, Progress):
            self.frames_done, self.note = event.frames_done, event.note
            self.frames_total = event.frames_total or self.frames_total
        elif isinstance(event, FrameReady):
            self.ready.append(event.frame)
        elif isinstance(event, Done):
            self.frames_done = self.frames_total
            self.note = " ".join(event.notes)

    def update(self, phase: Phase, error: GvmError | None = None) -> Update:
        ready, self.ready = tuple(sorted(self.ready)), []
        return Update(
            phase=phase,
            frames_done=self.frames_done,
            frames_total=self.frames_total,
            ready=ready,
            note=self.note,
            error=error,
        )


class FollowedJob:
    """A request that is followed to its end; `start` it on a thread, or `run` it on this one.

    Args:
        request: what to make.
        on_update: hears the updates, on the thread that follows the job.
        transport: gives the transport, when the job begins and on its thread.
    """

    def __init__(
        self,
        request: Matte,
        on_update: OnUpdate,
        *,
        transport: Callable[[], Transport] = open_transport,
    ) -> None:
        self.request = request
        self.result: Update | None = None
        self._on_update = on_update
        self._open_transport = transport
        self._transport: Transport | None = None
        self._lock = threading.Lock()
        self._canceller: threading.Thread | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()

    def start(self) -> None:
        """Follow the job on a thread of its own."""
        threading.Thread(target=self.run, name=f"gvm-{self.request.job[:8]}", daemon=True).start()

    def run(self) -> Update:
        """Follow the job to its end and return the last update; errors are in it."""
        known = _JobProgress()
        last = Update(phase=Phase.FAILED, error=GvmError("The node has a defect; see the console."))
        try:
            last = self._follow(known)
        except JobCancelled as cancelled:
            last = known.update(Phase.CANCELLED, cancelled)
        except GvmError as failed:
            last = known.update(Phase.FAILED, failed)
        finally:
            self.result = last
            self._end(last)
        return last

    def cancel(self) -> None:
        """End the job soon; returns at once."""
        with self._lock:
            if self._stop.is_set() or self.result is not None:
                return
            self._stop.set()
            # Told to the server besides: the thread that listens hears from it once a second only.
            self._canceller = threading.Thread(target=self._cancel, name="gvm-cancel", daemon=True)
            self._canceller.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the job has ended; return whether it has."""
        return self._ended.wait(seconds)

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ended.is_set()

    def _end(self, last: Update) -> None:
        with self._lock:  # from here on nobody begins to cancel
            canceller = self._canceller
        if canceller is not None:
            canceller.join()
        try:
            self._on_update(last)
        finally:
            self._ended.set()

    def _cancel(self) -> None:
        if self._transport is not None:
            with suppress(GvmError):  # then the thread that listens ends it
                self._transport.cancel(self.request.job)

    def _follow(self, known: _JobProgress) -> Update:
        transport = self._transport = self._open_transport()
        told = -UPDATE_SECONDS
        with closing(transport.matte(self.request)) as events:
            for event in events:
                known.hear(event)
                if isinstance(event, Done):
                    return known.update(Phase.DONE)
                raise_ending(event)
                if self._stop.is_set():
                    break
                if time.monotonic() - told >= UPDATE_SECONDS:
                    told = time.monotonic()
                    self._on_update(known.update(Phase.WORKING))
        if self._stop.is_set():
            raise JobCancelled("The job was cancelled.")
        raise JobFailed("The job's events ended too early.", remedy="Ask again.")
