"""What a job says, to whom, and who is left to say it to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, JobCancelled
from gvm_client.protocol.messages import Accepted, Cancelled, FrameReady, Progress
from gvm_client.settings import Priority
from gvm_server.matting.engines.test import Faults, TestEngine
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.lookup import CacheLookup, look_up
from gvm_server.matting.pipeline import Pipeline
from gvm_server.matting.resources import SharedResources
from gvm_server.service.job import Job
from gvm_server.service.prepare import prepare
from tests.fakes.listener import Listener
from tests.support.resources import FRAMES, open_resources, request_in
from tests.support.serving import until


@dataclass(frozen=True, kw_only=True)
class Floor:
    """A job's request, looked at: everything that it is accepted with."""

    folder: Path
    resources: SharedResources
    spec: JobSpec
    found: CacheLookup

    def ask(self, listener: Listener, *, priority: Priority = Priority.RANGE) -> Job:
        """Return a job that one client, `first`, has asked for."""
        return Job(request_in(self.folder, priority=priority), peer=b"first", channel=listener)

    def accept(self, job: Job) -> None:
        """Have the job say what will be done."""
        job.accept(self.spec, self.found, ())


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    with open_resources(tmp_path) as (resources, site):
        request = request_in(tmp_path)
        spec = prepare(request, request.window, site, lambda _: None).spec
        found = look_up(spec, resources.cache)
        yield Floor(folder=tmp_path, resources=resources, spec=spec, found=found)


# ---- who hears --------------------------------------------------------------------------------


def test_each_client_hears_accepted_once_and_everything_after_it(floor: Floor):
    """One that asked before the job was accepted hears no less than the first, and no more."""
    first, second = Listener(), Listener()
    job = floor.ask(first)
    assert job.listen(peer=b"second", channel=second)
    assert second.heard == []
    floor.accept(job)
    job.deliver_kept(FRAMES, str)
    job.end(JobCancelled("Enough."))
    assert second.heard == first.heard
    kinds = [type(event) for event in first.heard]
    assert kinds == [Accepted, *[FrameReady] * len(FRAMES), Cancelled]


def test_one_that_asks_later_hears_accepted_and_what_comes_from_then_on(floor: Floor):
    """What was said before is not said again; the first client is not told twice."""
    first, later = Listener(), Listener()
    job = floor.ask(first)
    floor.accept(job)
    job.deliver_kept(FRAMES[:5], str)
    assert job.listen(peer=b"later", channel=later)
    job.deliver_kept(FRAMES[5:], str)
    assert len(first.all_of(Accepted)) == 1
    assert [event.frame for event in first.all_of(FrameReady)] == list(FRAMES)
    assert isinstance(later.heard[0], Accepted)
    assert [event.frame for event in later.all_of(FrameReady)] == list(FRAMES[5:])


def test_a_job_that_has_ended_takes_no_client(floor: Floor):
    """It has nothing left to say, and says so."""
    job = floor.ask(Listener())
    job.end(JobCancelled("Enough."))
    late = Listener()
    assert not job.listen(peer=b"late", channel=late)
    assert late.heard == []


# ---- who is left ------------------------------------------------------------------------------


def test_only_the_last_client_to_leave_takes_the_job_with_it(floor: Floor):
    """One that left, or never asked, counts for nothing; nothing more is said to it."""
    first, second = Listener(), Listener()
    job = floor.ask(first)
    job.listen(peer=b"second", channel=second)
    assert not job.leave(b"stranger")
    assert not job.leave(b"first")
    assert not job.leave(b"first")
    floor.accept(job)
    assert (first.heard, len(second.heard)) == ([], 1)
    assert job.leave(b"second")
    assert not job.leave(b"second")


def test_a_client_that_came_back_under_another_name_keeps_its_job(floor: Floor):
    """Its old name may be found gone at any time after it has asked again."""
    old, new = Listener(), Listener()
    job = floor.ask(old)
    floor.accept(job)
    job.listen(peer=b"new", channel=new)
    assert not job.leave(b"first")
    job.deliver_kept(FRAMES, str)
    assert [type(event) for event in new.heard] == [Accepted, *[FrameReady] * len(FRAMES)]


def test_a_batch_job_goes_on_for_nobody(floor: Floor):
    """Neither a client that goes nor one that is deaf ends it."""
    for deaf in (False, True):
        listener = Listener(deaf=deaf)
        job = floor.ask(listener, priority=Priority.BATCH)
        floor.accept(job)
        if not deaf:
            assert not job.leave(b"first")
        job.deliver_kept(FRAMES, str)
        assert job.summary().frames_done == len(FRAMES)
        assert listener.all_of(FrameReady) == []


