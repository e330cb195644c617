"""Loaders: which files one plays when, and a Loader of a plate's alphas.

A sequence keeps the numbers of its files; a movie's frames count from 1, as the server's do. A held
frame is one file at several times. Of a clip that is reversed or looped, all that its trims leave
is meant.

Alphas play where the plate plays, with its trims and holds, and only the composition's render range
is made. A Loader that a script made keeps its `AlphaSpec`, and is used again for the same files;
made with other settings, the spec is the new one in every Loader of these files. What a script adds
is one step of undo, also where it ends early. A Loader is given its clip again when its files were
made: whether Fusion sees by itself that files of one name have changed is documented nowhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from gvm_client.errors import ErrorCode, InputError, ServerError
from gvm_client.filenames import CLIP_EXTENSIONS
from gvm_client.settings import Priority
from gvm_client.text import counted
from gvm_nodes.blackmagic.alpha_spec import AlphaSpec, refuse_conflicts
from gvm_nodes.blackmagic.frontend import Frontend, announce_each
from gvm_nodes.blackmagic.fusion.composition import (
    Composition,
    Tool,
    loaders,
    render_range,
    undo_step,
)
from gvm_nodes.core.clips import FrameRange, frame_path
from gvm_nodes.core.settings import MatteOptions

_MOVIE_FIRST = 1
_NUMBER = re.compile(r"\d+(?=\.[^.]+\Z)")

OPENFX_TOOL = "ofx.org.gvmbridge.matte"
SPEC_KEY = "gvm.recipe"
AS_FROM_THE_TOOLBAR = -32768  # Fusion's own word for: beside the active tool, and connected to it


@dataclass(frozen=True, kw_only=True, slots=True)
class LoaderClip:
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
    disk: FrameRange | None
    frames: FrameRange
    times: FrameRange
    hold_first: int = 0
    hold_last: int = 0
    reverse: bool = False
    loop: bool = False


def loader_clip(comp: Composition, loader: Tool) -> LoaderClip:
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
    return LoaderClip(
        path=_NUMBER.sub(lambda found: "#" * len(found[0]), path) if disk else path,
        disk=disk,
        frames=FrameRange(begins + trim_in, begins + trim_out),
        times=FrameRange(
            _number(attributes, "TOOLNT_Clip_Start"), _number(attributes, "TOOLNT_Clip_End")
        ),
        hold_first=_number(attributes, "TOOLIT_Clip_ExtendFirst"),
        hold_last=_number(attributes, "TOOLIT_Clip_ExtendLast"),
        reverse=bool(_clip(attributes, "TOOLBT_Clip_Reverse")),
        loop=bool(_clip(attributes, "TOOLBT_Clip_Loop")),
    )


def within_times(whole: LoaderClip, times: FrameRange) -> LoaderClip | None:
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
        frames=FrameRange(whole.frames.first + early, whole.frames.first + late),
        times=FrameRange(first, last),
        hold_first=hold_first,
        hold_last=held - hold_first,
    )


def first_files(whole: LoaderClip, count: int) -> LoaderClip:
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
        frames=FrameRange(frames.first, frames.first + count - 1),
        times=FrameRange(whole.times.first, whole.times.first + whole.hold_first + count - 1),
        hold_last=0,
    )


def clip_name(attributes: Mapping[str, Any]) -> str:
    """Return the file that a Loader's clip is named by, path maps and all; "" without a clip."""
    return str(_clip(attributes, "TOOLST_Clip_Name") or "")


def first_on_disk(attributes: Mapping[str, Any]) -> int:
    """Return the number of the first file of a Loader's sequence."""
    start = _number(attributes, "TOOLIT_Clip_StartFrame")
    return _number(attributes, "TOOLIT_Clip_InitialFrame", start)


def start_time(attributes: Mapping[str, Any]) -> int:
    """Return when a Loader's clip begins in the composition."""
    return _number(attributes, "TOOLNT_Clip_Start")


def _on_disk(path: str, attributes: Mapping[str, Any]) -> FrameRange | None:
    if PurePath(path).suffix.lower() in CLIP_EXTENSIONS or not _NUMBER.search(path):
        return None
    first = first_on_disk(attributes)
    return FrameRange(first, first + _number(attributes, "TOOLIT_Clip_Length", 1) - 1)


def _number(attributes: Mapping[str, Any], name: str, default: int = 0) -> int:
    value = _clip(attributes, name)
    return default if value is None else int(value)


