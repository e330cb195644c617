"""Whose turn it is: the next window among all jobs, on the one thread that owns the GPU.

- The unit of work is one window; between two windows any job may be next.
- Jobs are served by priority (the playhead, a range that is waited for, batch), then in the
  order asked; a job whose next window waits for pixels from its host lets others pass.
- A job's failure ends that job and nothing else.
- Preparing a job (opening its plate, looking at what stands) has threads of its own, so that
  neither the I/O thread nor the GPU waits for a disk, and no job for another's plate.
- A job that needs no window does not wait for its turn.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import fields
from functools import partial
from typing import TypeVar

from gvm_client.errors import (
    ErrorCode,
    GvmError,
    JobCancelled,
    RemoteProtocolError,
    ServerError,
)
from gvm_client.protocol.messages import GiveFrames, JobSummary, Matte
from gvm_client.settings import OnOom, WindowSettings
from gvm_server.errors import as_gvm_error, forget_traces
from gvm_server.hostmemory import resident_bytes
from gvm_server.matting.engines.backoff import backoff
from gvm_server.matting.engines.base import DeviceLost, Engine
from gvm_server.matting.engines.registry import LoadedEngine
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.lookup import look_up
from gvm_server.matting.pipeline import Pipeline
from gvm_server.matting.resources import SharedResources
from gvm_server.media.outputs.sinks import FileSink
from gvm_server.media.store.past import remember
from gvm_server.service.admission import OutputReservation, refuse_conflict
from gvm_server.service.job import HEARTBEAT_SECONDS, Job, Phase, ReplyChannel
from gvm_server.service.prepare import PreparationPool, ServerContext, prepare

_Result = TypeVar("_Result")

_LOG = logging.getLogger(__name__)

MAX_LIVE_JOBS = 128
REMEMBERED_JOBS = 32  # finished jobs that the status still shows


class Scheduler:
    """Takes jobs from the I/O thread and runs their windows.

    Args:
        resources: stores and pools that all jobs share.
        context: where this server may read and write.
        preparing: the threads that prepare jobs.
    """

    def __init__(
        self, *, resources: SharedResources, context: ServerContext, preparing: PreparationPool
    ) -> None:
        self._resources = resources
        self._context = context
        self._preparing = preparing
        self._engine = LoadedEngine()
        self._wake = threading.Condition()
        self._jobs: dict[str, Job] = {}
        self._news = 0
        self._release_asked = False
        self._stopping: GvmError | None = None
        self._quiet_since = time.monotonic()

    # ---- the I/O thread asks -------------------------------------------------------------------

    def ask(self, request: Matte, *, peer: bytes, channel: ReplyChannel) -> None:
        """Take a job, or tell one more client about one that lives.

        Raises:
            ServerError: the server holds as many jobs as it takes, or is leaving.
            RemoteProtocolError: a live job of this name was asked for in other words.
        """
        with self._wake:
            known = self._jobs.get(request.job)
            if known is not None and known.phase is not Phase.ENDED and not known.is_given_up:
                _refuse_other(known.request, request)
                if known.listen(peer=peer, channel=channel):
                    return
            self._check_room()
            job = self._jobs[request.job] = Job(request, peer=peer, channel=channel)
            job.failures = self._resources.cache.failures
        _LOG.info("Job %s: asked for by a client.", job.name)
        self._prepare_soon(job)

    def give(self, frames: GiveFrames) -> None:
        """Hand a host's pixels to the job that needs them.

        Raises:
            GvmError: the job is not known or needs none, or a buffer is not what it says.
        """
        self._known(frames.job).give(frames)
        self._nudge()

    def cancel(self, name: str, *, reason: str) -> None:
        """End a job; a window that is running is given up between its steps.

        Raises:
            ServerError: no such job.
        """
        self._end(self._known(name), JobCancelled(reason))

    def lost(self, peer: bytes) -> None:
        """End the jobs that only this client waited for, now that it has gone; batch jobs go on."""
        for job in self._live():
            if job.leave(peer):
                self._end(job, JobCancelled("Its client went away."))

    def release(self) -> None:
        """Give the device's memory back as soon as no window runs."""
        with self._wake:
            self._release_asked = True
            self._nudge()

    def beat(self) -> None:
        """Let every job that was silent for a while say how far it is."""
        for ahead, job in enumerate(self._in_order()):
            with self._wake:
                # A writer failed it: nobody waits for its turn to hear of that.
                if job.phase is Phase.WAITING and job.running.failed:
                    self._finish(job)
            job.ahead = ahead
            job.beat(only_after=HEARTBEAT_SECONDS)

    def stop(self) -> None:
        """End every job and let `run` return."""
        with self._wake:
            self._stopping = JobCancelled("The server was stopped.")
            self._nudge()
        for job in self._live():
            self._end(job, self._stopping)

    @property
    def engine_loaded(self) -> str:
        """The engine whose model is in memory, or ""."""
        return self._engine.name

    @property
    def licence(self) -> str:
        """That of the loaded engine's weights, or ""."""
        return self._engine.licence

    @property
    def quiet_seconds(self) -> float:
        """How long no job has been alive."""
        return 0.0 if self._live() else time.monotonic() - self._quiet_since

    def summaries(self) -> tuple[JobSummary, ...]:
        """Return live jobs in their order of service, then the latest finished ones."""
        live = self._in_order()
        with self._wake:
            ended = [job for job in self._jobs.values() if job.state.is_final]
        return tuple(job.summary() for job in (*live, *reversed(ended)))

    # ---- a preparing thread prepares -------------------------------------------------------------

    def _prepare_soon(self, job: Job) -> None:
        self._preparing.submit(partial(self._prepare, job), job.request.priority)

    def _prepare(self, job: Job) -> None:
        pipeline = _attempt(partial(self._prepared, job))
        if isinstance(pipeline, GvmError):
            self._ended(job, pipeline)
            return
        with self._wake:
            job.pipeline = pipeline
            if job.ending is not None:
                pipeline.fail(job.ending)
            if pipeline.failed or pipeline.exhausted:
                self._finish(job)
            else:
                job.enter(Phase.WAITING)
            self._nudge()

    def _prepared(self, job: Job) -> Pipeline:
        job.check_ending()
        prepared = prepare(job.wanted, job.window, self._context, job.need, job.check_ending)
        with ExitStack() as failed:
            failed.callback(prepared.spec.close)
            job.check_ending()
            self._reserve(job, prepared.spec)
            found = look_up(prepared.spec, self._resources.cache, job.check_ending, job.lost)
            notes = (*prepared.notes, *self._complaint(job), *found.notes)
            job.accept(prepared.spec, found, notes, ocio_digest=prepared.ocio_digest)
            job.deliver_kept(found.kept, prepared.spec.sink.path, found.roi_cuts)
            pipeline = Pipeline(
                prepared.spec,
                found,
                self._resources,
                on_delivery=job.deliver,
                on_end=partial(self._ended, job),
            )
            failed.pop_all()  # the pipeline closes it
        return pipeline

    def _complaint(self, job: Job) -> Iterator[str]:
        """Say why nothing can be kept for later; once in a job, however often that fails then."""
        if says := self._resources.cache.complaint():
            job.failures = None
            yield says

    def _trouble_of(self, job: Job) -> str:
        """Return why not all of a job was kept for later, where that was not said yet; else ""."""
        cache = self._resources.cache
        went_wrong = job.failures is not None and cache.failures > job.failures
        return cache.trouble if went_wrong else ""

    def _reserve(self, job: Job, spec: JobSpec) -> None:
        """Take the job's files for it, before anything is written.

        Raises:
            OutputError: another job is writing other mattes to them.
        """
        if not isinstance(spec.sink, FileSink):
            return
        reservation = OutputReservation.of(job.request, spec.sink.files, spec.frames)
        with self._wake:
            others = [
                other.reservation
                for other in self._live()
                if other.reservation is not None and other is not job and other.ending is None
            ]
            refuse_conflict(reservation, others)
            job.reservation = reservation

    # ---- the GPU's thread works --------------------------------------------------------------

    def run(self) -> None:
        """Run windows until the server stops."""
        while self._serve(self._next_job()):
            pass  # with no job in hand: while it waits, this thread holds nothing of one
        _attempt(self._engine.release)  # a device that is lost refuses even this

    def _serve(self, held: tuple[Job, Pipeline] | None) -> bool:
        """Run the next window of a job that is held; return whether there was one."""
        if held is None:
            return False
        job, pipeline = held
        if not pipeline.exhausted:
            load = partial(self._load, job, pipeline)
            failure = _attempt(partial(pipeline.run_window, load))
            if failure is not None:
                self._finish(job, failure)
        self._put_back(job)
        return True

    def _next_job(self) -> tuple[Job, Pipeline] | None:
        """Wait for a job that can run, and hold it; None when the server stops."""
        while True:
            with self._wake:
                news = self._news
                waiting = [job for job in self._jobs.values() if job.phase is Phase.WAITING]
                if self._stopping and not self._live():
                    return None
            self._release_if_asked()
            for job in sorted(waiting, key=lambda job: job.turn):
                if (pipeline := self._hold(job)) is not None:
                    return job, pipeline
            with self._wake:
                if news == self._news:
                    self._wake.wait()

    def _hold(self, job: Job) -> Pipeline | None:
        """Take a job in hand and return its pipeline, if its next window can run."""
        with self._wake:
            if job.phase is not Phase.WAITING:  # it was ended meanwhile
                return None
            pipeline = job.running
            job.enter(Phase.RUNNING)
        ready = _attempt(pipeline.look_ahead)
        if ready is True:
            return pipeline
        if isinstance(ready, GvmError):
            self._finish(job, ready)
        self._put_back(job)
        return None

    def _put_back(self, job: Job) -> None:
        """Let go of a job; one that has no more to run is left to its writers."""
        with self._wake:
            if job.phase is not Phase.RUNNING:
                return
            if job.running.exhausted or job.running.failed:
                self._finish(job)
            else:
                job.enter(Phase.WAITING)

    def _finish(self, job: Job, reason: GvmError | None = None) -> None:
        """Leave a job to its writers; the last of them ends it, which may be at once."""
        with self._wake:
            job.enter(Phase.FINISHING)
            job.running.close(reason)

    def _load(self, job: Job, pipeline: Pipeline) -> Engine:
        return self._engine.ready(pipeline.engine, job.note)

    def _release_if_asked(self) -> None:
        with self._wake:
            asked, self._release_asked = self._release_asked, False
        if asked:
            self._engine.release()
            self._resources.latents.clear()

    # ---- any thread ---------------------------------------------------------------------------

    def _live(self) -> list[Job]:
        with self._wake:
            return [job for job in self._jobs.values() if not job.state.is_final]

    def _in_order(self) -> list[Job]:
        """Return the live jobs in their order of service."""
        return sorted(self._live(), key=lambda job: job.turn)

    def _known(self, name: str) -> Job:
        with self._wake:
            job = self._jobs.get(name)
        if job is None or job.state.is_final:
            raise ServerError(
                f"The server has no running job {name}.",
                remedy="See `gvm status` for the jobs it has.",
                code=ErrorCode.UNKNOWN_JOB,
            )
        return job

    def _check_room(self) -> None:
        if self._stopping is not None:
            raise leaving()
        if len(self._live()) >= MAX_LIVE_JOBS:
            raise ServerError(
                f"The server holds {MAX_LIVE_JOBS} jobs, as many as it takes.",
                remedy="Wait for some to end, or cancel some.",
                code=ErrorCode.SERVER_BUSY,
            )

    def _end(self, job: Job, failure: GvmError) -> None:
        """Make a job end: at once where it waits, else as soon as its thread lets go of it."""
        with self._wake:
            job.ending = job.ending or failure
            if job.pipeline is not None:
                job.pipeline.fail(failure)
                if job.phase is Phase.WAITING:
                    self._finish(job)
            self._nudge()

    def _ended(self, job: Job, failure: GvmError | None) -> None:
        """Tell how a job ended, and keep its name for the status."""
        forget_traces(failure)
        if isinstance(failure, DeviceLost):
            failure = self._give_up(failure)
        if failure is not None and (smaller := _backed_off(job, failure)) is not None:
            _LOG.warning("Job %s: %s", job.name, failure)
            with self._wake:
                job.enter(Phase.PREPARING)
            job.begin_anew(smaller)
            self._prepare_soon(job)
            return
        if failure is None and job.running.lost:
            with self._wake:
                job.enter(Phase.PREPARING)
            job.resume(job.running.lost)
            self._prepare_soon(job)
            return
        # First, for a report or a dry run may be asked for at once when the end has been said.
        if failure is None and (past := job.past(resident_bytes())) is not None and past.frames:
            remember(self._resources.cache.memo, past)
        job.end(failure, self._trouble_of(job))
        _LOG.info("Job %s: %s. %s", job.name, job.state.value, failure or "")
        with self._wake:
            job.enter(Phase.ENDED)
            job.pipeline = job.reservation = job.ending = None
            self._quiet_since = time.monotonic()
            ended = [name for name, known in self._jobs.items() if known.state.is_final]
            for name in ended[: max(0, len(ended) - REMEMBERED_JOBS)]:
                del self._jobs[name]
            self._nudge()

    def _give_up(self, lost: DeviceLost) -> ServerError:
        """End the server, whose device is gone; its clients take their jobs to the next one."""
        _LOG.error("The server ends: %s", lost)
        failure = ServerError(f"{lost.message} The server ends.", code=ErrorCode.SERVER_LOST)
        with self._wake:
            self._stopping = self._stopping or failure
        for job in self._live():
            self._end(job, failure)
        return failure

    def _nudge(self) -> None:
        with self._wake:
            self._news += 1
            self._wake.notify_all()


