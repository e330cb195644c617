"""Whose turn it is, and for whom, with real pools, stores and the test engine."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, RemoteProtocolError, ServerError
from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    Failed,
    FileOutput,
    FilePlate,
    FrameReady,
    Matte,
    Progress,
)
from gvm_client.settings import MatteKnobs, Priority
from gvm_server.matting.engines.base import Engine
from gvm_server.matting.pipeline import Pipeline
from gvm_server.media.plates.base import Plate
from gvm_server.media.store.memo import Memo
from gvm_server.media.store.past import PastJob
from gvm_server.service import prepare
from gvm_server.service import scheduler as scheduler_module
from gvm_server.service.prepare import PreparationPool
from gvm_server.service.scheduler import Scheduler
from tests.fakes.listener import Listener
from tests.support.plates import write_plate
from tests.support.resources import FRAMES, WINDOW, open_resources, request_in
from tests.support.serving import until


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Scheduler]:
    """A scheduler that takes jobs; it runs their windows only within `running`."""
    with open_resources(tmp_path) as (resources, site), closing(PreparationPool()) as preparing:
        scheduler = Scheduler(resources=resources, context=site, preparing=preparing)
        yield scheduler
        scheduler.stop()
        assert until(lambda: not scheduler._live())


@contextmanager
def running(scheduler: Scheduler) -> Iterator[None]:
    """Run windows on a thread; at the end the scheduler stops."""
    gpu = threading.Thread(target=scheduler.run, name="gpu")
    gpu.start()
    try:
        yield
    finally:
        scheduler.stop()
        gpu.join()


def ask(scheduler: Scheduler, request: Matte, peer: bytes, **conduct: bool) -> Listener:
    """Ask as a client; it may be deaf or slow."""
    listener = Listener(**conduct)
    scheduler.ask(request, peer=peer, channel=listener)
    return listener


def accepted(scheduler: Scheduler, request: Matte, peer: bytes) -> Listener:
    """Ask, and wait until the job is accepted."""
    listener = ask(scheduler, request, peer)
    assert until(lambda: listener.all_of(Accepted))
    return listener


def state(scheduler: Scheduler, request: Matte) -> str:
    """Return the state of a job as the status shows it."""
    (job,) = [job for job in scheduler.summaries() if job.job == request.job]
    return job.state


# ---- several clients --------------------------------------------------------------------------


def test_two_clients_of_one_job_hear_it_to_its_end(scheduler: Scheduler, tmp_path: Path):
    """It is one job: each frame is made once, and said to both."""
    request = request_in(tmp_path)
    first = accepted(scheduler, request, b"first")
    second = ask(scheduler, request, b"second")
    with running(scheduler):
        assert until(lambda: second.all_of(Done))
    for listener in (first, second):
        assert len(listener.all_of(Accepted)) == 1
        assert sorted(event.frame for event in listener.all_of(FrameReady)) == list(FRAMES)
        assert isinstance(listener.heard[-1], Done)
    assert len(scheduler.summaries()) == 1


def test_a_client_that_goes_leaves_the_job_to_the_others(scheduler: Scheduler, tmp_path: Path):
    """It may be reported gone more than once; the last one takes the job with it."""
    request = request_in(tmp_path)
    first = accepted(scheduler, request, b"first")
    second = ask(scheduler, request, b"second")
    for _ in range(2):
        scheduler.lost(b"first")
        assert state(scheduler, request) == "accepted"
    scheduler.lost(b"second")
    assert until(lambda: state(scheduler, request) == "cancelled")
    assert [type(event) for event in first.heard + second.heard] == [Accepted, Accepted]


def test_a_client_that_asks_again_is_served_under_its_new_name(
    scheduler: Scheduler, tmp_path: Path
):
    """Its old name is found gone later, and the job goes on."""
    request = request_in(tmp_path)
    accepted(scheduler, request, b"old")
    new = ask(scheduler, request, b"new")
    scheduler.lost(b"old")
    with running(scheduler):
        assert until(lambda: new.all_of(Done))
    assert len(new.all_of(FrameReady)) == len(FRAMES)


def test_a_batch_job_ends_for_nobody(scheduler: Scheduler, tmp_path: Path):
    """All its clients have gone, and its frames are made."""
    request = request_in(tmp_path, priority=Priority.BATCH)
    accepted(scheduler, request, b"first")
    ask(scheduler, request, b"second")
    scheduler.lost(b"first")
    scheduler.lost(b"second")
    with running(scheduler):
        assert until(lambda: state(scheduler, request) == "done")
    assert len(list((tmp_path / "out").iterdir())) == len(FRAMES)


def test_a_cancel_ends_the_job_for_all(scheduler: Scheduler, tmp_path: Path):
    """Whoever asked hears why."""
    request = request_in(tmp_path)
    first = accepted(scheduler, request, b"first")
    second = ask(scheduler, request, b"second")
    scheduler.cancel(request.job, reason="Cancelled on request.")
    assert until(lambda: second.all_of(Cancelled))
    for listener in (first, second):
        (ending,) = listener.all_of(Cancelled)
        assert ending.reason == "Cancelled on request."


def test_a_job_that_has_ended_is_begun_anew_by_who_asks_for_it(
    scheduler: Scheduler, tmp_path: Path
):
    """The clients of the ended job hear nothing of the new one."""
    request = request_in(tmp_path)
    first = accepted(scheduler, request, b"first")
    scheduler.cancel(request.job, reason="Enough.")
    assert until(lambda: first.all_of(Cancelled))
    second = accepted(scheduler, request, b"second")
    with running(scheduler):
        assert until(lambda: second.all_of(Done))
    assert [type(event) for event in first.heard] == [Accepted, Cancelled]


def test_a_job_whose_only_client_is_deaf_is_cancelled(scheduler: Scheduler, tmp_path: Path):
    """Every frame stands already; it takes not even the first word of that."""
    made = ask(scheduler, request_in(tmp_path), b"made")
    with running(scheduler):
        assert until(lambda: made.all_of(Done))
        again = request_in(tmp_path)
        deaf = ask(scheduler, again, b"deaf", deaf=True)
        assert until(lambda: state(scheduler, again) == "cancelled")
    assert [type(event) for event in deaf.heard] == [Accepted]


@pytest.mark.parametrize("given_up", [True, False])
def test_a_job_that_is_given_up_is_begun_anew_by_who_asks_for_it(
    scheduler: Scheduler, tmp_path: Path, *, given_up: bool
):
    """Its client was found gone while a window ran, and came back: it heard of a cancel.

    One that is cancelled while a client listens ends for all, also for who asks just then.
    """
    request = request_in(tmp_path)
    scheduler._engine.ready = wait = Stalled(scheduler._engine.ready)  # type: ignore[method-assign]
    with running(scheduler):
        ask(scheduler, request, b"old")
        assert wait.entered.wait(10)
        if given_up:
            scheduler.lost(b"old")
        else:
            scheduler.cancel(request.job, reason="Enough.")
        new = ask(scheduler, request, b"new")
        wait.go.set()
        assert until(lambda: new.all_of(Done) or new.all_of(Cancelled))
    assert len(new.all_of(Done)) == given_up
    assert len(new.all_of(FrameReady)) == (len(FRAMES) if given_up else 0)


def test_another_request_under_a_living_jobs_name_is_refused(scheduler: Scheduler, tmp_path: Path):
    """It would hear the other one's events; a playhead that moved is the same request."""
    request = request_in(tmp_path)
    accepted(scheduler, request, b"first")
    ask(scheduler, replace(request, playhead=3), b"second")
    with pytest.raises(RemoteProtocolError, match=r"another knobs and priority") as caught:
        ask(
            scheduler,
            replace(request, knobs=MatteKnobs(blur=1.0), priority=Priority.BATCH),
            b"third",
        )
    assert caught.value.code is ErrorCode.BAD_REQUEST
    assert "a name of its own" in caught.value.remedy


