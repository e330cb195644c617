"""The jobs of a host session, with a host and a server of the test's own hands."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace

import pytest

from gvm_client.errors import ErrorCode, InputError, JobFailed, OutputError, ServerLost
from gvm_client.protocol.messages import (
    Cancelled,
    Done,
    Failed,
    FrameReady,
    JobEvent,
    Matte,
    ServerStatus,
)
from gvm_client.protocol.values import JobSummary
from gvm_client.settings import Priority
from gvm_nodes.core import actions, node_request
from gvm_nodes.core.followed_job import Phase, Update
from gvm_nodes.core.job_tracker import JOB_GONE, OTHER_SETTINGS, JobTracker
from gvm_nodes.core.node import Clip
from gvm_nodes.core.saved_state import OUT_OF_DATE, UP_TO_DATE, read_ticket, record_made, ticket
from gvm_nodes.core.settings import MatteOptions
from tests.support.serving import accepted

CLIP = Clip(path="/p/a.%04d.exr", first=1, last=20)


@dataclass
class FakeNode:
    """A node as a host has it; `deleted` is what an artist deleted inside."""

    identity: str = "abc"
    name: str = "GVM1"
    knobs: MatteOptions = field(
        default_factory=lambda: MatteOptions(out="/m/v{version}/a.%04d.exr")
    )
    job: str = ""
    made: str = ""
    said: str = ""
    failed: bool = False
    shown: list[str] = field(default_factory=list)
    deleted: str = ""

    def options(self) -> MatteOptions:
        return self.knobs

    def clip(self) -> Clip:
        return CLIP

    def folder(self) -> str:
        return ""

    def document_range(self) -> range:
        return range(1, 21)

    def frame(self) -> int:
        return 5

    def others(self) -> Iterable[FakeNode]:
        return ()

    def write_plate(self, clip: Clip, frames: Iterable[int]) -> None:
        raise AssertionError("its plate is a file")

    def say(self, sentence: str, *, failed: bool = False) -> None:
        self.said, self.failed = sentence, failed

    def show(self, made: Matte) -> None:
        if self.deleted:
            raise InputError(f"The node {self.deleted} was deleted.")
        self.shown.append(made.output.path)


class FakeHost:
    """A host whose main thread is the test, when it calls `turn`."""

    def __init__(self, *, is_batch: bool = False) -> None:
        self.is_batch = is_batch
        self.node: FakeNode | None = FakeNode()
        self.calls: list[Callable[[], None]] = []

    def find(self, identity: str) -> FakeNode | None:
        return self.node if self.node and self.node.identity == identity else None

    def post(self, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def turn(self) -> None:
        """Be the main thread for what was posted."""
        while self.calls:
            self.calls.pop(0)()


class Server:
    """A line whose jobs end when the test says so."""

    def __init__(self) -> None:
        self.events: dict[str, list[JobEvent]] = {}
        self.go = threading.Event()
        self.cancelled: list[str] = []
        self.asked: list[str] = []
        self.refuses_cancel = False
        self.running: list[str] = []
        self.cancel_waits = threading.Event()
        self.cancel_waits.set()

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        self.asked.append(request.job)
        yield from self.events.get(request.job, [])
        assert self.go.wait(10)
        if request.job in self.cancelled:
            yield Cancelled(job=request.job, frames_done=0, reason="Asked to.")
        else:
            yield Done(job=request.job, windows_run=1, windows_cached=0, frames_written=1,
                       frames_kept=0, seconds=1.0)  # fmt: skip

    def cancel(self, job: str) -> None:
        assert self.cancel_waits.wait(10)
        if self.refuses_cancel:
            raise ServerLost("The server has been silent.")
        self.cancelled.append(job)
        self.go.set()

    def release(self) -> None:
        self.asked.append("release")

    def status(self) -> ServerStatus:
        jobs = tuple(
            JobSummary(job=job, state="running", plate="", output="", engine="test",
                       priority=Priority.BATCH, frames_done=0, frames_total=1, seconds=1.0)
            for job in self.running
        )  # fmt: skip
        return ServerStatus(pid=1, version="1", seconds_up=1.0, device="cpu", engine_loaded="",
                            memory_bytes=0, device_used_bytes=0, device_free_bytes=0,
                            cache_path="", cache_bytes=0, jobs=jobs)  # fmt: skip


@pytest.fixture
def host() -> FakeHost:
    """A host with one node."""
    return FakeHost()


@pytest.fixture
def server() -> Server:
    """A server behind the tracker."""
    return Server()


@pytest.fixture
def tracker(host: FakeHost, server: Server) -> JobTracker:
    """The tracker between them."""
    return JobTracker(host, lambda: server)


def ended(tracker: JobTracker, host: FakeHost) -> None:
    """Let the job and all errands end, and be the main thread."""
    assert tracker._jobs[host.node.identity].wait(10)
    host.turn()


def test_a_late_word_of_an_earlier_job_changes_nothing_of_the_next(tracker, host, server) -> None:
    """Its name, its status and the mattes that are shown are the next job's."""
    node = host.node
    first = node_request.node_request(node, (1,))
    node.knobs = replace(node.knobs, version=2)
    second = node_request.node_request(node, (1,))
    tracker.start(node, second)
    tracker._show(node.identity, first, "", Update(phase=Phase.CANCELLED, ready=(1,)))
    assert read_ticket(node.job).job == second.job
    assert (node.said, node.shown) == ("Asking the server.", [])
    server.go.set()
    ended(tracker, host)


