"""The client against a real endpoint: events, time-outs, cancels, and a server that dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from gvm_client import client as client_module
from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.errors import (
    ErrorCode,
    JobCancelled,
    JobFailed,
    LocalProtocolError,
    RemoteProtocolError,
    ServerLost,
    ServerNotRunning,
)
from gvm_client.process import start_ticks
from gvm_client.protocol.lifecycle import error_of
from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    FrameReady,
    GiveFrames,
    NeedFrames,
    Pong,
    Progress,
    ServerStatus,
)
from tests.support.messages import PIXELS, SAMPLES
from tests.support.serving import FRAMES, REQUEST, SmallServer, serving, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SmallServer]:
    with serving(tmp_path / "run") as small:
        yield small


@pytest.fixture
def client(server: SmallServer) -> Iterator[Client]:
    with Client(server.endpoint.connection) as connected:
        yield connected


@pytest.fixture
def frozen(server: SmallServer) -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives, does nothing, and can stand for the server's."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_job_is_told_from_accepted_to_done(client: Client):
    """Every event arrives, in order, and then the iteration ends."""
    kinds = [type(event) for event in client.matte(REQUEST)]
    assert kinds == [Accepted, *[FrameReady] * FRAMES, Done]


def test_one_job_after_another_goes_through_one_client(client: Client):
    """What was said to an earlier job does not reach a later one."""
    for number in range(5):
        events = client.matte(replace(REQUEST, job=f"{number:032x}", frames="forever"))
        next(events)
        events.close()
    last = list(client.matte(replace(REQUEST, job="f" * 32)))
    assert {event.job for event in last} == {"f" * 32}


def test_two_jobs_at_once_take_two_clients(client: Client):
    """The refusal says what to do, and the first job goes on."""
    events = client.matte(replace(REQUEST, frames="forever"))
    next(events)
    with pytest.raises(LocalProtocolError, match=REQUEST.job) as caught:
        next(client.matte(REQUEST))
    assert caught.value.code is ErrorCode.ILLEGAL_MOVE
    assert isinstance(next(events), Progress)
    events.close()


def test_pixels_that_are_asked_for_can_be_given(client: Client):
    """`answer` between two events goes to the job that is iterated."""
    kinds = []
    for event in client.matte(replace(REQUEST, frames="need")):
        kinds.append(type(event))
        if isinstance(event, NeedFrames):
            client.answer(GiveFrames(job=event.job, frames=(PIXELS,)))
    assert kinds == [Accepted, NeedFrames, Done]


def test_leaving_the_loop_cancels_the_job(client: Client, server: SmallServer):
    """An artist who stops waiting does not keep the GPU busy."""
    for _ in client.matte(replace(REQUEST, frames="forever")):
        break
    assert server.cancelled == [REQUEST.job]


def test_an_error_in_the_loop_cancels_the_job_when_the_client_closes(server: SmallServer):
    """Also where a traceback keeps the iteration alive."""

    def stumble() -> None:
        with Client(server.endpoint.connection) as client:
            for _ in client.matte(replace(REQUEST, frames="forever")):
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stumble()
    assert server.cancelled == [REQUEST.job]


def test_a_job_that_has_ended_is_not_cancelled(client: Client, server: SmallServer):
    """The last event ends the conversation."""
    list(client.matte(REQUEST))
    client.ping()
    assert server.cancelled == []


def test_a_cancel_of_another_thread_ends_the_iteration(client: Client):
    """The job's own client hears `Cancelled`."""
    events = client.matte(replace(REQUEST, frames="forever"))
    next(events)
    thread = threading.Thread(target=client.cancel, args=(REQUEST.job,))
    thread.start()
    last = list(events)[-1]
    thread.join()
    assert last == Cancelled(job=REQUEST.job, frames_done=0, reason="Asked.")


def test_control_calls_are_answered_while_a_job_runs(client: Client):
    """Status, ping and release do not queue behind work."""
    events = client.matte(replace(REQUEST, frames="forever"))
    next(events)
    assert isinstance(client.ping(), Pong)
    assert client.status() == SAMPLES["server_status"]["full"]
    assert isinstance(client.status(), ServerStatus)
    events.close()


def test_a_stop_ends_the_server(client: Client, server: SmallServer, tmp_path: Path):
    """The answer arrives, and then no server is found."""
    client.stop()
    assert server.endpoint._stopping


def test_an_answer_of_the_wrong_kind_is_the_servers_mistake(client: Client):
    """The small server answers `release` with a Pong."""
    with pytest.raises(RemoteProtocolError) as caught:
        client.release()
    assert caught.value.code is ErrorCode.ILLEGAL_MOVE


def test_an_illegal_move_of_the_server_is_named(client: Client):
    """Frames before `accepted` are not taken."""
    with pytest.raises(RemoteProtocolError, match="FrameReady is not legal") as caught:
        list(client.matte(replace(REQUEST, frames="illegal")))
    assert caught.value.code is ErrorCode.ILLEGAL_MOVE


