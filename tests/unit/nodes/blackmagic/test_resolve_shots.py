"""Which frames of which files an artist means in Resolve."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, InputError
from gvm_nodes.blackmagic.resolve.shots import frame_of, marked, selected, without_media
from gvm_nodes.blackmagic.resolve.source_clip import first_frames, joined_spans, source_clip
from gvm_nodes.core.clips import FrameRange
from tests.fakes.resolve import MediaPoolItem, Project, Timeline, TimelineItem

START = 86400  # one hour at 24 frames a second: where timelines begin


def plate() -> MediaPoolItem:
    """Return a sequence of a hundred frames from 1001."""
    return MediaPoolItem("/p/a.[1001-1100].exr")


def shown(*items: TimelineItem, marks: tuple[int, int] | None = None) -> Timeline:
    """Return a timeline with one track."""
    both = {"in": marks[0], "out": marks[1]} if marks else {}
    return Timeline("Cut", [list(items)], marks=both)


def test_a_sequence_keeps_the_numbers_of_its_files():
    """Resolve shows its range in brackets; the digits are the padding."""
    clip = source_clip(MediaPoolItem("/p/a_[0098-0101]_v2.exr"))
    assert (clip.path, clip.frames) == ("/p/a_####_v2.exr", FrameRange(first=98, last=101))


@pytest.mark.parametrize("path", ["/p/a.mov", "/p/a.[1001-1024].mov", "C:\\p\\a[1-2].MP4"])
def test_a_movie_counts_from_one(path):
    """As the server counts a movie's frames; Resolve names renders of sequences after these."""
    clip = source_clip(MediaPoolItem(path, frames=24))
    assert (clip.path, clip.frames) == (path, FrameRange(first=1, last=24))
    assert not clip.is_sequence


@pytest.mark.parametrize(
    ("path", "frame"),
    [("/p/a.1001.exr", 1001), ("/p/a_0007.DPX", 7), ("/p/still.png", 1), ("C:\\p\\12.tif", 12)],
)
def test_a_single_image_is_its_own_frame(path, frame):
    """Resolve shows no brackets then: it is no movie whose only frame is 1."""
    clip = source_clip(MediaPoolItem(path, frames=1))
    assert (clip.path, clip.frames, clip.is_sequence) == (path, FrameRange(frame, frame), True)


def test_a_single_image_is_shown_wherever_it_is_held():
    """Its offset is into handles that Resolve invents."""
    still = MediaPoolItem("/p/a.1001.exr", frames=1)
    (shot,) = marked(shown(TimelineItem(still, START, 120, offset=43200), marks=(0, 99)))
    assert shot.range_text == "1001-1001"


@pytest.mark.parametrize("item", [MediaPoolItem(""), MediaPoolItem("/p/sound.wav")])
def test_a_clip_without_pictures_on_disk_is_refused(item):
    """A compound clip, or a sound."""
    with pytest.raises(InputError) as caught:
        source_clip(item)
    assert caught.value.code is ErrorCode.PLATE_MISSING
    assert caught.value.remedy


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 8))))
def test_joined_spans_hold_the_same_frames_and_never_meet(pairs):
    """Whatever the order and the overlaps."""
    spans = [FrameRange(first=first, last=first + more) for first, more in pairs]
    whole = joined_spans(spans)
    assert frames(whole) == sorted(set(frames(spans)))
    assert all(a.last + 1 < b.first for a, b in pairwise(whole))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 8))), st.integers(0, 30))
def test_the_first_frames_of_spans_are_that_many_at_most(pairs, count):
    """In order; 0 means all."""
    spans, begin = [], 0
    for gap, more in pairs:
        spans.append(FrameRange(first=begin + gap, last=begin + gap + more))
        begin = spans[-1].last + 1
    expected = frames(spans)[: count or None]
    assert frames(list(first_frames(spans, count))) == expected


def test_selected_clips_are_matted_whole_or_as_far_as_they_are_marked():
    """Marks of a clip count from its first frame."""
    project = Project()
    whole, part = plate(), MediaPoolItem("/p/b.mov", frames=50, marks={"in": 10, "out": 19})
    project.pool.selection = [whole, part]
    assert [shot.range_text for shot in selected(project)] == ["1001-1100", "11-20"]


