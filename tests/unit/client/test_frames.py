"""Frame ranges: as artists, hosts and farms write them, back and forth."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import SettingsError
from gvm_client.frames import (
    abbreviated_frames,
    asked_frames,
    format_frames,
    parse_frames,
    segments,
)

FRAMES = st.sets(st.integers(-500, 500), min_size=1)


@given(FRAMES, st.sampled_from("x:"))
def test_frames_survive_being_written(frames: set[int], step: str) -> None:
    """Any set of frames, negative ones too, is read back from its text, with either step."""
    assert parse_frames(format_frames(frames, step=step)) == tuple(sorted(frames))


@pytest.mark.parametrize(
    ("text", "most", "frames"),
    [("", 0, (3, 4, 5)), ("", 2, (3, 4)), ("9-7,1", 0, (9, 8, 7, 1)), ("9-7,1", 2, (9, 8))],
)
def test_no_text_is_the_whole_clip(text: str, most: int, frames: tuple[int, ...]) -> None:
    """The first so many in the order asked; whether the clip has them is for others to say."""
    assert asked_frames(text, range(3, 6), most=most) == frames


@given(FRAMES)
def test_segments_hold_each_frame_once(frames: set[int]) -> None:
    """Segments are a partition of the frames."""
    assert [frame for run in segments(frames) for frame in run] == sorted(frames)


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("7", (7,)),
        ("-3", (-3,)),
        ("-5--3", (-5, -4, -3)),
        ("-3-1", (-3, -2, -1, 0, 1)),
        ("1001-1007x2,1010", (1001, 1003, 1005, 1007, 1010)),
        ("1001-1010:3", (1001, 1004, 1007, 1010)),
        ("1-10x3", (1, 4, 7, 10)),
        ("5-1", (5, 4, 3, 2, 1)),
        ("9-1x4", (9, 5, 1)),
        ("9-1:-4", (9, 5, 1)),
        ("1-3, 2-4", (1, 2, 3, 4)),
        ("-3--1 5", (-3, -2, -1, 5)),
        (" 5-3,\t9 ", (5, 4, 3, 9)),
        # Of a camera that numbers its pictures by their time; files' names have them.
        ("20261129120000-20261129120010x10", (20261129120000, 20261129120010)),
    ],
)
def test_a_range_text_names_its_frames_in_order_and_once(
    text: str, frames: tuple[int, ...]
) -> None:
    """Both signs of a step, negative numbers, blanks and commas are understood."""
    assert parse_frames(text) == frames


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "a",
            "#",
            "1-",
            "1,,2",
            "1,",
            "1.5",
            "1--",
            "--1",
            "\uff11",
            "1 - 5",
            "1\u20135",
        ),
        *("1-5x", "1-5x0", "1-5:0", "1-5x-2", "1-5:-2", "1-5y2", "1..5", "1-5/2", "1-5x2x2"),
    ],
)
def test_what_is_no_range_is_refused_with_what_would_be_right(text: str) -> None:
    """Nothing is guessed: the sentence has the text, and the forms that are taken."""
    with pytest.raises(SettingsError) as caught:
        parse_frames(text)
    assert repr(text) in caught.value.message
    assert "1001-1100x2" in caught.value.remedy


@pytest.mark.parametrize(
    "text",
    [
        *("1-1000001", "-999999999-999999999", f"-{10**17}-{10**17}"),
        *(",".join(["1-900000"] * 2), "0-99999999"),
    ],
)
def test_a_huge_range_is_refused_at_once(text: str) -> None:
    """More than a million frames are refused before any is made."""
    begin = time.thread_time()
    with pytest.raises(SettingsError, match="more than 1,000,000"):
        parse_frames(text)
    assert time.thread_time() - begin < 0.2


def test_a_sparse_range_over_a_long_span_is_fine() -> None:
    """It is frames that count, not their span."""
    assert parse_frames("1-100000001x10000000")[-1] == 100_000_001


@pytest.mark.parametrize(
    ("frames", "text"),
    [([5], "5"), ([1, 2], "1-2"), ([1, 4], "1,4"), ([1, 3, 5, 6, 7, 8], "1-5x2,6-8")],
)
def test_the_text_is_as_short_as_a_person_would_write_it(frames: list[int], text: str) -> None:
    """Runs of one step are one piece; two frames with a gap are no range."""
    assert format_frames(frames) == text


@given(st.sets(st.integers(-2000, 2000), min_size=1, max_size=20))
def test_the_words_can_be_typed_back_in(frames):
    """A short message is a range that `--frames` takes."""
    text = abbreviated_frames(frames)
    if "more" not in text:
        assert set(parse_frames(text)) == frames


def test_many_ranges_are_cut_short():
    """A message does not grow with the number of holes."""
    frames = [frame for start in range(0, 9000, 10) for frame in (start, start + 1, start + 3)]
    text = abbreviated_frames(frames)
    assert len(text) < 250
    assert "more" in text


def test_runs_are_joined():
    """Consecutive frames are one range."""
    assert abbreviated_frames([1012, 1003, 1010, 1011]) == "1003, 1010-1012"
