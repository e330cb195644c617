"""The clip under the playhead: footage, not the title above it.

Laws:
1. Resolve names the topmost item, also a title, and for some seconds after an edit none. Where
   that is no footage, the item is found by the playhead's timecode, from the highest track down.
2. A timecode is used only where the same reading of the timeline's start gives its first frame.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from gvm_nodes.resolve.media import rate_of

if TYPE_CHECKING:
    from fusionscript import Timeline, TimelineItem

LOOKS, LOOK_SECONDS = 6, 0.5

_TIMECODE = re.compile(r"(\d+):(\d+):(\d+)([:;])(\d+)")


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