def _attempt(work: Callable[[], _Result]) -> _Result | GvmError:
    """Do a part of a job; whatever goes wrong is returned: it ends that job only."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 (the scheduler's one broad handler)
        return as_gvm_error(error)


def leaving() -> ServerError:
    """Return the error for a job that comes too late: the next server takes it."""
    return ServerError(
        "The server is leaving.",
        remedy="Ask again: a new server will be started.",
        code=ErrorCode.SERVER_LOST,
    )


def _refuse_other(known: Matte, asked: Matte) -> None:
    """Refuse a request that has a live job's name and asks for something else.

    The playhead is where an artist stands just now: it changes no matte and no set of frames.
    """
    unlike = [
        item.name
        for item in fields(Matte)
        if item.name != "playhead" and getattr(known, item.name) != getattr(asked, item.name)
    ]
    if unlike:
        raise RemoteProtocolError(
            f"Job {asked.job} lives and was asked for with another {' and '.join(unlike)}.",
            remedy="Give each request a name of its own.",
            code=ErrorCode.BAD_REQUEST,
        )


def _backed_off(job: Job, failure: GvmError) -> WindowSettings | None:
    """Return smaller settings for a job that ran out of memory, where the artist allowed it."""
    if failure.code is not ErrorCode.OUT_OF_MEMORY or job.ending is not None:
        return None
    if job.request.model.on_oom is not OnOom.BACKOFF:
        return None
    return backoff(job.window)
