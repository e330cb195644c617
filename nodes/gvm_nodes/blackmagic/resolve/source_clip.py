"""What a media pool clip is on disk: the pattern of its files, and the numbers of its frames.

A sequence keeps the numbers of its files, and so does a single image, which Resolve shows without
brackets; a movie's frames count from 1, as the server's do. Resolve's offsets count a clip's frames
from 0: they are an `index` here, never a `frame`. A rate is compared as a number; one that Resolve
does not say equals no other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gvm_client.errors import ErrorCode, InputError
from gvm_client.filenames import IMAGE_EXTENSIONS, MOVIE_EXTENSIONS, number_at_end
from gvm_nodes.core.clips import FrameRange

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem

_SEQUENCE = re.compile(r"(?P<head>.*)\[(?P<first>\d+)-(?P<last>\d+)\](?P<tail>[^/\\]*)", re.DOTALL)
_MOVIE_FIRST = 1
_UNNUMBERED = 1  # the frame of an image without a number, as the server counts it
_RATE = re.compile(r"\d+(\.\d+)?")  # "29.97 DF" is one too
_SAME_RATE = 0.01  # frames a second: 23.976 is 23.98, and not 24


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceClip:
    """A clip's media: a path or a pattern of `#`, and the frames that it has.

    A single image is a sequence of one frame, whose path has no pattern.
    """

    name: str
    path: str
    frames: FrameRange
    is_sequence: bool

    def part(self, index: int, count: int) -> FrameRange | None:
        """Return the frames of `count` positions from a 0-based one, as far as the clip has them.

        None where it has none of them. A single image is held as long as one likes.
        """
        if self.is_sequence and self.frames.first == self.frames.last:
            return self.frames
        first = max(self.frames.first + index, self.frames.first)
        last = min(self.frames.first + index + count - 1, self.frames.last)
        return FrameRange(first=first, last=last) if first <= last else None


def source_clip(item: MediaPoolItem) -> SourceClip:
    """Return what a media pool item is on disk.

    Raises:
        InputError: it has no media on disk (a compound clip, a timeline).
    """
    path = str(item.GetClipProperty("File Path") or "")
    if not path:
        raise InputError(
            f"{item.GetName()} has no media file.",
            remedy="Choose a clip of the media pool, or render this one to a file first.",
            code=ErrorCode.PLATE_MISSING,
        )
    is_movie = path.lower().endswith(MOVIE_EXTENSIONS)  # whatever its name ends with
    if not is_movie and (found := _SEQUENCE.fullmatch(path)):
        pattern = f"{found['head']}{'#' * len(found['first'])}{found['tail']}"
        frames = FrameRange(first=int(found["first"]), last=int(found["last"]))
        return SourceClip(name=item.GetName(), path=pattern, frames=frames, is_sequence=True)
    stem, _, extension = path.rpartition(".")
    if f".{extension.lower()}" in IMAGE_EXTENSIONS:
        number = int(number_at_end(re.split(r"[/\\]", stem)[-1]) or _UNNUMBERED)
        frames = FrameRange(first=number, last=number)
        return SourceClip(name=item.GetName(), path=path, frames=frames, is_sequence=True)
    frames = FrameRange(first=_MOVIE_FIRST, last=_MOVIE_FIRST + _frame_count(item, path) - 1)
    return SourceClip(name=item.GetName(), path=path, frames=frames, is_sequence=False)


def same_rate(item: MediaPoolItem, timeline_rate: object) -> bool:
    """Return whether a clip surely has a timeline's frame rate.

    Args:
        item: the clip.
        timeline_rate: frames a second, as the timeline's setting has them: text or a number.
    """
    ours, theirs = rate_of(item.GetClipProperty("FPS")), rate_of(timeline_rate)
    return ours is not None and theirs is not None and abs(ours - theirs) < _SAME_RATE


def rate_of(told: object) -> float | None:
    """Return the frames a second of a property or a setting; None where it says none."""
    found = _RATE.match(str(told or ""))
    return float(found[0]) if found else None


def joined_spans(spans: list[FrameRange]) -> list[FrameRange]:
    """Return the same frames as ascending spans that neither meet nor overlap."""
    whole: list[FrameRange] = []
    for span in sorted(spans, key=lambda span: span.first):
        if whole and span.first <= whole[-1].last + 1:
            whole[-1] = FrameRange(first=whole[-1].first, last=max(whole[-1].last, span.last))
        else:
            whole.append(span)
    return whole


def first_frames(spans: Iterable[FrameRange], count: int) -> Iterator[FrameRange]:
    """Yield the first so many frames of ascending spans; 0 means all."""
    left = count
    for span in spans:
        if not count:
            yield span
        elif left:
            cut = FrameRange(first=span.first, last=min(span.last, span.first + left - 1))
            left -= cut.last - cut.first + 1
            yield cut


def _frame_count(item: MediaPoolItem, path: str) -> int:
    text = str(item.GetClipProperty("Frames") or "")
    if not text.isdigit() or int(text) < 1:
        raise InputError(
            f"{item.GetName()} has {text or 'no'} frames, so Resolve says.",
            remedy="Choose a clip with pictures.",
            code=ErrorCode.PLATE_MISSING,
            path=path,
        )
    return int(text)
