"""`gvm status` for a person: ages, reasons, the latest jobs, and one line for each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gvm_client.protocol.messages import JobSummary, ServerStatus
from gvm_client.settings import Priority
from gvm_server.cli.running_server import SHOWN_ENDED, status_in_words
from gvm_server.cli.terminal import as_json, duration_in_words

JOB = JobSummary(
    job="0123456789abcdef",
    state="running",
    plate="/p/a.%04d.exr",
    output="/m",
    engine="gvm",
    priority=Priority.RANGE,
    frames_done=1,
    frames_total=1,
    seconds=75.0,
)
SERVER = ServerStatus(
    pid=7,
    version="0.1.0",
    seconds_up=5.0,
    device="CPU",
    engine_loaded="",
    memory_bytes=1 << 20,
    device_used_bytes=0,
    device_free_bytes=0,
    cache_limit_bytes=0,
    cache_path="/c",
    cache_bytes=0,
    jobs=(),
)


def lines_of(*jobs: JobSummary) -> list[str]:
    """Return the lines about jobs."""
    return status_in_words(replace(SERVER, jobs=jobs)).splitlines()[3:]


def test_a_job_says_how_old_it_is_and_how_long_it_took():
    """By one clock, in a person's units."""
    (running,) = lines_of(JOB)
    assert "asked 1 min 15 s ago" in running
    assert "1/1 frame  " in running
    (done,) = lines_of(replace(JOB, state="done", ended_seconds=130.0))
    assert "took 1 min 15 s, ended 2 min 10 s ago" in done


def test_a_failure_says_why():
    """Below the job that it ended."""
    _, reason = lines_of(replace(JOB, state="failed", note="The plate is gone."))
    assert reason.strip() == "The plate is gone."


def test_the_latest_ended_jobs_are_shown_and_all_living_ones():
    """How many more the server remembers is said."""
    many = [replace(JOB, job=f"{number:08x}", state="done") for number in range(SHOWN_ENDED + 3)]
    lines = lines_of(*[replace(JOB, job=f"live{number:04}") for number in range(20)], *many)
    assert len(lines) == 20 + SHOWN_ENDED + 1
    assert "00000000" in lines[20]  # the server names the latest first
    assert lines[-1].strip() == "and 3 earlier jobs"
    assert lines_of() == ["  no jobs"]


def test_a_name_makes_no_line_and_no_colour():
    """A job is one line, whatever its plate is called."""
    (line,) = lines_of(replace(JOB, plate="/p/a\n\x1b[31mb"))
    assert "a\\x0a\\x1b[31mb" in line


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (3600, "1 h 0 min"), (100_000, "1 d 3 h")],
)
def test_durations_are_in_a_person_s_units(seconds: float, words: str):
    """The two largest of them."""
    assert duration_in_words(seconds) == words


def test_json_is_of_text_whatever_a_name_is():
    """A lone surrogate is no JSON for strict readers."""
    assert as_json({"path": "caf\udce9", "more": ["é", 1, None]}) == (
        '{"path": "caf\\\\xe9", "more": ["\\u00e9", 1, null]}'
    )