def test_a_server_that_leaves_takes_no_job(scheduler: Scheduler, tmp_path: Path):
    """Its client knows by the code that the next server will."""
    with running(scheduler):
        scheduler.stop()
        with pytest.raises(ServerError) as caught:
            ask(scheduler, request_in(tmp_path), b"late")
    assert caught.value.code is ErrorCode.SERVER_LOST


# ---- two jobs and one folder --------------------------------------------------------------------


@pytest.mark.parametrize("ends", ["done", "cancelled", "failed"])
def test_an_ended_job_holds_nothing(scheduler: Scheduler, tmp_path: Path, monkeypatch, ends: str):
    """Its plate's pictures and its alphas go with it, not when Python finds the time to collect."""
    pipelines: list[weakref.ref[Pipeline]] = []

    def remembered(*given: object, **words: object) -> Pipeline:
        pipeline = Pipeline(*given, **words)
        pipelines.append(weakref.ref(pipeline))
        return pipeline

    monkeypatch.setattr(scheduler_module, "Pipeline", remembered)
    request = request_in(tmp_path)
    gc.disable()
    try:
        with running(scheduler) if ends != "cancelled" else nullcontext():
            if ends == "failed":
                monkeypatch.setenv("GVM_TEST_ENGINE_FAIL_AT", "2")
            listener = accepted(scheduler, request, b"first")
            if ends == "cancelled":
                scheduler.cancel(request.job, reason="Enough.")
            assert until(lambda: state(scheduler, request) == ends)
            assert until(lambda: pipelines[0]() is None), gc.get_referrers(pipelines[0]())
        assert listener.heard
    finally:
        gc.enable()


