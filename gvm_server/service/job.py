"""One job as the service sees it: who asked, which phase it is in, and what it may say.

The protocol's states (`lifecycle`) are what a client hears; a phase says which thread has the job.

- Every client that asked for the job hears `Accepted`, and each event from when it asked.
- No thread waits for a client while the job is locked.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from gvm_client.errors import ErrorCode, GvmError, InputError, JobCancelled
from gvm_client.frames import format_frames
from gvm_client.protocol.lifecycle import JobState, next_state
from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    FileOutput,
    FilePlate,
    GiveFrames,
    JobEvent,
    JobSummary,
    Matte,
    NeedFrames,
    Progress,
    StageSeconds,
)
from gvm_client.settings import Priority, WindowSettings
from gvm_client.text import ARE, counted
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.lookup import CacheLookup
from gvm_server.matting.pipeline import Pipeline
from gvm_server.matting.region import of_cuts
from gvm_server.media.alphas.stamp import Fingerprint
from gvm_server.media.outputs.sinks import Delivery, FileSink
from gvm_server.media.plates.pushed import PushedFrames
from gvm_server.media.store.past import PastJob
from gvm_server.service.admission import OutputReservation
from gvm_server.service.replies import accepted, as_image, failed_by, frame_ready, sendable

HEARTBEAT_SECONDS = 1.0  # at least one message a job and second: a client knows that we live
MAX_REASON = 400  # characters of a failure in the status, which is one message for all jobs
SERVICE_ORDER = list(Priority)

_NUMBERS = itertools.count()
_NONE: Mapping[int, str] = MappingProxyType({})


class ReplyChannel(Protocol):
    """The way to whoever asked."""

    def send(self, event: JobEvent) -> None:
        """Say something; any thread may."""

    def wait_for_room(self) -> bool:
        """Wait until most of what was said has been heard; return whether it was."""


class Job:
    """A request on its way to its alphas; safe from several threads.

    Args:
        request: what was asked for.
        peer: the address of the client that asked first.
        channel: the way to it.

    Attributes:
        ahead: how many jobs are served before this one, as the scheduler counted last.
        phase: who has it in hand.
        reservation: the files that it writes; None before they are known, or where it writes none.
        wanted: the request for the frames that are still to be made.
        lost: alphas that the cache lost on the way; they are what is wanted then.
        failures: how often the cache could not be written before; None where that was said.
        ending: why it is to end; None while it is to go on.
    """

    def __init__(self, request: Matte, *, peer: bytes, channel: ReplyChannel) -> None:
        self.request = request
        self.turn = (SERVICE_ORDER.index(request.priority), next(_NUMBERS))
        self.ahead = 0
        self.state = JobState.ASKED
        self.phase = Phase.PREPARING
        self.reservation: OutputReservation | None = None
        self.pipeline: Pipeline | None = None
        self.ending: GvmError | None = None
        self.window = request.window
        self.wanted = request
        self.lost: Mapping[int, Fingerprint] = {}
        self.failures: int | None = 0
        self._notes: list[str] = []
        self._cut: dict[int, str] = {}  # frames cut at their region's border, and the sides
        self._windows_before = (0, 0)  # run and recalled, before it was resumed
        self._channels = {peer: channel}
        self._lock = threading.RLock()
        self._asked_at = time.monotonic()
        self._said_at = self._asked_at
        self._ended_at: float | None = None
        self._accepted: Accepted | None = None
        self._engine_label = request.engine.value
        self._output = ""  # where its alphas go, as a pattern; none where a host gets them
        self._frames_done = 0
        self._frames_written = 0
        self._note = "Looking at the plate."

    @property
    def name(self) -> str:
        """The client's name for the job."""
        return self.request.job

    @property
    def running(self) -> Pipeline:
        """The pipeline of a job that can run."""
        assert self.pipeline is not None  # noqa: S101 (the scheduler asks only such jobs)
        return self.pipeline

    def enter(self, phase: Phase) -> None:
        """Go on to the next phase.

        Raises:
            ValueError: a job never goes this way.
        """
        self.phase = step(self.phase, phase)

    def check_ending(self) -> None:
        """Raise the reason for which the job is to end, if there is one."""
        if self.ending is not None:
            raise self.ending

    def say(self, event: JobEvent) -> None:
        """Send an event to every client, if the job's state allows it.

        Raises:
            LocalProtocolError: the event may not follow what was said before.
        """
        with self._lock:
            self.state = next_state(self.state, event)
            self._said_at = time.monotonic()
            if self.state.is_final:
                self._ended_at = self._said_at
            for channel in self._channels.values():
                channel.send(event)

    # ---- what happens to a job, in order -----------------------------------------------------

    def accept(
        self, spec: JobSpec, found: CacheLookup, notes: tuple[str, ...], *, ocio_digest: str = ""
    ) -> None:
        """Say what will be done; a job that begins anew says so by its heartbeat."""
        with self._lock:
            self._output = str(spec.sink.files.target) if isinstance(spec.sink, FileSink) else ""
            before = self._accepted
            self._engine_label = spec.engine.label
            self._accepted = accepted(self.name, spec, found, notes, ocio_digest)
            if before is None:
                self._note = ""
                self.say(self._accepted)
                return
            self._notes += [note for note in notes if note not in before.notes]
            if self.wanted is self.request:
                self._frames_done = self._frames_written = 0
            else:
                kept, total = before.frames_kept, before.frames_total
                self._accepted = replace(self._accepted, frames_kept=kept, frames_total=total)
            self.beat()

    def begin_anew(self, window: WindowSettings) -> None:
        """Go on with smaller settings after memory ran out; every frame is made with them."""
        self.window, self.wanted, self.pipeline = window, self.request, None
        self.lost = {}
        says = (
            f"Memory ran out: the job begins anew with {counted(window.frames_per_window, 'frame')}"
            f" per window, {window.chunk} decoded together, size {window.size}. The matte changes."
        )
        self._notes.append(says)
        self.note(says)

    def resume(self, lost: Mapping[int, Fingerprint]) -> None:
        """Go on with frames that lay in the cache when the job began, and do not any more."""
        run, recalled = self._windows_before
        self._windows_before = (
            run + self.running.windows_run,
            recalled + self.running.windows_cached,
        )
        self._notes += self.running.notes
        self.lost = lost
        self.wanted = replace(self.request, frames=format_frames(lost), max_frames=0)
        self.pipeline = None

    def need(self, frames: tuple[int, ...]) -> None:
        """Ask the host for pixels."""
        self._note = f"Waiting for {counted(len(frames), 'plate frame')} from the host."
        self.say(NeedFrames(job=self.name, frames=frames))

    def give(self, frames: GiveFrames) -> None:
        """Take the host's pixels.

        Raises:
            InputError: the job did not ask for them, or a buffer is not what it says.
        """
        with self._lock:
            plate = self.pipeline.plate if self.pipeline else None
        if not isinstance(plate, PushedFrames):
            raise InputError(
                f"Job {self.name} asked for no pixels.",
                remedy="Send pixels only as the answer to need_frames.",
                code=ErrorCode.ILLEGAL_MOVE,
            )
        for given in frames.frames:
            plate.give(given.frame, as_image(given), key=given.key)
        self._note = ""

    def deliver(self, delivery: Delivery) -> None:
        """Say that one alpha is in its place."""
        with self._lock:
            if self.state.is_final:
                return
            self._note = ""
            self._frames_done += 1
            self._frames_written += not delivery.kept
            if delivery.roi_cut:
                self._cut[delivery.frame] = delivery.roi_cut
            else:
                self._cut.pop(delivery.frame, None)
            self.say(frame_ready(self.name, delivery))

    def deliver_kept(
        self,
        frames: Iterable[int],
        path: Callable[[int], str],
        roi_cuts: Mapping[int, str] = _NONE,
    ) -> None:
        """Say of each frame that its alpha stood in its place; there may be very many.

        Args:
            frames: the host's frame numbers.
            path: where a frame's alpha stands; "" where it is no file.
            roi_cuts: the sides of their regions at which subjects are cut.

        Raises:
            JobCancelled: no client is left that listens.
        """
        for frame in frames:
            self._wait_for_room()
            cut = roi_cuts.get(frame, "")
            self.deliver(
                Delivery(frame=frame, cached=True, kept=True, path=path(frame), roi_cut=cut)
            )

    def note(self, text: str) -> None:
        """Say in plain words what the job does or waits for."""
        self._note = sendable(text)
        self.beat()

    def beat(self, *, only_after: float = 0.0) -> None:
        """Say how far the job is, if nothing was said for some seconds."""
        with self._lock:
            if self.state.is_final or time.monotonic() - self._said_at < only_after:
                return
            done, total = self._windows()
            self.say(
                Progress(
                    job=self.name,
                    frames_done=self._frames_done,
                    frames_total=self._accepted.frames_total if self._accepted else 0,
                    windows_done=done,
                    windows_total=total,
                    note=self._doing(),
                )
            )

    def end(self, failure: GvmError | None, trouble: str = "") -> None:
        """Say how the job ended, and what of the cache's trouble the artist should know."""
        with self._lock:
            if self.state.is_final:
                return
            self._note = failed_by(failure).message[:MAX_REASON] if failure else ""
            if failure is None:
                self._notes += [trouble] if trouble else []
                self._notes += [of_cuts(self._cut)] if self._cut else []
                self.say(self._done())
            elif failure.code is ErrorCode.CANCELLED:
                self.say(
                    Cancelled(job=self.name, frames_done=self._frames_done, reason=failure.message)
                )
            else:
                self.say(failed_by(failure, job=self.name))

    def _done(self) -> Done:
        assert self._accepted is not None  # noqa: S101 (only an accepted job is done)
        busy = self.running.timer.busy()
        run, recalled = self._windows_before
        return Done(
            job=self.name,
            windows_run=run + self.running.windows_run,
            windows_cached=recalled + self.running.windows_cached,
            frames_written=self._frames_written,
            frames_kept=self._accepted.frames_kept,
            seconds=time.monotonic() - self._asked_at,
            stages=tuple(
                StageSeconds(stage=stage.value, seconds=seconds) for stage, seconds in busy.items()
            ),
            notes=tuple(map(sendable, (*self._notes, *self.running.notes))),
        )

    def past(self, memory_bytes: int) -> PastJob | None:
        """Return what a job took whose end is about to be said; None where it has been said.

        Args:
            memory_bytes: the server's resident memory now.
        """
        with self._lock:
            if self._accepted is None or self.state.is_final:
                return None
            done, said = self._done(), self._accepted
        return PastJob(
            ended=time.time(),
            output=self._output,
            revision=said.revision,
            working_width=said.working_width,
            working_height=said.working_height,
            frames=done.frames_written,
            windows=done.windows_run,
            seconds=done.seconds,
            stages={stage.stage: stage.seconds for stage in done.stages},
            memory_bytes=memory_bytes,
            device=said.device,
        )

    # ---- who listens, and what the status shows ------------------------------------------------

    def listen(self, *, peer: bytes, channel: ReplyChannel) -> bool:
        """Speak to this client too from now on; return whether the job has anything left to say.

        One that asks again, by the same address or another, is told of the acceptance again.
        """
        with self._lock:
            if self.state.is_final:
                return False
            self._channels[peer] = channel
            if self._accepted is not None:
                channel.send(self._accepted)
            return True

    def leave(self, peer: bytes) -> bool:
        """Speak to a client no more; return whether the job is to end with it."""
        with self._lock:
            listened = self._channels.pop(peer, None) is not None
            return listened and not self._channels and not self.outlives_its_client

    @property
    def is_given_up(self) -> bool:
        """Whether it is to end and nobody is left who listens."""
        with self._lock:
            return self.ending is not None and not self._channels

    @property
    def outlives_its_client(self) -> bool:
        """Whether the job goes on when its last client goes."""
        return self.request.priority is Priority.BATCH

    def summary(self) -> JobSummary:
        """Return the job as the status shows it."""
        plate, output = self.request.plate, self.request.output
        now = time.monotonic()
        with self._lock:
            ended = self._ended_at
            return JobSummary(
                job=self.name,
                state=self.state.value,
                plate=plate.path if isinstance(plate, FilePlate) else plate.name,
                output=output.path if isinstance(output, FileOutput) else "memory",
                engine=self._engine_label,
                priority=self.request.priority,
                frames_done=self._frames_done,
                frames_total=self._accepted.frames_total if self._accepted else 0,
                seconds=(now if ended is None else ended) - self._asked_at,
                note=self._note if self.state.is_final else self._doing(),
                ended_seconds=0.0 if ended is None else max(now - ended, 0.0),
                licence=self._accepted.licence if self._accepted else "",
                **self.request.guides.paths,
            )

    def _wait_for_room(self) -> None:
        """Wait until the clients have heard most of what was said, and drop those that do not.

        Raises:
            JobCancelled: no client is left that listens.
        """
        with self._lock:
            channels = tuple(self._channels.items())
        for peer, channel in channels:
            if not channel.wait_for_room() and self.leave(peer):
                raise JobCancelled("Its client does not listen.")

    def _windows(self) -> tuple[int, int]:
        """Return how many windows were begun or recalled, and how many the job needs."""
        total = self._accepted.windows_total if self._accepted else 0
        pipeline = self.pipeline  # once: the scheduler may take it away meanwhile
        left = pipeline.windows_left if pipeline else total
        return total - left, total

    def _doing(self) -> str:
        """Return in plain words what the job does, or how long the queue before it is."""
        begun, total = self._windows()
        if self._note or begun or not total:
            return self._note
        return _waiting(self.ahead)