def _clip(attributes: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - tables hold anything
    """Return an attribute of a Loader's first clip; None where it is not there."""
    return (attributes.get(name) or {}).get(1)


def place_tool(comp: Composition) -> Tool:
    """Put the OpenFX tool behind the active tool, as one step of undo.

    Raises:
        ServerError: Fusion has no such tool.
    """
    with undo_step(comp, "Add GVM Matte"):
        return _added(comp, OPENFX_TOOL, "Install the plug-in with `gvm install ofx`.")


def load_alphas(comp: Composition, options: MatteOptions, frontend: Frontend) -> list[Tool]:
    """Matte what the selected Loaders show in the render range, and add a Loader of each alpha.

    Raises:
        InputError: no Loader is selected, or it shows nothing in the range.
        GvmError: a job failed; the Loaders before it are there.
    """
    plates = loaders(comp, selected=True)
    if not plates:
        raise InputError(
            "No Loader is selected.",
            remedy="Select the Loader of the plate; for any other tool use the GVM Matte tool.",
            code=ErrorCode.PLATE_MISSING,
        )
    clips = [_spec_and_clip(comp, plate, options) for plate in plates]
    refuse_conflicts((spec for spec, _ in clips), existing=map(_spec_text, loaders(comp)))
    made: list[tuple[AlphaSpec, LoaderClip]] = []
    try:
        for spec, clip in announce_each(frontend, clips):
            frontend.make(spec, str(clip.frames), Priority.RANGE)
            made.append((spec, clip))
    finally:
        added = _load(comp, made)
    return added


def reload_files(comp: Composition, alphas: Sequence[Tool]) -> None:
    """Have Loaders of alphas read their files again, as one step of undo; they play as before."""
    if not alphas:
        return
    with undo_step(comp, "Read GVM Alphas Again"):
        for loader in alphas:
            _play(loader, loader_clip(comp, loader), clip_name(loader.GetAttrs()))


def spec_of(loader: Tool) -> AlphaSpec | None:
    """Return how a Loader's alphas were made; None for any other Loader.

    Raises:
        SettingsError: what it keeps is damaged.
    """
    text = _spec_text(loader)
    return AlphaSpec.from_text(text) if text else None


def _spec_and_clip(
    comp: Composition, plate: Tool, options: MatteOptions
) -> tuple[AlphaSpec, LoaderClip]:
    whole, times = loader_clip(comp, plate), render_range(comp)
    clip = within_times(whole, times)
    if clip is None:
        raise InputError(
            f"{whole.path} plays at {whole.times}, outside of the render range {times}.",
            remedy="Set the composition's render range over it.",
            code=ErrorCode.RANGE_OUTSIDE,
            path=whole.path,
        )
    first, last = whole.disk or (None, None)
    spec = AlphaSpec(plate=whole.path, first=first, last=last, options=options)
    return spec, first_files(clip, spec.max_frames)


def _load(comp: Composition, made: Sequence[tuple[AlphaSpec, LoaderClip]]) -> list[Tool]:
    if not made:
        return []
    with undo_step(comp, "Load GVM Alphas"):
        return [_loader_of_alphas(comp, spec, clip) for spec, clip in made]


def _loader_of_alphas(comp: Composition, spec: AlphaSpec, clip: LoaderClip) -> Tool:
    """Return the Loader of a spec's alphas, playing as the plate does."""
    existing = [one for one in loaders(comp) if spec.is_of_same_files(_spec_text(one))]
    loader = existing[0] if existing else _added(comp, "Loader", "Ask again.")
    _play(loader, clip, frame_path(spec.alphas, clip.frames.first).as_posix())
    for copy in existing[1:]:  # the artist's copies of it show the same new files
        if file := clip_name(copy.GetAttrs()):
            _play(copy, loader_clip(comp, copy), file)
    for one in (loader, *existing):
        one.SetData(SPEC_KEY, spec.to_text())
    return loader


def _play(loader: Tool, clip: LoaderClip, file: str) -> None:
    """Have a Loader read its files anew, whether or not it had them, and play them so.

    The order is Fusion's: a clip, also the same one, sets everything else anew, the clip's
    beginning cannot pass its end, and moving it changes the trims and the holds.
    """
    loader.SetInput("Clip", file)
    attributes = loader.GetAttrs()
    ends = [("GlobalIn", clip.times.first), ("GlobalOut", clip.times.last)]
    moves_right = clip.times.first > start_time(attributes)
    for name, time in reversed(ends) if moves_right else ends:
        loader.SetInput(name, time)
    # The folder may hold earlier frames, and then the clip begins with those.
    begins = first_on_disk(attributes)
    loader.SetInput("ClipTimeStart", clip.frames.first - begins)
    loader.SetInput("ClipTimeEnd", clip.frames.last - begins)
    loader.SetInput("HoldFirstFrame", clip.hold_first)
    loader.SetInput("HoldLastFrame", clip.hold_last)
    loader.SetInput("Reverse", int(clip.reverse))
    loader.SetInput("Loop", int(clip.loop))


def _spec_text(loader: Tool) -> str:
    return str(loader.GetData(SPEC_KEY) or "")


def _added(comp: Composition, kind: str, remedy: str) -> Tool:
    tool = comp.AddTool(kind, AS_FROM_THE_TOOLBAR, AS_FROM_THE_TOOLBAR)
    if tool is None:
        raise ServerError(
            f"Fusion has no tool {kind}.", remedy=remedy, code=ErrorCode.SERVER_START_FAILED
        )
    return tool
