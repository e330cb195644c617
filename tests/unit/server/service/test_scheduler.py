"""Whose turn it is, and for whom, with real pools, stores and the test engine."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    FrameReady,
    Matte,
    Progress,
)
from gvm_client.settings import Priority
from gvm_server.service import scheduler as scheduler_module
from gvm_server.service.scheduler import Scheduler
from tests.fakes.listener import Listener
from tests.support.serving import until
from tests.support.shop import FRAMES, open_shop, request_in


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[Scheduler]:
    """A scheduler that takes jobs; it runs their windows only within `running`."""
    with open_shop(tmp_path) as (shop, site):
        scheduler = Scheduler(shop=shop, site=site)
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
    scheduler.ask(request, peer=peer, line=listener)
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
