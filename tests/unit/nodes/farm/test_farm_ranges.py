"""Frame ranges between a farm and `gvm`: the specification's own implementation is the judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openjd.model import IntRangeExpr

from gvm_client.frames import format_frames, parse_frames

FRAMES = st.sets(st.integers(-60, 60), min_size=1)


@given(FRAMES)
def test_a_farm_reads_the_frames_that_were_meant(frames):
    """By the specification's own reference implementation, in ascending order."""
    assert list(IntRangeExpr.from_str(format_frames(frames, step=":"))) == sorted(frames)


@given(FRAMES)
def test_the_worker_reads_the_frames_that_the_farm_wrote(frames):
    """Whatever chunk the reference implementation writes, the worker makes those frames."""
    written = str(IntRangeExpr.from_list(sorted(frames)))
    assert sorted(parse_frames(written)) == sorted(frames)


@pytest.mark.parametrize("text", ["1-3,5,7-20:2", "-5--1", "10-1:-3", " 1-3, 5", "7-7", "1-10:3"])
def test_a_farms_text_means_here_what_it_means_there(text: str):
    """A step is a step on both sides: the text is handed on as it is."""
    assert sorted(parse_frames(text)) == sorted(IntRangeExpr.from_str(text))
