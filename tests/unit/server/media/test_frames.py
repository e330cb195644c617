"""The words for frames in messages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gvm_client.frames import parse_frames
from gvm_server.media.frames import format_frames


@given(st.sets(st.integers(-2000, 2000), min_size=1, max_size=20))
def test_the_words_can_be_typed_back_in(frames):
    """A short message is a range that `--frames` takes."""
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