def test_a_plate_is_closed_when_its_job_cannot_begin(
    scheduler: Scheduler, tmp_path: Path, monkeypatch
):
    """Its range lies outside, its output cannot be written, another job writes there."""
    opened: list[Plate] = []
    closed: list[Plate] = []

    def open_plate(*given: object, **words: object) -> Plate:
        plate = real(*given, **words)
        opened.append(plate)
        monkeypatch.setattr(plate, "close", lambda: closed.append(plate))
        return plate

    real = prepare.open_plate
    monkeypatch.setattr(prepare, "open_plate", open_plate)
    request = request_in(tmp_path)
    (tmp_path / "file").touch()
    first = accepted(scheduler, request, b"first")
    assert closed == []
    for wrong in (
        replace(request, job="1" * 32, frames="4000"),
        replace(request, job="2" * 32, output=FileOutput(path=str(tmp_path / "file" / "out"))),
        replace(request, job="3" * 32, knobs=MatteKnobs(invert=True)),
    ):
        listener = ask(scheduler, wrong, b"other")
        assert until(lambda heard=listener: heard.all_of(Failed))
        assert until(lambda: closed == opened[1:]), listener.heard
    assert first.all_of(Accepted)


def test_two_clips_into_one_folder_go_side_by_side(scheduler: Scheduler, tmp_path: Path):
    """Their files' names do not meet."""
    first = request_in(tmp_path)
    write_plate(tmp_path / "other", FRAMES, width=48, height=32)
    for frame in FRAMES:
        path = tmp_path / "other" / f"plate.{frame:04d}.exr"
        path.rename(path.with_name(f"bg.{frame:04d}.exr"))
    plate = FilePlate(path=str(tmp_path / "other" / "bg.%04d.exr"))
    listeners = [
        ask(scheduler, request, request.job.encode())
        for request in (first, replace(request_in(tmp_path), plate=plate))
    ]
    with running(scheduler):
        assert until(lambda: all(listener.all_of(Done) for listener in listeners))
    assert len(list((tmp_path / "out").iterdir())) == 2 * len(FRAMES)


def test_other_mattes_into_the_same_files_are_refused(scheduler: Scheduler, tmp_path: Path):
    """Until the job that writes them has ended, by whatever path it was told of them."""
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    first = request_in(tmp_path)
    accepted(scheduler, first, b"first")
    output = replace(first.output, path=str(tmp_path / "link" / "out" / "plate.%04d.exr"))
    knobs = MatteKnobs(blur=2.0)
    rival = ask(scheduler, replace(request_in(tmp_path), output=output, knobs=knobs), b"second")
    assert until(lambda: rival.all_of(Failed))
    (failed,) = rival.all_of(Failed)
    assert failed.code is ErrorCode.OUTPUT_IN_USE
    assert first.job in failed.message
    scheduler.cancel(first.job, reason="Enough.")
    assert until(lambda: state(scheduler, first) == "cancelled")
    accepted(scheduler, replace(request_in(tmp_path), output=output, knobs=knobs), b"third")


# ---- the queue --------------------------------------------------------------------------------