def test_a_cancel_never_meets_the_next_job_of_the_same_name(tracker, host, server) -> None:
    """Work that is being cancelled has not ended, however soon its events do."""
    node = host.node
    server.cancel_waits.clear()
    tracker.start(node, node_request.node_request(node, (1,)))
    actions.cancel(tracker, node)
    server.go.set()
    assert not tracker._jobs[node.identity].wait(0.2)
    server.cancel_waits.set()
    ended(tracker, host)
    assert node.job == ""
    assert len(server.cancelled) == 1


def test_a_job_of_an_earlier_session_is_cancelled_and_that_is_said(tracker, host, server) -> None:
    """The job is forgotten when the server has heard it."""
    node = host.node
    node.job = ticket(node_request.node_request(node, (1,)))
    actions.cancel(tracker, node)
    assert node.said == "Cancelling."
    tracker._background[-1].join(10)
    host.turn()
    assert (node.said, node.job) == ("The job was cancelled.", "")


def test_a_cancel_that_the_server_did_not_hear_is_said_and_can_be_asked_again(
    tracker, host, server
) -> None:
    """The job goes on, and its name is kept."""
    node = host.node
    node.job = kept = ticket(node_request.node_request(node, (1,)))
    server.refuses_cancel = True
    actions.cancel(tracker, node)
    tracker._background[-1].join(10)
    host.turn()
    assert "silent" in node.said
    assert node.failed
    assert node.job == kept


@pytest.mark.parametrize(
    ("code", "stays"), [(ErrorCode.OUTPUT_IN_USE, True), (ErrorCode.OUTPUT_UNWRITABLE, False)]
)
def test_a_job_that_is_refused_by_the_nodes_own_earlier_job_leaves_that_to_be_found(
    tracker, host, server, code, stays
) -> None:
    """It writes into the same files still; Cancel ends it."""
    node = host.node
    node.job = earlier = ticket(node_request.node_request(node, (1,)))
    node.knobs = replace(node.knobs, blur=2.0)
    request = node_request.node_request(node, (1,))
    server.events[request.job] = [
        Failed(job=request.job, code=code, message="It cannot be written there.")
    ]
    tracker.start(node, request)
    ended(tracker, host)
    assert node.job == (earlier if stays else "")
    assert isinstance(tracker._jobs[node.identity].result.error, JobFailed | OutputError)


def test_a_node_that_cannot_show_says_so_and_its_job_ends(tracker, host, server) -> None:
    """An artist deleted the Read inside; nothing is raised into the host."""
    node = host.node
    node.deleted = "MatteRead"
    request = node_request.node_request(node, (1,))
    server.events[request.job] = [
        accepted(request.job),
        FrameReady(job=request.job, frame=1, cached=False, path="/m"),
    ]
    server.go.set()
    tracker.start(node, request)
    ended(tracker, host)
    assert "MatteRead" in node.said
    assert node.job == ""


