"""How long a job will take yet, told by the frames that were made."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gvm_client.protocol.messages import Accepted, FrameReady
from gvm_server.cli.matte import pace
from gvm_server.cli.matte.pace import Pace
from tests.support.messages import SAMPLES


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """A clock that the test moves."""
    now = [100.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def ready(frame: int, *, cached: bool = False) -> FrameReady:
    """Return one frame's event."""
    return FrameReady(job="0" * 32, frame=frame, cached=cached)


def test_time_left_follows_the_frames_that_were_made(clock):
    """Forty that stood say nothing; ten of sixty took 20 seconds."""
    told = Pace()
    clock[0] += 30  # the plate is looked at
    told.begin(replace(accepted(), frames_total=100, frames_kept=40))
    for frame in range(40):
        told.add(ready(frame, cached=True))
    assert told.in_words() == "40/100 frames, 1.33 frames/s"
    clock[0] += 20
    for frame in range(40, 50):
        told.add(ready(frame))
    assert told.in_words() == "50/100 frames, 1.00 frames/s, 1 min 40 s left"
    assert told.share == 0.5
    for frame in range(50, 100):
        told.add(ready(frame))
    assert "left" not in told.in_words()


def accepted() -> Accepted:
    """Return any acceptance."""
    kinds = (message for samples in SAMPLES.values() for message in samples.values())
    return next(message for message in kinds if isinstance(message, Accepted))
