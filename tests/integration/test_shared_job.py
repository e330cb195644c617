"""Two hosts that opened one script ask for one job: both follow it to its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import uuid

import pytest

from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.errors import GvmError
from gvm_client.protocol.messages import (
    Accepted,
    Cancelled,
    Done,
    EngineName,
    FileOutput,
    FilePlate,
    FrameReady,
    JobEvent,
    Matte,
)
from gvm_client.protocol.wire import encode
from gvm_client.settings import WindowSettings
from tests.support.plates import write_plate
from tests.support.site import Site

FRAMES = range(1, 61)
SLOW, SLOWEST = "0.03", "0.3"  # seconds a frame

# A host's process: it says what it hears, until it is killed.
HOST = """
import sys
from gvm_client.client import Client
from gvm_client.protocol.wire import decode
with Client() as client:
    for event in client.matte(decode(bytes.fromhex(sys.argv[1])).message):
        print(type(event).__name__, flush=True)
"""


class Host:
    """A client on a thread of its own, and what it heard."""

    def __init__(self, site: Site, request: Matte) -> None:
        self.events: list[JobEvent] = []
        self.error: GvmError | None = None
        self._client = Client(read_connection(site.runtime))
        self._request = request
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    @property
    def frames(self) -> list[int]:
        """The frames that it was told of, in that order."""
        return [event.frame for event in self.events if isinstance(event, FrameReady)]

    def cancel(self) -> None:
        """Press the button."""
        self._client.cancel(self._request.job)

    def wait(self) -> JobEvent:
        """Wait for the job's end and return its last event."""
        self._thread.join(30)
        assert not self._thread.is_alive(), "the job did not end"
        assert self.error is None, self.error
        assert [type(event) for event in self.events].count(Accepted) == 1
        assert isinstance(self.events[0], Accepted)
        return self.events[-1]

    def _follow(self) -> None:
        try:
            with self._client as client:
                for event in client.matte(self._request):
                    self.events.append(event)
        except GvmError as error:
            self.error = error


@pytest.fixture
def request_of_both(request, site, tmp_path) -> Matte:
    """What both hosts ask a running server for."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = getattr(request, "param", SLOW)
    plate = write_plate(tmp_path / "plate", FRAMES, width=48, height=32)
    assert site.matte(plate, "warm", "--frames", "1").code == 0
    return Matte(
        job=uuid.uuid4().hex,
        plate=FilePlate(path=plate),
        output=FileOutput(path=str(tmp_path / "out")),
        window=WindowSettings(frames_per_window=6, overlap=2, size=32),
        engine=EngineName.TEST,
    )


def test_both_hear_every_frame_from_when_they_asked(site, request_of_both, eventually):
    """Nobody takes the job from the other, and no window runs twice for it."""
    first = Host(site, request_of_both)
    eventually(lambda: len(first.frames) >= 10)
    second = Host(site, request_of_both)
    ends = [host.wait() for host in (first, second)]
    assert isinstance(ends[0], Done)
    assert ends[0] == ends[1]
    assert sorted(first.frames) == list(FRAMES)
    assert 0 < len(second.frames) < len(FRAMES)
    assert second.frames == first.frames[-len(second.frames) :]


def test_a_host_that_is_killed_leaves_the_job_to_the_other(site, request_of_both, eventually):
    """The one that asked first dies in mid-job; nothing of it is missing for the second."""
    request = request_of_both
    killed = subprocess.Popen(
        [sys.executable, "-c", HOST, encode(request, request="1").hex()],
        env={**os.environ, **site.environment},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert killed.stdout.readline().strip() == "Accepted"
    survivor = Host(site, request)
    eventually(lambda: len(survivor.frames) >= 5)
    killed.kill()
    killed.communicate()
    done = survivor.wait()
    assert isinstance(done, Done)
    assert done.frames_written + done.frames_kept == len(FRAMES)


@pytest.mark.parametrize("request_of_both", [SLOWEST], indirect=True)  # or the cancel comes late
def test_a_cancel_of_one_ends_it_for_both(site, request_of_both, eventually):
    """Both are told, and the server has no job left."""
    hosts = [Host(site, request_of_both) for _ in range(2)]
    eventually(lambda: all(len(host.frames) >= 5 for host in hosts))
    hosts[1].cancel()
    for host in hosts:
        assert isinstance(host.wait(), Cancelled)
        assert len(host.frames) < len(FRAMES)
    with Client(read_connection(site.runtime)) as watcher:
        states = {job.job: job.state for job in watcher.status().jobs}
    assert states[request_of_both.job] == "cancelled"
