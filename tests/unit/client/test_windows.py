"""The window plan against its laws, a slow reference written from the design, and the vectors."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.engines import EngineName
from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.settings import PlanKind, WindowSettings
from gvm_client.windows import (
    Plan,
    Window,
    blends,
    needs,
    seen_by,
    shot_of,
    window_at,
    window_count,
    windows_covering,
    windows_for,
)
from tests.golden import make_windows


@st.composite
def plans(draw: st.DrawFn, kinds: tuple[PlanKind, ...] = tuple(PlanKind)) -> Plan:
    width = draw(st.integers(1, 20))
    first = draw(st.integers(-50, 2000))
    last = first + draw(st.integers(0, 80))
    cuts = st.sets(st.integers(first + 1, last), max_size=3) if last > first else st.just(set())
    return Plan(
        first=first,
        last=last,
        frames_per_window=width,
        overlap=draw(st.integers(0, width // 2)),
        kind=draw(st.sampled_from(kinds)),
        cuts=tuple(sorted(draw(cuts))),
    )


def frames_of(plan: Plan) -> range:
    return range(plan.first, plan.last + 1)


def slow_shots(plan: Plan) -> list[Window]:
    starts = [plan.first, *plan.cuts, plan.last + 1]
    return [Window(first=start, last=end - 1) for start, end in pairwise(starts)]


def slow_windows(plan: Plan, shot: Window) -> list[Window]:
    """The design's text, word for word."""
    width = plan.frames_per_window
    if plan.kind is PlanKind.REFERENCE:
        return [
            Window(first=start, last=min(start + width - 1, shot.last))
            for start in range(shot.first, shot.last + 1, width)
        ]
    if len(shot) <= width:
        return [shot]
    windows, start = [], shot.first
    while start + width - 1 <= shot.last:
        windows.append(Window(first=start, last=start + width - 1))
        start += width - plan.overlap
    if windows[-1].last < shot.last:
        windows.append(Window(first=shot.last - width + 1, last=shot.last))
    return windows


def fold(plan: Plan, frame: int) -> dict[Window, Fraction]:
    """The final weight of each window in a frame."""
    weights: dict[Window, Fraction] = {}
    for share in blends(plan, frame):
        weight = Fraction(share.numerator, share.denominator)
        weights = {window: old * (1 - weight) for window, old in weights.items()}
        weights[share.window] = weight
    return weights


@given(plans())
def test_the_grid_is_the_one_that_the_design_writes_out(plan: Plan):
    """Windows by index and windows by frame are those of the slow reference."""
    for shot in slow_shots(plan):
        windows = slow_windows(plan, shot)
        assert window_count(plan, shot) == len(windows)
        assert [window_at(plan, shot, index) for index in range(len(windows))] == windows
        for frame in shot.frames:
            covering = tuple(window for window in windows if frame in window)
            assert windows_covering(plan, frame) == covering


@given(plans(kinds=(PlanKind.SEAMLESS,)))
def test_every_window_is_full_length_unless_its_shot_is_shorter(plan: Plan):
    """No short windows, and none reaches over a cut."""
    for frame in frames_of(plan):
        shot = shot_of(plan, frame)
        for window in windows_covering(plan, frame):
            assert len(window) == min(plan.frames_per_window, len(shot))
            assert shot.first <= window.first <= window.last <= shot.last


@given(plans(kinds=(PlanKind.SEAMLESS,)))
def test_every_window_adds_something(plan: Plan):
    """Each window of a shot holds a frame that no earlier one holds."""
    for shot in slow_shots(plan):
        ends = [window_at(plan, shot, index).last for index in range(window_count(plan, shot))]
        assert ends == sorted(set(ends))


@given(plans())
def test_shots_are_what_lies_between_the_cuts(plan: Plan):
    """Each frame's shot is the one of the slow reference."""
    for shot in slow_shots(plan):
        assert {shot_of(plan, frame) for frame in shot.frames} == {shot}


