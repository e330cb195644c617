"""Which frames of which media an artist means: by selection, marked range, render job or playhead.

A timeline item's frames are found from its left offset and its length, which count frames of the
timeline. Where one of them is not one of the media (a retimed item, another frame rate, a rate that
Resolve does not say), the whole media is meant. What is disabled, or lies on a disabled track, is
not matted.

A timeline's marks count from its start, or are its own numbers: documents and scripts differ, so
they are told apart by where they lie. Everything else has the timeline's own numbers. Titles and
generators have no media and are skipped, and so is, because Resolve says as much of it, a clip
whose start timecode was changed: `without_media` counts them. A compound clip is an error.

At the playhead Resolve names the topmost item, also a title, and none for some seconds after an
edit. Where that is no footage, the item is found by the playhead's timecode, from the highest track
down. A timecode is used only where the same reading of the timeline's start gives its first frame.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gvm_client.errors import ErrorCode, InputError
from gvm_nodes.blackmagic.resolve.source_clip import (
    SourceClip,
    first_frames,
    joined_spans,
    rate_of,
    same_rate,
    source_clip,
)
from gvm_nodes.core.clips import FrameRange

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, Project, Timeline, TimelineItem

_RETIMED_FRAMES = 1  # a source's end is rounded down, and now included, now not

LOOKS, LOOK_SECONDS = 6, 0.5

_TIMECODE = re.compile(r"(\d+):(\d+):(\d+)([:;])(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shot:
    """Frames of a media pool item."""

    item: MediaPoolItem
    clip: SourceClip
    frames: tuple[FrameRange, ...]
    """Ascending, none meets another."""

    @property
    def range_text(self) -> str:
        """The frames as a request has them."""
        return ",".join(str(span) for span in self.frames)

    def at_most(self, count: int) -> Shot:
        """Return the shot with the first so many of its frames; 0 means all."""
        return replace(self, frames=tuple(first_frames(self.frames, count)))


def selected(project: Project, pause: Callable[[float], None] = time.sleep) -> list[Shot]:
    """Return the clips that are selected in the media pool, each as far as it is marked.

    With no selection, the clip under the playhead.

    Args:
        project: whose media pool and timeline it is.
        pause: waits so many seconds, for a timeline that was just edited.

    Raises:
        InputError: there is neither, or a clip has no media.
    """
    items = project.GetMediaPool().GetSelectedClips() or []
    if items:
        return [_pool_shot(item) for item in items]
    timeline = project.GetCurrentTimeline()
    item = under_playhead(timeline, pause) if timeline else None
    shots = shots_of_media(seen_items(timeline, [item])) if timeline and item else []
    if not shots:
        raise InputError(
            "No clip is selected.",
            remedy="Select clips in the media pool, or put the playhead on one.",
            code=ErrorCode.PLATE_MISSING,
        )
    return shots


def marked(timeline: Timeline | None) -> list[Shot]:
    """Return what the timeline shows between its in and out marks.

    Raises:
        InputError: there is no timeline, no marked range or nothing in it, or its marks can mean
            two places.
    """
    span = marked_span(timeline)
    assert timeline  # noqa: S101 - it has marks
    shots = shots_of_media(seen_items(timeline, video_items(timeline), span))
    if not shots:
        raise InputError(
            f"Nothing lies in the marked range {span}.",
            remedy="Mark a range that has clips.",
            code=ErrorCode.RANGE_OUTSIDE,
        )
    return shots


def marked_span(timeline: Timeline | None) -> FrameRange:
    """Return what is marked, in the timeline's own numbers.

    Raises:
        InputError: nothing is, or it can mean two places.
    """
    marks = (timeline.GetMarkInOut() or {}).get("video") if timeline else None
    if not timeline or not marks or "in" not in marks or "out" not in marks:
        raise InputError(
            "No range is marked.",
            remedy="Mark an in and an out point on the timeline.",
            code=ErrorCode.RANGE_OUTSIDE,
        )
    return _own_numbers(timeline, int(marks["in"]), int(marks["out"]))


def without_media(timeline: Timeline, span: FrameRange | None) -> str:
    """Return a sentence about items of a span that have no media; "" where all have."""
    shown = [item for item in video_items(timeline) if _part(item, span)]
    count = len([item for item in shown if not item.GetMediaPoolItem()])
    if not count:
        return ""
    have = "1 item has" if count == 1 else f"{count} items have"
    return f"{have} no media, so Resolve says: titles, or clips whose start timecode was changed."


def video_items(timeline: Timeline) -> Iterator[TimelineItem]:
    """Yield what is switched on of a timeline's video tracks, from the lowest track up."""
    for track in range(1, timeline.GetTrackCount("video") + 1):
        if timeline.GetIsTrackEnabled("video", track):
            for item in timeline.GetItemListInTrack("video", track) or []:
                if item.GetClipEnabled():
                    yield item