def test_a_job_that_waits_says_how_many_are_ahead_of_it(
    scheduler: Scheduler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """In the order of service, not of asking; a job that ends lets the others move up."""
    monkeypatch.setattr(scheduler_module, "HEARTBEAT_SECONDS", 0.0)
    requests = {
        priority: request_in(tmp_path, out=priority.value, priority=priority)
        for priority in (Priority.BATCH, Priority.RANGE, Priority.INTERACTIVE)
    }
    listeners = {
        priority: accepted(scheduler, request, priority.value.encode())
        for priority, request in requests.items()
    }

    def notes() -> dict[Priority, str]:
        scheduler.beat()
        return {
            priority: listener.all_of(Progress)[-1].note for priority, listener in listeners.items()
        }

    assert notes() == {
        Priority.INTERACTIVE: "Waiting for its turn.",
        Priority.RANGE: "Waiting for its turn: 1 job is ahead.",
        Priority.BATCH: "Waiting for its turn: 2 jobs are ahead.",
    }
    playhead = listeners.pop(Priority.INTERACTIVE)
    scheduler.cancel(requests[Priority.INTERACTIVE].job, reason="Enough.")
    assert until(lambda: playhead.all_of(Cancelled))
    assert notes() == {
        Priority.RANGE: "Waiting for its turn.",
        Priority.BATCH: "Waiting for its turn: 1 job is ahead.",
    }


def test_a_job_whose_frames_all_stand_ends_at_once(scheduler: Scheduler, tmp_path: Path):
    """Kept or recalled: whatever is in the queue before it, and however long that runs."""
    made = ask(scheduler, request_in(tmp_path), b"made")
    gpu = threading.Thread(target=scheduler.run, name="gpu")
    gpu.start()
    assert until(lambda: made.all_of(Done))
    scheduler._engine.ready = wait = Stalled(scheduler._engine.ready)  # type: ignore[method-assign]
    long = request_in(tmp_path, out="long", priority=Priority.INTERACTIVE)
    ask(scheduler, replace(long, knobs=MatteKnobs(), window=replace(WINDOW, size=34)), b"long")
    assert wait.entered.wait(10)
    kept = ask(scheduler, request_in(tmp_path, priority=Priority.BATCH), b"kept")
    recalled = ask(scheduler, request_in(tmp_path, out="copy"), b"recalled")
    assert until(lambda: kept.all_of(Done) and recalled.all_of(Done))
    assert len(kept.all_of(FrameReady)) == len(recalled.all_of(FrameReady)) == len(FRAMES)
    wait.go.set()
    scheduler.stop()
    gpu.join()


def test_each_alpha_is_named_made_or_kept(scheduler: Scheduler, tmp_path: Path):
    """A program that opens what a job says finds the files the second time too."""
    with running(scheduler):
        for peer in (b"made", b"kept"):
            listener = ask(scheduler, request_in(tmp_path), peer)
            assert until(lambda listener=listener: listener.all_of(Done))
            paths = {event.frame: Path(event.path) for event in listener.all_of(FrameReady)}
            assert sorted(paths) == list(FRAMES)
            assert all(path.is_file() and str(frame) in path.name for frame, path in paths.items())


def test_what_a_job_took_is_known_before_its_end_is_said(
    scheduler: Scheduler, tmp_path: Path, monkeypatch
):
    """Who hears the end may ask for a report or a dry run at once."""
    listener, kept = Listener(), []

    def keep(_memo: Memo, job: PastJob) -> None:
        kept.append((job.frames, job.windows, listener.all_of(Done)))

    monkeypatch.setattr(scheduler_module, "remember", keep)
    scheduler.ask(request_in(tmp_path), peer=b"one", channel=listener)
    with running(scheduler):
        assert until(lambda: listener.all_of(Done))
    (done,) = listener.all_of(Done)
    assert kept == [(len(FRAMES), done.windows_run, [])]


class Stalled:
    """An engine's loading that takes as long as a test wants."""

    def __init__(self, real: Callable[..., Engine]) -> None:
        self._real = real
        self.entered, self.go = threading.Event(), threading.Event()

    def __call__(self, *words: object) -> Engine:
        self.entered.set()
        assert self.go.wait(30)
        return self._real(*words)