def test_a_clip_marked_outside_its_frames_is_refused():
    """Nothing would be matted."""
    project = Project()
    project.pool.selection = [MediaPoolItem("/p/b.mov", frames=5, marks={"in": 9, "out": 12})]
    with pytest.raises(InputError, match="none of its frames 1-5"):
        selected(project)


def test_with_nothing_selected_the_clip_under_the_playhead_is_meant():
    """As far as the timeline shows it."""
    timeline = shown(item := TimelineItem(plate(), START, 20, offset=5))
    timeline.playhead = item
    assert [shot.range_text for shot in selected(Project(timeline))] == ["1006-1025"]


def test_a_timeline_that_was_just_edited_is_asked_again():
    """For some seconds Resolve does not say what is under the playhead."""
    waited: list[float] = []
    timeline = shown(item := TimelineItem(plate(), START, 20, offset=5))
    timeline.playhead, timeline.edited = item, 3
    (shot,) = selected(Project(timeline), waited.append)
    assert shot.range_text == "1006-1025"
    assert len(waited) == 3


@pytest.mark.parametrize("named", [True, False])
def test_under_a_title_the_footage_is_meant(named):
    """From the highest track down, of what is switched on; also where Resolve names nothing."""
    title = TimelineItem(None, START, 50)
    other, footage = (MediaPoolItem(f"/p/{name}.mov", frames=90) for name in ("b", "c"))
    timeline = shown(TimelineItem(plate(), START, 50))
    timeline.tracks += [
        [TimelineItem(other, START, 10), TimelineItem(footage, START + 10, 40)],
        [TimelineItem(MediaPoolItem("/p/off.mov", frames=90), START, 50, enabled=False)],
        [title],
    ]
    timeline.playhead = title if named else None
    timeline.timecode = "01:00:00:10"
    (shot,) = selected(Project(timeline), never)
    assert (shot.item, shot.range_text) == (footage, "1-40")


def test_a_timecode_that_cannot_be_trusted_is_not_used():
    """Its timeline's start would lie at another frame: no clip is better than a wrong one."""
    timeline = shown(TimelineItem(plate(), START, 50))
    timeline.timecode, timeline.start_timecode = "02:00:00:10", "02:00:00:00"
    with pytest.raises(InputError, match="No clip is selected"):
        selected(Project(timeline), lambda _: None)


@pytest.mark.parametrize(
    ("timecode", "rate", "frame"),
    [
        ("01:00:00:00", 24.0, 86400),
        ("01:00:00:00", 23.976, 86400),
        ("00:00:59;29", 29.97, 1799),
        ("00:01:00;02", 29.97, 1800),
        ("00:10:00;00", 29.97, 17982),
        ("01:00:00;00", 29.97, 107892),
        ("00:01:00;04", 59.94, 3600),
        ("01:00:00:00", 29.97, 108000),
        ("", 24.0, None),
        ("86400", 24.0, None),
    ],
)
def test_a_timecode_s_frame(timecode, rate, frame):
    """Drop frames leave out numbers, no frames."""
    assert frame_of(timecode, rate) == frame


@pytest.mark.parametrize("project", [Project(), Project(shown())])
def test_no_selection_and_no_playhead_is_an_error(project):
    """With a remedy, and no matte of everything."""
    with pytest.raises(InputError, match="No clip is selected"):
        selected(project, lambda _: None)


@pytest.mark.parametrize("absolute", [False, True])
@pytest.mark.parametrize("start", [0, START, 90000])
def test_a_marked_range_is_cut_to_what_each_clip_shows(start, absolute):
    """Whether marks count from the timeline's start or are its own numbers."""
    first = TimelineItem(plate(), start + 100, 10, offset=20)
    second = TimelineItem(MediaPoolItem("/p/b.mov", frames=90), start + 110, 10, offset=3)
    timeline = shown(first, second, marks=(108, 111))
    timeline.start, timeline.marks_are_absolute = start, absolute
    assert [(shot.clip.path, shot.range_text) for shot in marked(timeline)] == [
        ("/p/a.####.exr", "1029-1030"),
        ("/p/b.mov", "4-5"),
    ]