def test_what_a_partial_job_did_not_make_stays_out_of_date(tracker, host, server) -> None:
    """One frame of new settings does not make the others new, nor the old settings right again."""
    node = host.node
    before = node_request.node_request(node, ())
    node.job = ticket(before)
    tracker._show(node.identity, before, "", Update(ready=tuple(range(1, 21)), phase=Phase.DONE))
    node.knobs = replace(node.knobs, gamma=2.0)
    actions.settings_changed(tracker, node, looks=False)
    assert node.said == OUT_OF_DATE
    after = node_request.node_request(node, (5,))
    node.job = ticket(after)
    tracker._show(node.identity, after, "", Update(ready=(5,), phase=Phase.CANCELLED))
    for gamma in (2.0, 1.0):
        node.say("")
        node.knobs = replace(node.knobs, gamma=gamma)
        actions.settings_changed(tracker, node, looks=False)
        assert node.said == OUT_OF_DATE
    node.job = ticket(before)
    tracker._show(node.identity, before, "", Update(ready=(5,), phase=Phase.DONE))
    node.say("")
    actions.settings_changed(tracker, node, looks=False)
    assert node.said == ""


@pytest.mark.parametrize("button", ["render_frame", "render_range"])
def test_a_saved_job_is_found_again_whatever_frames_it_makes(tracker, host, server, button) -> None:
    """Also after the range was changed: which frames it makes is kept with it."""
    node = host.node
    actions.ACTIONS[button](tracker, node)
    job = read_ticket(node.job).job
    again = JobTracker(host, lambda: server)
    server.running = [job]
    node.knobs = replace(node.knobs, range="custom", frames="7-8")
    actions.panel_opened(again, node)
    again._background[-1].join(10)
    host.turn()
    assert again.is_running(node.identity)
    server.go.set()
    for one in (tracker, again):
        ended(one, host)
    assert set(server.asked) == {job}


@pytest.mark.parametrize(("runs", "says"), [(True, OTHER_SETTINGS), (False, JOB_GONE)])
def test_a_saved_job_of_other_settings_is_not_followed(tracker, host, server, runs, says) -> None:
    """Whether it still runs is said."""
    node = host.node
    request = node_request.node_request(node, (1,))
    node.job = ticket(request)
    server.running = [request.job] if runs else []
    node.knobs = replace(node.knobs, blur=3.0)
    actions.panel_opened(tracker, node)
    tracker._background[-1].join(10)
    host.turn()
    assert node.said == says
    assert not tracker.is_running(node.identity)


@pytest.mark.parametrize("damaged", ["abc", "{", "0" * 32, f"{'0' * 32} never 1-2"])
def test_a_damaged_job_or_record_is_as_good_as_none(tracker, host, damaged) -> None:
    """Every button works, and nothing is raised."""
    node = host.node
    node.job = node.made = damaged
    actions.panel_opened(tracker, node)
    actions.settings_changed(tracker, node, looks=False)
    actions.cancel(tracker, node)
    assert node.said == "Nothing is rendering."


def test_in_batch_errands_are_done_before_the_script_goes_on(server) -> None:
    """A script's end would end its threads too."""
    host = FakeHost(is_batch=True)
    tracker, node = JobTracker(host, lambda: server), host.node
    actions.release(tracker, node)
    assert server.asked == ["release"]
    node.job = ticket(node_request.node_request(node, (1,)))
    actions.cancel(tracker, node)
    assert (node.said, node.job) == ("The job was cancelled.", "")


def test_a_look_at_files_does_not_take_back_what_was_said_meanwhile(tracker, host) -> None:
    """A tree above may have changed while the files were looked at: they know nothing of that."""
    node = host.node
    made = node_request.node_request(node, ())
    node.made = record_made("", made, range(1, 21))
    node.say(OUT_OF_DATE)
    for said_meanwhile, shown in ((None, UP_TO_DATE), (OUT_OF_DATE, OUT_OF_DATE)):
        tracker.check_plate(node, made)
        for thread in tracker._background:
            thread.join(10)
        if said_meanwhile:
            node.say(said_meanwhile)
        host.turn()
        assert node.said == shown
