"""Frame ranges: as artists write them, back and forth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import SettingsError
from gvm_nodes.frame_range import format_frames, parse_frames, segments


@given(st.sets(st.integers(-500, 500), min_size=1))
def test_frames_survive_being_written(frames: set[int]) -> None:
    """Any set of frames, negative ones too, is read back from its text."""
    assert parse_frames(format_frames(frames)) == tuple(sorted(frames))


@given(st.sets(st.integers(-500, 500)))
def test_segments_hold_each_frame_once(frames: set[int]) -> None:
    """Segments are a partition of the frames."""
    assert [frame for run in segments(frames) for frame in run] == sorted(frames)


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1-10x3", (1, 4, 7, 10)),
        ("-3--1 5", (-3, -2, -1, 5)),
        ("-3-1", (-3, -2, -1, 0, 1)),
        ("5-3, 9", (3, 4, 5, 9)),
    ],
)
def test_a_hosts_ranges_are_read(text: str, frames: tuple[int, ...]) -> None:
    """Steps, negative numbers, blanks and commas are understood."""
    assert parse_frames(text) == frames


@pytest.mark.parametrize("text", ["", "a", "1-", "1-5x0", "1..5", "0-99999999"])
def test_what_is_no_range_is_refused(text: str) -> None:
    """The sentence says what is wrong, and what would be right."""
    with pytest.raises(SettingsError) as caught:
        parse_frames(text)
    assert caught.value.remedy
