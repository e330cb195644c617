"""A matte through the death of its server."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client import client as client_module
from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.errors import ServerLost, ServerNotRunning
from gvm_client.protocol.messages import Accepted, Done, FrameReady, GiveFrames, NeedFrames
from gvm_client.session import MAX_RECOVERIES, Recovered, resilient_matte
from tests.support.messages import PIXELS
from tests.support.serving import FRAMES, REQUEST, SmallServer, serving


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run-time folder whose server, if a test started one, is ended after it."""
    folder = tmp_path / "run"
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(folder))
    yield folder
    with suppress(ServerNotRunning), Client(read_connection(folder)) as client:
        client.stop()


@pytest.fixture
def server(folder: Path) -> Iterator[SmallServer]:
    with serving(folder) as small:
        yield small


def dying(monkeypatch: pytest.MonkeyPatch, *marker: Path) -> None:
    words = [sys.executable, "-m", "tests.fakes.small_server", "die", *map(str, marker)]
    monkeypatch.setenv("GVM_SERVER", shlex.join(words))


def test_a_killed_server_is_started_again_and_the_job_finishes(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The events say what happened between the two servers' stories."""
    dying(monkeypatch, tmp_path / "died")
    events = list(resilient_matte(REQUEST))
    kinds = [type(event) for event in events]
    assert kinds == [Accepted, Recovered, Accepted, *[FrameReady] * FRAMES, Done]
    assert isinstance(events[1], Recovered)
    assert (events[1].attempt, events[1].job) == (1, REQUEST.job)
    assert events[1].message.endswith("has died. The job is asked for again.")


def test_a_job_that_kills_every_server_is_given_up(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """After three recoveries the loss is the caller's to hear."""
    dying(monkeypatch)
    kinds = []

    with pytest.raises(ServerLost, match="has died"):
        kinds.extend(type(event) for event in resilient_matte(REQUEST))
    assert kinds == [Accepted, *[Recovered, Accepted] * MAX_RECOVERIES]


def test_a_server_that_was_only_silent_is_asked_again(
    server: SmallServer, monkeypatch: pytest.MonkeyPatch
):
    """The same server goes on; no second one is started beside it."""
    monkeypatch.setattr(client_module, "SILENCE_SECONDS", 1.0)  # a busy machine answers late
    events = resilient_matte(replace(REQUEST, frames="silent"))
    assert isinstance(next(events), Accepted)
    recovered = next(events)
    assert isinstance(recovered, Recovered)
    assert recovered.message.endswith("silent for 1.0 s. The job is asked for again.")
    assert isinstance(next(events), Accepted)
    events.close()
    assert [envelope.message.job for envelope in server.work] == [REQUEST.job] * 2


def test_without_leave_to_start_one_a_missing_server_is_an_error(folder: Path):
    """A farm task may insist on the server that runs."""
    with pytest.raises(ServerNotRunning):
        list(resilient_matte(REQUEST, start=False))


def test_pixels_are_given_when_they_are_asked_for(server: SmallServer):
    """The caller's function answers `NeedFrames`."""
    asked = []

    def give(need: NeedFrames) -> GiveFrames:
        asked.append(need.frames)
        return GiveFrames(job=need.job, frames=(PIXELS,))

    events = list(resilient_matte(replace(REQUEST, frames="need"), give=give, start=False))
    assert [type(event) for event in events] == [Accepted, NeedFrames, Done]
    assert asked == [(1,)]


def test_closing_it_cancels_the_job(server: SmallServer):
    """At once, not when Python collects the iteration."""
    events = resilient_matte(replace(REQUEST, frames="forever"), start=False)
    next(events)
    events.close()
    assert server.cancelled == [REQUEST.job]