@pytest.mark.parametrize(("absolute", "mark"), [(False, 90008), (True, 3608)])
def test_marks_that_can_mean_two_places_are_refused(absolute, mark):
    """On a timeline that is longer than the number of its first frame; never the wrong range."""
    items = [TimelineItem(plate(), START + at, 10) for at in (mark, 90000)]
    timeline = shown(*items, marks=(mark, mark + 3))
    timeline.marks_are_absolute = absolute
    with pytest.raises(InputError, match="may count from the timeline's start") as caught:
        marked(timeline)
    assert "00:00:00:00" in caught.value.remedy


def test_media_that_is_shown_twice_is_one_shot():
    """Of the frames of both, those that are shown twice once."""
    media = plate()
    items = [TimelineItem(media, START + at, 10, offset=at // 2) for at in (0, 10, 60)]
    (shot,) = marked(shown(*items, marks=(0, 99)))
    assert shot.range_text == "1001-1015,1031-1040"


def test_of_a_retimed_clip_the_whole_media_is_matted():
    """Its offsets count no frames of the media."""
    item = TimelineItem(plate(), START, 10, offset=20, speed=2.0)
    (shot,) = marked(shown(item, marks=(0, 9)))
    assert shot.range_text == "1001-1100"


@pytest.mark.parametrize(
    ("media", "timeline"),
    [
        ("23.976", "24"),  # span and length agree to a frame, and the offset of 20100 is off by 20
        ("29.97", 30.0),
        ("50", "25"),
        ("", "24"),
        ("24", ""),
    ],
)
def test_of_a_clip_with_another_frame_rate_the_whole_media_is_matted(media, timeline):
    """Its offset counts frames of the timeline, which are not the media's."""
    clip = MediaPoolItem("/p/a.mov", frames=30000, fps=media)
    rate = str(timeline) or "24"
    cut = shown(TimelineItem(clip, START, 20, offset=20100, timeline_fps=rate), marks=(0, 19))
    cut.fps = timeline
    (shot,) = marked(cut)
    assert shot.range_text == "1-30000"


@pytest.mark.parametrize(
    ("media", "timeline"),
    [("23.976", 23.976), ("23.98", "23.976"), ("29.97", "29.97 DF"), ("24.0", "24"), ("24", 24.0)],
)
def test_one_frame_rate_may_be_written_in_several_ways(media, timeline):
    """As text or as a number, with a word for drop frames."""
    clip = MediaPoolItem("/p/a.mov", frames=30000, fps=media)
    cut = shown(TimelineItem(clip, START, 20, offset=20000, timeline_fps=media), marks=(0, 19))
    cut.fps = timeline
    (shot,) = marked(cut)
    assert shot.range_text == "20001-20020"


def test_what_is_switched_off_and_what_is_a_title_is_passed_over():
    """A disabled clip, a disabled track, a generator without media."""
    seen = TimelineItem(plate(), START, 5)
    timeline = shown(
        seen,
        TimelineItem(MediaPoolItem("/p/off.mov", frames=9), START, 5, enabled=False),
        TimelineItem(None, START, 5),
        marks=(0, 4),
    )
    timeline.tracks.append([TimelineItem(MediaPoolItem("/p/hidden.mov", frames=9), START, 5)])
    timeline.disabled = {2}
    assert [shot.item for shot in marked(timeline)] == [seen.media]
    assert without_media(timeline, FrameRange(START, START + 4)).startswith("1 item has no media")
    assert without_media(timeline, FrameRange(START + 5, START + 9)) == ""


@pytest.mark.parametrize("timeline", [None, shown(), shown(marks=(3, 9))])
def test_no_marked_range_or_nothing_in_it_is_an_error(timeline):
    """Never a matte of the whole timeline."""
    with pytest.raises(InputError) as caught:
        marked(timeline)
    assert caught.value.code is ErrorCode.RANGE_OUTSIDE


def never(seconds: float) -> None:
    """Nothing is waited for."""
    raise AssertionError(seconds)


def frames(spans: list[FrameRange]) -> list[int]:
    """Return every frame of spans."""
    return [frame for span in spans for frame in range(span.first, span.last + 1)]
