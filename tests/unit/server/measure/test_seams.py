"""Seam scores worked out by hand, and when there is none."""

from __future__ import annotations

import pytest

from gvm_client.windows import Plan, windows_covering
from gvm_server.measure.seams import PAIRS_LEAST, Pair, seam_score, windows_in

COUNT = 60


def pairs(overlap: int, border: float, inner: float, cuts: tuple[int, ...] = ()) -> list[Pair]:
    """Return the pairs of a clip whose border pairs, and inner ones, change by so much."""
    plan = Plan(first=1, last=COUNT, frames_per_window=8, overlap=overlap, cuts=cuts)
    made = []
    for frame in range(2, COUNT + 1):
        windows = [windows_covering(plan, each) for each in (frame - 1, frame)]
        pair = Pair(frame=frame, change=0.0, before=windows[0], after=windows[1])
        change = border if pair.is_border else inner
        made.append(Pair(frame=frame, change=change, before=windows[0], after=windows[1]))
    return made


@pytest.mark.parametrize("overlap", [0, 1, 2, 3])
@pytest.mark.parametrize(("border", "score"), [(0.02, 1.0), (0.03, 1.5), (0.01, 0.5)])
def test_the_score_is_the_ratio_of_the_mean_changes(overlap, border, score):
    """With windows side by side and overlapping ones."""
    found = seam_score(pairs(overlap, border, 0.02), "gvm")
    assert found.score == pytest.approx(score, rel=1e-3)
    assert found.border + found.inner == COUNT - 1
    assert found.note == ""


def test_where_nothing_moves_the_score_is_perfect():
    """A matte that stands still has no seams."""
    assert seam_score(pairs(1, 0.0, 0.0), "gvm").score == pytest.approx(1.0)


def test_a_cut_is_no_seam():
    """Neighbours of two shots have no window in common, where windows overlap."""
    made = pairs(1, 0.02, 0.02, cuts=(30,))
    made[28] = Pair(frame=30, change=0.9, before=made[28].before, after=made[28].after)
    assert seam_score(made, "gvm").score == pytest.approx(1.0)


def test_where_every_frame_is_cross_faded_there_is_no_score_and_it_says_so():
    """At an overlap of half a window only the clip's ends lie in one window."""
    found = seam_score(pairs(4, 0.02, 0.02)[8:-8], "gvm")
    assert found.score is None
    assert f"needs {PAIRS_LEAST} of each" in found.note


def test_engines_without_windows_say_so():
    """Their files name windows all the same."""
    found = seam_score(pairs(1, 0.03, 0.02), "preview")
    assert found.score is None
    assert "preview engine do not depend on windows" in found.note


def test_mattes_of_others_have_no_score():
    """They name neither engine nor windows."""
    made = [Pair(frame=frame, change=0.1, before=(), after=()) for frame in range(20)]
    found = seam_score(made, "")
    assert found.score is None
    assert "do not say in which windows" in found.note


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("1001-1008 1008-1015", ["1001-1008", "1008-1015"]),
        ("1015-1022", []),  # a copy of another frame's
        ("1001-1008 1015-1022", []),
        ("", []),
        ("what", []),
    ],
)
def test_windows_are_read_as_files_name_them(said, names):
    """A file that the cache had for another frame says nothing of this one."""
    assert [f"{each.first}-{each.last}" for each in windows_in(1008, said)] == names


def test_windows_of_negative_frames_are_read():
    """As a plate's names have them."""
    (window,) = windows_in(-3, "-8--1")
    assert (window.first, window.last) == (-8, -1)
