"""What finished jobs took: kept by output, and by engine and size."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gvm_server.media.store.memo import Memo
from gvm_server.media.store.past import PastJob, last_job_of, last_job_with, remember

JOB = PastJob(
    ended=1.0,
    output="/out/a.%04d.exr",
    revision="gvm3",
    working_width=1024,
    working_height=576,
    frames=100,
    windows=14,
    seconds=80.0,
    stages={"read": 10.0, "encode": 14.0, "denoise": 28.0, "decode": 28.0, "write": 20.0},
    memory_bytes=1 << 30,
    device="cuda",
)


def test_the_last_job_is_known_by_its_output_and_its_kind(tmp_path):
    """Not another output's, nor another size's; a memo that keeps nothing knows none."""
    memo = Memo(tmp_path)
    later = replace(JOB, ended=2.0)
    for job in (JOB, later):
        remember(memo, job)
    assert last_job_of(memo, JOB.output) == later
    assert last_job_with(memo, "gvm3", 1024, 576) == later
    assert last_job_of(memo, "/out/b.%04d.exr") is None
    assert last_job_with(memo, "gvm3", 576, 1024) is None
    remember(nothing := Memo(None), JOB)
    assert last_job_of(nothing, JOB.output) is None
    memo.close()


def test_a_job_without_windows_says_nothing_of_speed(tmp_path):
    """Its alphas came from the cache."""
    memo = Memo(tmp_path)
    remember(memo, replace(JOB, windows=0))
    assert last_job_with(memo, "gvm3", 1024, 576) is None
    assert last_job_of(memo, JOB.output) is not None
    memo.close()


@pytest.mark.parametrize(
    ("frames", "windows", "seconds"),
    [(100, 14, 70.0), (50, 7, 35.0), (1000, 14, 200.0), (0, 0, 0.0)],
)
def test_time_is_foretold_by_the_slowest_of_what_runs_side_by_side(frames, windows, seconds):
    """The model's stages one after the other, against writing."""
    assert JOB.seconds_for(frames, windows) == pytest.approx(seconds)


def test_what_a_job_did_not_do_is_not_foretold():
    """A job that ran no window."""
    assert replace(JOB, windows=0).seconds_for(10, 2) is None


def test_a_memo_that_learns_nothing_is_left_as_it_is(tmp_path):
    """It still recalls."""
    memo = Memo(tmp_path)
    remember(memo, JOB)
    memo.close()
    asked = Memo(tmp_path, learns=False)
    remember(asked, replace(JOB, ended=9.0))
    assert last_job_of(asked, JOB.output) == JOB
    asked.close()
    remember(Memo(tmp_path / "none", learns=False), JOB)
    assert not (tmp_path / "none").exists()
