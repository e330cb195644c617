"""What `gvm matte` shows: JSON lines for programs, plain lines for logs, a waterfall."""

from __future__ import annotations

import json

import pytest

from gvm_client.protocol.messages import MESSAGE_TYPES, Done, Progress, StageSeconds
from gvm_server.cli.matte.display import JsonLines, PlainLines, waterfall
from tests.support.messages import JOB, SAMPLES

EVENTS = ("accepted", "progress", "frame_ready", "done", "failed", "cancelled", "need_frames")


@pytest.mark.parametrize("word", EVENTS)
def test_an_event_is_one_json_line_with_its_type(word: str, capsys: pytest.CaptureFixture[str]):
    """Every field of the event is there, by its name in the protocol."""
    event = SAMPLES[word]["full"]
    assert isinstance(event, MESSAGE_TYPES[word])
    JsonLines().show(event)
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert said["type"] == word
    assert said["job"] == event.job


def test_plain_lines_say_what_the_artist_should_know(capsys: pytest.CaptureFixture[str]):
    """The headlines of an accepted job, then what a job waits for."""
    display = PlainLines()
    accepted = SAMPLES["accepted"]["full"]
    display.show(accepted)
    waiting = Progress(
        job=JOB, frames_done=0, frames_total=9, windows_done=0, windows_total=2, note="Loading."
    )
    display.show(waiting)
    said = capsys.readouterr().err
    assert accepted.engine.value in said
    assert all(note in said for note in accepted.notes)
    assert said.rstrip().endswith("Loading.")


def test_the_waterfall_s_bars_are_as_long_as_the_stages():
    """A stage of half the wall has half its bar."""
    done = Done(
        job=JOB,
        windows_run=1,
        windows_cached=0,
        frames_written=1,
        frames_kept=0,
        seconds=4.0,
        stages=(StageSeconds(stage="read", seconds=2.0), StageSeconds(stage="write", seconds=0.0)),
    )
    bars = {line.split()[0]: line.count("#") for line in waterfall(done).splitlines()}
    assert bars == {"read": 20, "write": 0, "wall": 40}