@given(plans())
def test_the_fold_starts_whole_and_its_weights_sum_to_one(plan: Plan):
    """The first share is 1/1, every later one lies strictly between 0 and 1."""
    for frame in frames_of(plan):
        first, *rest = blends(plan, frame)
        assert (first.numerator, first.denominator) == (1, 1)
        assert all(0 < share.numerator < share.denominator for share in rest)
        assert sum(fold(plan, frame).values()) == 1


@given(plans())
def test_a_share_is_its_place_among_the_frames_shared_with_the_predecessor(plan: Plan):
    """Window k enters with (j + 1) / (L + 1) at position j of L shared frames."""
    for shot in slow_shots(plan):
        for before, window in pairwise(slow_windows(plan, shot)):
            shared = [frame for frame in window.frames if frame in before]
            for position, frame in enumerate(shared):
                share = next(item for item in blends(plan, frame) if item.window == window)
                assert (share.numerator, share.denominator) == (position + 1, len(shared) + 1)


@given(plans())
def test_needs_is_the_hull_of_the_covering_windows_and_bounded(plan: Plan):
    """It holds every covering window, and never 2W frames."""
    for frame in frames_of(plan):
        covering = windows_covering(plan, frame)
        extent = needs(plan, frame)
        assert extent.first == min(window.first for window in covering)
        assert extent.last == max(window.last for window in covering)
        assert len(extent) <= 2 * plan.frames_per_window - 1


@given(plans(), st.data())
def test_the_windows_of_a_range_do_not_depend_on_how_it_was_asked_for(
    plan: Plan, data: st.DataObject
):
    """A range asked whole, in parts or shuffled needs the same windows, each named once."""
    asked = data.draw(st.lists(st.sampled_from(frames_of(plan)), min_size=1, unique=True))
    split = data.draw(st.integers(0, len(asked)))
    whole = list(windows_for(plan, asked))
    parts = {*windows_for(plan, asked[:split]), *windows_for(plan, asked[split:])}
    named = (window for frame in asked for window in windows_covering(plan, frame))
    assert whole == list(dict.fromkeys(named))
    assert set(whole) == parts == set(windows_for(plan, sorted(asked)))


@given(plans())
def test_a_later_end_of_the_clip_leaves_the_grid_before_it_alone(plan: Plan):
    """The grid is anchored at the first frame: only what the old tail touched may change."""
    longer = Plan(
        first=plan.first,
        last=plan.last + 40,
        frames_per_window=plan.frames_per_window,
        overlap=plan.overlap,
        kind=plan.kind,
        cuts=plan.cuts,
    )
    for frame in range(plan.first, plan.last - plan.frames_per_window + 1):
        assert blends(plan, frame) == blends(longer, frame)


def test_many_cuts_in_a_long_clip_cost_little():
    """As many as a request may name: each frame's shot is found, not sought among all of them."""
    cuts = tuple(range(11, 100_001, 10))
    plan = Plan(first=1, last=100_000, frames_per_window=8, overlap=1, cuts=cuts)
    begun = time.process_time()
    windows = list(windows_for(plan, range(1, 20_001)))
    assert time.process_time() - begun < 5  # half a minute where all are gone through
    assert len(windows) == 4000


def test_a_plan_is_looked_up_without_going_through_its_cuts():
    """It is what windows are remembered by, for each frame; one of other cuts is another plan."""
    plan = Plan(first=1, last=20, frames_per_window=4, overlap=1, cuts=(5,))
    other = replace(plan, cuts=(5, 9))
    assert hash(plan) == hash(other)
    assert plan != other
    assert windows_covering(plan, 8) != windows_covering(other, 8)


def test_windows_come_in_the_order_of_first_need():
    """The frame under the playhead is served by the first window that is named."""
    plan = Plan(first=1, last=20, frames_per_window=8, overlap=1)
    first_frames = [window.first for window in windows_for(plan, [20, 1])]
    assert first_frames == [13, 1]