def seen_items(
    timeline: Timeline, items: Iterable[TimelineItem], span: FrameRange | None = None
) -> Iterator[tuple[MediaPoolItem, SourceClip, FrameRange]]:
    """Yield the media and frames that items of a timeline show within a span; None is all of it.

    Raises:
        InputError: an item in the span is a compound clip.
    """
    rate = timeline.GetSetting("timelineFrameRate")
    for item in items:
        media, part = item.GetMediaPoolItem(), _part(item, span)
        if not media or not part:
            continue
        clip = source_clip(media)
        index = int(item.GetLeftOffset(False)) + part.first - int(item.GetStart(False))
        whole = _is_retimed(item) or not same_rate(media, rate)
        frames = clip.frames if whole else clip.part(index, part.last - part.first + 1)
        if frames:
            yield media, clip, frames


def shots_of_media(seen: Iterable[tuple[MediaPoolItem, SourceClip, FrameRange]]) -> list[Shot]:
    """Return one shot for each media, however often the timeline shows it."""
    found: dict[SourceClip, tuple[MediaPoolItem, list[FrameRange]]] = {}
    for item, clip, span in seen:
        found.setdefault(clip, (item, []))[1].append(span)
    return [
        Shot(item=item, clip=clip, frames=tuple(joined_spans(spans)))
        for clip, (item, spans) in found.items()
    ]


def _part(item: TimelineItem, span: FrameRange | None) -> FrameRange | None:
    """Return where an item lies within a span of its timeline; None where it does not."""
    start, length = int(item.GetStart(False)), int(item.GetDuration(False))
    first = max(start, span.first) if span else start
    last = min(start + length - 1, span.last) if span else start + length - 1
    return FrameRange(first, last) if first <= last else None


def _own_numbers(timeline: Timeline, mark_in: int, mark_out: int) -> FrameRange:
    """Return what marks mean in the timeline's own numbers.

    Raises:
        InputError: the timeline is longer than its first frame's number, and both can be meant.
    """
    start, end = timeline.GetStartFrame(), timeline.GetEndFrame()
    relative = FrameRange(first=start + mark_in, last=start + mark_out)
    if mark_in < start or start == 0:
        return relative
    if relative.first > end:
        return FrameRange(first=mark_in, last=mark_out)
    raise InputError(
        f"The marks {mark_in}-{mark_out} may count from the timeline's start, frame {start}, or be"
        f" its own numbers; it has both, up to frame {end}.",
        remedy="Set the timeline's start timecode to 00:00:00:00, or select clips instead.",
        code=ErrorCode.RANGE_OUTSIDE,
    )


def _pool_shot(item: MediaPoolItem) -> Shot:
    clip = source_clip(item)
    marks = (item.GetMarkInOut() or {}).get("video")
    frames: FrameRange | None = clip.frames
    if marks and "in" in marks and "out" in marks:
        frames = clip.part(marks["in"], marks["out"] - marks["in"] + 1)
    if not frames:
        raise InputError(
            f"The marked range of {clip.name} has none of its frames {clip.frames}.",
            remedy="Mark a range inside the clip.",
            code=ErrorCode.RANGE_OUTSIDE,
            path=clip.path,
        )
    return Shot(item=item, clip=clip, frames=(frames,))


def _is_retimed(item: TimelineItem) -> bool:
    source = item.GetSourceEndFrame() - item.GetSourceStartFrame()
    return abs(source - int(item.GetDuration(False))) > _RETIMED_FRAMES


def under_playhead(timeline: Timeline, pause: Callable[[float], None]) -> TimelineItem | None:
    """Return the footage under the playhead; None where there is none for some seconds.

    Args:
        timeline: whose playhead it is.
        pause: waits so many seconds.
    """
    for look in range(LOOKS):
        if look:
            pause(LOOK_SECONDS)
        item: TimelineItem | None = timeline.GetCurrentVideoItem()
        if item and item.GetMediaPoolItem():
            return item
        if below := _footage_at(timeline):
            return below
    return None


def frame_of(timecode: str, rate: float) -> int | None:
    """Return a timecode's frame, counted from 00:00:00:00; a semicolon means drop frames.

    None for what is no timecode.
    """
    found = _TIMECODE.fullmatch(timecode)
    if not found:
        return None
    nominal, minutes = round(rate), 60 * int(found[1]) + int(found[2])
    frame = (60 * minutes + int(found[3])) * nominal + int(found[5])
    dropped = nominal // 15 if found[4] == ";" else 0  # in each minute but every tenth
    return frame - dropped * (minutes - minutes // 10)


def _footage_at(timeline: Timeline) -> TimelineItem | None:
    rate = rate_of(timeline.GetSetting("timelineFrameRate"))
    if (
        rate is None
        or frame_of(timeline.GetStartTimecode() or "", rate) != timeline.GetStartFrame()
    ):
        return None
    frame = frame_of(timeline.GetCurrentTimecode() or "", rate)
    if frame is None:
        return None
    for track in range(timeline.GetTrackCount("video"), 0, -1):
        if not timeline.GetIsTrackEnabled("video", track):
            continue
        for item in timeline.GetItemListInTrack("video", track) or []:
            start = int(item.GetStart(False))
            is_there = start <= frame < start + int(item.GetDuration(False))
            if is_there and item.GetClipEnabled() and item.GetMediaPoolItem():
                return item
    return None
