"""Frame ranges, and the words for frames in messages."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import SettingsError
from gvm_server.media.frames import format_frames, parse_frames


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", (7,)),
        ("-3", (-3,)),
        ("-5--3", (-5, -4, -3)),
        ("-1-1", (-1, 0, 1)),
        ("1001-1007x2,1010", (1001, 1003, 1005, 1007, 1010)),
        ("5-1", (5, 4, 3, 2, 1)),
        ("1-3, 2-4", (1, 2, 3, 4)),
        ("1-5y2", (2, 4)),
        ("1-5:2", (1, 3, 5, 2, 4)),
    ],
)
def test_range_text_names_its_frames_in_order_and_once(text, frames):
    """A range text gives its frames in its own order, each once."""
    assert parse_frames(text) == frames


@pytest.mark.parametrize(
    "text", ["", "a", "1-", "1,,2", "1.5", "1-5x0", "1-5x", "1--", "--1", "\uff11"]
)
def test_what_is_not_a_range_is_refused_with_an_example(text):
    """Bad syntax names the text and shows what is right."""
    with pytest.raises(SettingsError) as caught:
        parse_frames(text)
    assert repr(text) in caught.value.message
    assert "1001-1100x2,1200" in caught.value.remedy


@pytest.mark.parametrize(
    "text", ["1-1000001", "1-999999999:3", "-999999999-999999999", ",".join(["1-900000"] * 2)]
)
def test_a_huge_range_is_refused_at_once(text):
    """More than a million frames are refused before any is made."""
    begin = time.perf_counter()
    with pytest.raises(SettingsError, match="more than 1,000,000"):
        parse_frames(text)
    assert time.perf_counter() - begin < 0.2


def test_a_sparse_range_over_a_long_span_is_fine():
    """It is frames that count, not their span."""
    assert parse_frames("1-100000001x10000000")[-1] == 100_000_001


@given(st.sets(st.integers(-2000, 2000), min_size=1, max_size=20))
def test_format_says_what_parse_reads(frames):
    """The words for few frames can be typed back in."""
    text = format_frames(frames)
    if "more" not in text:
        assert set(parse_frames(text)) == frames


def test_many_ranges_are_cut_short():
    """A message does not grow with the number of holes."""
    frames = [frame for start in range(0, 9000, 10) for frame in (start, start + 1, start + 3)]
    text = format_frames(frames)
    assert len(text) < 250
    assert "more" in text


def test_runs_are_joined():
    """Consecutive frames are one range."""
    assert format_frames([1012, 1003, 1010, 1011]) == "1003, 1010-1012"
