"""One job as a host follows it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Generator
from dataclasses import replace

from gvm_client.errors import ErrorCode
from gvm_client.protocol.messages import (
    Cancelled,
    Done,
    Failed,
    FileOutput,
    FilePlate,
    FrameReady,
    JobEvent,
    Matte,
    Progress,
)
from gvm_nodes.core.followed_job import FollowedJob, Phase, Update
from tests.support.serving import accepted

JOB = uuid.uuid4().hex
REQUEST = Matte(job=JOB, plate=FilePlate(path="/p/a.%04d.exr"), output=FileOutput(path="/m"))
ACCEPTED = replace(accepted(JOB), first=1, last=100, frames_total=100)
DONE = Done(job=JOB, windows_run=1, windows_cached=0, frames_written=100, frames_kept=0, seconds=1)


class FakeTransport:
    """A line that says what it is given, then waits to be cancelled if it has not ended."""

    def __init__(self, *events: JobEvent) -> None:
        self.events = events
        self.cancelled = threading.Event()

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Say it."""
        yield from self.events
        assert self.cancelled.wait(10)
        yield Cancelled(job=request.job, frames_done=0)

    def cancel(self, job: str) -> None:
        """Let the job end."""
        self.cancelled.set()

    def release(self) -> None:
        """Hold nothing."""


def test_updates_are_few_and_the_last_one_always_comes() -> None:
    """A hundred frames within a moment are at most two updates and the last."""
    frames = [FrameReady(job=JOB, frame=frame, cached=False, path="/m") for frame in range(1, 101)]
    heard: list[Update] = []
    FollowedJob(
        REQUEST, heard.append, transport=lambda: FakeTransport(ACCEPTED, *frames, DONE)
    ).run()
    assert len(heard) <= 3
    assert heard[-1].phase is Phase.DONE
    assert [frame for update in heard for frame in update.ready] == list(range(1, 101))
    assert heard[-1].sentence == "100 frames are ready."


def test_a_failure_is_one_sentence_with_its_remedy() -> None:
    """The server's words reach the artist whole."""
    failed = Failed(code=ErrorCode.PLATE_MISSING, message="Frame 7 is missing.", remedy="Find it.")
    result = FollowedJob(REQUEST, lambda _: None, transport=lambda: FakeTransport(failed)).run()
    assert result.phase is Phase.FAILED
    assert result.sentence == "Frame 7 is missing. Find it."


def test_cancel_returns_at_once_and_ends_the_job() -> None:
    """The server is told from another thread, while the follower waits."""
    transport = FakeTransport(ACCEPTED)
    work = FollowedJob(REQUEST, lambda _: None, transport=lambda: transport)
    work.start()
    work.cancel()
    assert work.wait(10)
    assert work.result is not None
    assert work.result.phase is Phase.CANCELLED
    assert not work.is_running


def test_progress_is_a_percentage_of_the_frames() -> None:
    """The status line says how far it is and what it does."""
    progress = Progress(
        job=JOB,
        frames_done=25,
        frames_total=100,
        windows_done=1,
        windows_total=4,
        note="Denoising.",
    )
    heard: list[Update] = []
    FollowedJob(REQUEST, heard.append, transport=lambda: FakeTransport(progress, DONE)).run()
    assert heard[0].sentence == "25 %, frame 25 of 100. Denoising."