def _waiting(ahead: int) -> str:
    if not ahead:
        return "Waiting for its turn."
    return f"Waiting for its turn: {counted(ahead, 'job', ARE)} ahead."


class Phase(Enum):
    """Who has a job in hand."""

    PREPARING = "preparing"
    """A preparing thread, or their queue: the plate is opened, what stands is looked at."""
    WAITING = "waiting"
    """Nobody: its next window waits for its turn, or for pixels from its host."""
    RUNNING = "running"
    """The thread that owns the GPU."""
    FINISHING = "finishing"
    """The writers: no more windows run."""
    ENDED = "ended"
    """Nobody any more: its client has heard how it ended."""


STEPS: Mapping[Phase, frozenset[Phase]] = MappingProxyType(
    {
        # Without windows to run it is left to the writers at once, whatever is in the queue.
        Phase.PREPARING: frozenset({Phase.WAITING, Phase.FINISHING, Phase.ENDED}),
        Phase.WAITING: frozenset({Phase.RUNNING, Phase.FINISHING}),
        Phase.RUNNING: frozenset({Phase.WAITING, Phase.FINISHING}),
        # Prepared anew, with a smaller window, where memory ran out.
        Phase.FINISHING: frozenset({Phase.ENDED, Phase.PREPARING}),
        Phase.ENDED: frozenset(),
    }
)


def step(now: Phase, following: Phase) -> Phase:
    """Return the phase that follows.

    Raises:
        ValueError: a job never goes this way; a defect of the scheduler.
    """
    if following not in STEPS[now]:
        raise ValueError(f"A job that is {now.value} cannot be {following.value} next.")
    return following