def test_a_deaf_client_is_dropped_and_the_others_hear_on(floor: Floor):
    """It may ask again when it listens."""
    deaf, hears = Listener(deaf=True), Listener()
    job = floor.ask(deaf)
    job.listen(peer=b"second", channel=hears)
    floor.accept(job)
    job.deliver_kept(FRAMES, str)
    assert deaf.all_of(FrameReady) == []
    assert len(hears.all_of(FrameReady)) == len(FRAMES)


def test_a_job_that_only_the_deaf_asked_for_is_cancelled(floor: Floor):
    """However many they are."""
    job = floor.ask(Listener(deaf=True))
    job.listen(peer=b"second", channel=Listener(deaf=True))
    floor.accept(job)
    with pytest.raises(JobCancelled, match="does not listen") as caught:
        job.deliver_kept(FRAMES, str)
    assert caught.value.code is ErrorCode.CANCELLED


def test_a_slow_client_holds_nobody_up_but_the_frames_that_stand(floor: Floor):
    """While it is waited for, the heart beats, and others come and go."""
    slow, other = Listener(slow=True), Listener()
    job = floor.ask(slow)
    floor.accept(job)
    delivers = threading.Thread(target=job.deliver_kept, args=(FRAMES, str))
    delivers.start()
    try:
        assert slow.waited_for.wait(5)
        assert job.listen(peer=b"other", channel=other)
        job.beat()
        assert not job.leave(b"other")
        assert delivers.is_alive()
        assert [type(event) for event in other.heard] == [Accepted, Progress]
    finally:
        slow.catch_up()
        delivers.join(5)
    assert len(slow.all_of(FrameReady)) == len(FRAMES)


# ---- what it waits for ------------------------------------------------------------------------


def _note(job: Job, listener: Listener) -> str:
    """Return what the job's heartbeat says, and find that the status says the same."""
    job.beat()
    (*_, beat) = listener.all_of(Progress)
    assert job.summary().note == beat.note
    return beat.note


def test_a_job_that_has_run_nothing_says_how_many_are_ahead(floor: Floor):
    """In words: none, one, several; a frame that stood already changes nothing in that."""
    listener = Listener()
    job = floor.ask(listener)
    job.ahead = 2
    assert _note(job, listener) == "Looking at the plate."
    floor.accept(job)
    assert _note(job, listener) == "Waiting for its turn: 2 jobs are ahead."
    job.ahead = 1
    assert _note(job, listener) == "Waiting for its turn: 1 job is ahead."
    job.deliver_kept(FRAMES[:1], str)
    job.ahead = 0
    assert _note(job, listener) == "Waiting for its turn."


def test_a_job_whose_first_window_runs_waits_for_no_turn(floor: Floor):
    """Also before its first frame is ready, and whoever is ahead of it by then."""
    listener = Listener()
    job = floor.ask(listener)
    floor.accept(job)
    job.ahead = 2
    ended = threading.Event()
    pipeline = job.pipeline = Pipeline(
        floor.spec,
        floor.found,
        floor.resources,
        on_delivery=lambda _: None,
        on_end=lambda _: ended.set(),
    )
    assert until(pipeline.look_ahead)
    assert _note(job, listener).endswith("2 jobs are ahead.")
    says: list[str] = []

    def load() -> TestEngine:
        says.append(_note(job, listener))
        return TestEngine(Faults())

    pipeline.run_window(load)
    assert says == [""]
    pipeline.close()
    assert ended.wait(5)


def test_the_status_of_a_draft_says_so(floor: Floor):
    """As its note and its files do; before it is looked at, the engine's name is all there is."""
    job = floor.ask(Listener())
    asked = job.summary().engine
    draft = replace(floor.spec, engine=replace(floor.spec.engine, draft=True))
    job.accept(draft, floor.found, ())
    assert (asked, job.summary().engine) == ("test", "test (draft)")


def test_a_job_that_needs_no_window_waits_for_no_turn(floor: Floor):
    """Its alphas are copied from the cache, or stand."""
    listener = Listener()
    job = floor.ask(listener)
    nothing = replace(
        floor.found,
        kept=FRAMES,
        cached={},
        neutral={},
        to_make={},
        windows=(),
        windows_cached=frozenset(),
    )
    job.accept(floor.spec, nothing, ())
    job.ahead = 3
    assert _note(job, listener) == ""