@pytest.mark.parametrize("frame", [0, 11])
def test_a_frame_outside_the_clip_is_refused_by_number(frame: int):
    """The error says the frame and its code says what is wrong."""
    plan = Plan(first=1, last=10, frames_per_window=4, overlap=1)
    for ask in (shot_of, windows_covering, blends, needs):
        with pytest.raises(InputError, match=f"Frame {frame} ") as caught:
            ask(plan, frame)
        assert (caught.value.code, caught.value.frame) == (ErrorCode.RANGE_OUTSIDE, frame)


@pytest.mark.parametrize(
    "values",
    [
        {"last": 0},
        {"cuts": (1,)},
        {"cuts": (11,)},
        {"cuts": (5, 5)},
        {"cuts": (6, 5)},
        {"overlap": 3},
        {"frames_per_window": 0},
    ],
)
def test_a_plan_that_exists_is_valid(values: dict[str, object]):
    """An empty extent, a cut out of place, or an overlap above half is refused when made."""
    good = {"first": 1, "last": 10, "frames_per_window": 4, "overlap": 1}
    with pytest.raises(SettingsError):
        Plan(**{**good, **values})


def test_a_plan_takes_an_artists_settings():
    """`Plan.of` carries every field that the grid depends on."""
    settings = WindowSettings(frames_per_window=6, overlap=2, plan=PlanKind.REFERENCE)
    plan = Plan.of(settings, first=3, last=30, cuts=[9])
    assert plan == Plan(
        first=3, last=30, frames_per_window=6, overlap=2, kind=PlanKind.REFERENCE, cuts=(9,)
    )


def test_the_vectors_are_what_the_plan_says():
    """The file that the C++ bridge reads is the plan's own output, to the letter."""
    assert make_windows.PATH.read_text(encoding="utf-8") == make_windows.document()


@pytest.mark.parametrize(
    "vector",
    json.loads(make_windows.PATH.read_text(encoding="utf-8"))["plans"],
    ids=lambda v: v["name"],
)
def test_the_vectors_agree_with_the_slow_reference(vector: dict):
    """What the vectors freeze was not only computed by the code that they test."""
    plan = make_windows.PLANS[vector["name"]]
    windows = [window for shot in slow_shots(plan) for window in slow_windows(plan, shot)]
    for entry in vector["frames"]:
        covering = [window for window in windows if entry["frame"] in window]
        assert [share[:2] for share in entry["blends"]] == [[w.first, w.last] for w in covering]
        (shot,) = [shot for shot in slow_shots(plan) if entry["frame"] in shot]
        first, last = covering[0].first - plan.reach, covering[-1].last + plan.reach
        assert entry["needs"] == [max(first, shot.first), min(last, shot.last)]


@given(plans(), st.integers(0, 4), st.data())
def test_a_reach_adds_frames_of_the_same_shot_and_moves_no_window(
    plan: Plan, reach: int, data: st.DataObject
):
    """Every window sees `reach` frames more on each side, as far as its shot has them."""
    wide = replace(plan, reach=reach)
    frame = data.draw(st.sampled_from(frames_of(plan)))
    assert blends(wide, frame) == blends(plan, frame)
    shot = shot_of(plan, frame)
    for window in windows_covering(wide, frame):
        seen = seen_by(wide, window)
        assert list(seen.frames) == [
            one for one in shot.frames if window.first - reach <= one <= window.last + reach
        ]
        assert seen.first >= needs(wide, frame).first
        assert seen.last <= needs(wide, frame).last


def test_auto_reaches_as_far_as_any_engine_that_it_may_become():
    """A host gives the frames of the preview engine where it cannot know which one will run."""
    assert EngineName.AUTO.reach == max(engine.reach for engine in EngineName) == 2
    assert EngineName.GVM.reach == 0