def test_a_refused_job_ends_with_the_servers_words(client: Client):
    """`error_of` makes them an error that can be raised."""
    (event,) = client.matte(replace(REQUEST, frames="refuse"))
    error = error_of(event)
    assert isinstance(error, JobFailed)
    assert (error.code, str(error)) == (ErrorCode.SERVER_BUSY, "Too many jobs. Wait.")
    cancelled = error_of(Cancelled(job=REQUEST.job, frames_done=1, reason="Its client left."))
    assert isinstance(cancelled, JobCancelled)
    assert str(cancelled) == "The job was cancelled. Its client left."


def test_a_silent_server_is_lost(client: Client, monkeypatch: pytest.MonkeyPatch):
    """Silence is an error that says how long it was."""
    monkeypatch.setattr(client_module, "SILENCE_SECONDS", 0.4)
    started = time.monotonic()
    with pytest.raises(ServerLost, match=r"silent for 0\.4 s"):
        list(client.matte(replace(REQUEST, frames="silent")))
    assert time.monotonic() - started < 2.0


def test_a_server_that_beats_is_never_lost(client: Client, monkeypatch: pytest.MonkeyPatch):
    """Heartbeats keep a slow job alive for as long as it takes."""
    monkeypatch.setattr(client_module, "SILENCE_SECONDS", 0.6)
    events = client.matte(replace(REQUEST, frames="forever"))
    started = time.monotonic()
    while time.monotonic() - started < 1.5:
        next(events)
    events.close()


def test_a_dead_process_is_noticed_before_the_silence_is(
    server: SmallServer, frozen: subprocess.Popen[bytes]
):
    """The client looks at the process while it waits, and sees through a zombie."""
    mine = server.endpoint.connection
    stand_in = replace(mine, pid=frozen.pid, started=start_ticks(frozen.pid))
    with Client(stand_in) as client:
        events = client.matte(replace(REQUEST, frames="silent"))
        next(events)
        frozen.kill()
        started = time.monotonic()
        with pytest.raises(ServerLost, match=f"process {frozen.pid}\\) has died"):
            next(events)
        assert time.monotonic() - started < 1.0


@pytest.mark.parametrize("whose", ["client", "server"])
def test_a_wrong_key_is_said_at_once(server: SmallServer, whose: str):
    """Another server's file: the client hears of the keys, not of a silence, on both sockets."""
    public, secret = (key.decode() for key in zmq.curve_keypair())
    foreign = {f"{whose}_public_key": public}
    if whose == "client":
        foreign["client_secret_key"] = secret
    began = time.monotonic()
    with Client(replace(server.endpoint.connection, **foreign)) as client:
        for ask in (client.status, lambda: next(client.matte(REQUEST))):
            with pytest.raises(ServerLost, match="the keys of this client are not") as failure:
                ask()
            assert "Ask again" in failure.value.remedy
    assert time.monotonic() - began < client_module.CONTROL_SECONDS
    with Client(server.endpoint.connection) as client:
        assert client.ping().version == "small"


@pytest.mark.parametrize("verb", ["send", "recv"])
def test_a_socket_that_is_ready_no_longer_is_waited_for_again(
    client: Client, monkeypatch: pytest.MonkeyPatch, verb: str
):
    """A refused handshake ends a pipe after the wait: no failure yet, the next wait hears why."""
    true, refused = getattr(zmq.Socket, verb), []

    def shy(self: zmq.Socket[bytes], *args: object, **words: object) -> object:
        if self.type == zmq.DEALER and not refused:
            refused.append(self)
            raise zmq.Again
        return true(self, *args, **words)

    monkeypatch.setattr(zmq.Socket, verb, shy)
    assert client.ping().version == "small"
    assert refused


def test_nobody_at_the_endpoint_is_an_error_in_time(server: SmallServer, tmp_path: Path):
    """Left to itself, libzmq would queue for nobody and say nothing."""
    nowhere = replace(server.endpoint.connection, control=f"ipc://{tmp_path}/nobody")
    with Client(nowhere) as client:
        started = time.monotonic()
        with pytest.raises(ServerLost, match="silent"):
            client.ping(seconds=0.3)
        assert time.monotonic() - started < 1.0


def test_a_broken_endpoint_is_our_error_and_not_zmqs(server: SmallServer):
    """Foreign errors are renamed at the border."""
    with pytest.raises(ServerLost, match="failed"):
        Client(replace(server.endpoint.connection, work="nonsense"))


def test_no_server_is_said_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Without a connection file no socket is opened."""
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "empty"))
    with pytest.raises(ServerNotRunning):
        Client()


def test_a_killed_server_is_lost_within_five_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """After `kill -9` in mid-job comes an error that names the process, not a hang."""
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "run"))
    process = subprocess.Popen([sys.executable, "-m", "tests.fakes.small_server"])
    try:
        assert until((tmp_path / "run" / "connection.json").exists, 20.0)
        with Client(read_connection(tmp_path / "run")) as client:
            events = client.matte(replace(REQUEST, frames="forever"))
            next(events)
            os.kill(process.pid, signal.SIGKILL)
            started = time.monotonic()
            with pytest.raises(ServerLost, match="has died"):
                list(events)
            assert time.monotonic() - started < 5.0
    finally:
        process.kill()
        process.wait()
