"""Frame ranges between a farm and `gvm`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openjd.model import IntRangeExpr

from gvm_client.errors import SettingsError
from gvm_nodes.farm.ranges import gvm_range, openjd_range
from gvm_server.media.frames import parse_frames

FRAMES = st.sets(st.integers(-60, 60), min_size=1)


@given(FRAMES)
def test_a_farm_reads_the_frames_that_were_meant(frames):
    """By the specification's own reference implementation, in ascending order."""
    assert list(IntRangeExpr.from_str(openjd_range(frames))) == sorted(frames)


@given(FRAMES)
def test_the_worker_reads_the_frames_that_the_farm_wrote(frames):
    """Whatever chunk the reference implementation writes, the worker makes those frames."""
    written = str(IntRangeExpr.from_list(sorted(frames)))
    assert sorted(parse_frames(gvm_range(written))) == sorted(frames)


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("1001-1017", "1001-1017"),
        ("7-7", "7-7"),
        ("1-3,5,7-20:2", "1-3,5,7-20x2"),
        ("-5--1", "-5--1"),
        ("10-1:-3", "10-1x3"),
        (" 1-3, 5", "1-3,5"),
    ],
)
def test_a_step_is_written_otherwise(theirs: str, ours: str):
    """A colon means refining in `gvm`, so a text that went through as it is would be wrong."""
    assert gvm_range(theirs) == ours


@pytest.mark.parametrize("text", ["", "1-", "a-b", "1-9x2", "1-9:0", "1,,2", "1-9:2:2"])
def test_what_is_no_range_expression_is_refused(text: str):
    """Our own syntax too: a farm never writes it."""
    with pytest.raises(SettingsError, match="not a range expression"):
        gvm_range(text)


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        ([5], "5"),
        ([1, 2], "1-2"),
        ([1, 4], "1,4"),
        ([1, 3, 5, 6, 7, 8], "1-5:2,6-8"),
        ([3, 1, 2, 2], "1-3"),
    ],
)
def test_the_text_is_as_short_as_a_person_would_write_it(frames: list[int], text: str):
    """Runs of one step are one piece; two frames with a gap are no range."""
    assert openjd_range(frames) == text
