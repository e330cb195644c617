"""Which files a Loader plays when: its trims, its holds and its place in the composition.

Laws:
1. A sequence keeps the numbers of its files; a movie's frames count from 1, as the server's do.
2. A held frame is one file at several times.
3. Of a clip that is reversed or looped, all that its trims leave is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from gvm_client.errors import ErrorCode, InputError
from gvm_client.filenames import CLIP_EXTENSIONS
from gvm_client.text import counted
from gvm_nodes.fusion.comp import Composition, Tool
from gvm_nodes.span import Span

_MOVIE_FIRST = 1
_NUMBER = re.compile(r"\d+(?=\.[^.]+\Z)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Played:
    """Files as a Loader plays them.

    Attributes:
        path: of a movie, or the pattern of a sequence.
        disk: the sequence's first and last frame on disk; None for a movie.
        frames: the files that are played, by their numbers.
        times: when, in the composition, they are played, the held ones included.
        hold_first: how many times more the first file is played.
        hold_last: how many times more the last file is played.
        reverse: whether they are played backwards.
        loop: whether they are played again after their end.
    """

    path: str
    disk: Span | None
    frames: Span
    times: Span
    hold_first: int = 0
    hold_last: int = 0
    reverse: bool = False
    loop: bool = False


def played(comp: Composition, loader: Tool) -> Played:
    """Return what a Loader plays, wherever the render range is.

    Raises:
        InputError: it has no clip.
    """
    attributes = loader.GetAttrs()
    path = comp.MapPath(clip_name(attributes))
    if not path:
        raise InputError(
            "The selected Loader has no clip.",
            remedy="Choose its file first.",
            code=ErrorCode.PLATE_MISSING,
        )
    disk = _on_disk(path, attributes)
    begins = disk.first if disk else _MOVIE_FIRST
    trim_in = _number(attributes, "TOOLIT_Clip_TrimIn")
    trim_out = _number(
        attributes, "TOOLIT_Clip_TrimOut", _number(attributes, "TOOLIT_Clip_Length", 1) - 1
    )
    return Played(
        path=_NUMBER.sub(lambda found: "#" * len(found[0]), path) if disk else path,
        disk=disk,
        frames=Span(begins + trim_in, begins + trim_out),
        times=Span(
            _number(attributes, "TOOLNT_Clip_Start"), _number(attributes, "TOOLNT_Clip_End")
        ),
        hold_first=_number(attributes, "TOOLIT_Clip_ExtendFirst"),
        hold_last=_number(attributes, "TOOLIT_Clip_ExtendLast"),
        reverse=bool(_clip(attributes, "TOOLBT_Clip_Reverse")),
        loop=bool(_clip(attributes, "TOOLBT_Clip_Loop")),
    )


def within(whole: Played, times: Span) -> Played | None:
    """Return what of it is played within some times; None for nothing."""
    first, last = max(whole.times.first, times.first), min(whole.times.last, times.last)
    if first > last:
        return None
    if whole.reverse or whole.loop:
        return whole
    begins = whole.times.first + whole.hold_first  # when the first file is played for itself
    length = whole.frames.last - whole.frames.first
    early, late = (min(max(time - begins, 0), length) for time in (first, last))
    held = last - first - (late - early)  # times that are more than there are files
    hold_first = min(max(begins - first, 0), held)
    return replace(
        whole,
        frames=Span(whole.frames.first + early, whole.frames.first + late),
        times=Span(first, last),
        hold_first=hold_first,
        hold_last=held - hold_first,
    )


def at_most(whole: Played, count: int) -> Played:
    """Return the first so many files of it, without what is held after them; 0 means all.

    Raises:
        InputError: it is reversed or looped, and has more.
    """
    frames = whole.frames
    if not count or frames.last - frames.first < count:
        return whole
    if whole.reverse or whole.loop:
        raise InputError(
            f"{whole.path} is reversed or looped, and the preset makes {counted(count, 'frame')}"
            " only.",
            remedy="Choose another preset.",
            code=ErrorCode.RANGE_OUTSIDE,
            path=whole.path,
        )
    return replace(
        whole,
        frames=Span(frames.first, frames.first + count - 1),
        times=Span(whole.times.first, whole.times.first + whole.hold_first + count - 1),
        hold_last=0,
    )


def clip_name(attributes: Mapping[str, Any]) -> str:
    """Return the file that a Loader's clip is named by, path maps and all; "" without a clip."""
    return str(_clip(attributes, "TOOLST_Clip_Name") or "")


def first_on_disk(attributes: Mapping[str, Any]) -> int:
    """Return the number of the first file of a Loader's sequence."""
    start = _number(attributes, "TOOLIT_Clip_StartFrame")
    return _number(attributes, "TOOLIT_Clip_InitialFrame", start)


def starts_at(attributes: Mapping[str, Any]) -> int:
    """Return when a Loader's clip begins in the composition."""
    return _number(attributes, "TOOLNT_Clip_Start")


def _on_disk(path: str, attributes: Mapping[str, Any]) -> Span | None:
    if PurePath(path).suffix.lower() in CLIP_EXTENSIONS or not _NUMBER.search(path):
        return None
    first = first_on_disk(attributes)
    return Span(first, first + _number(attributes, "TOOLIT_Clip_Length", 1) - 1)


def _number(attributes: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = _clip(attributes, name)
    return default if value is None else int(value)


def _clip(attributes: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - tables hold anything
    """Return an attribute of a Loader's first clip; None where it is not there."""
    return (attributes.get(name) or {}).get(1)
