"""From a node's knobs to a request.

Law: reading a knob contacts nobody; a value out of its range is an error with a remedy.
"""

from __future__ import annotations

from collections.abc import Iterable

import nuke

from gvm_client.errors import SettingsError
from gvm_client.protocol.messages import EngineName, FileOutput, FilePlate, Matte
from gvm_client.settings import (
    AUTO_PRESET,
    DEFAULT_PRESET,
    MatteKnobs,
    Missing,
    ModelSettings,
    Priority,
    WindowSettings,
    window_settings,
)
from gvm_client.windows import Plan, windows_for
from gvm_nodes.frame_range import format_frames, parse_frames
from gvm_nodes.nuke.group import node_id
from gvm_nodes.nuke.knobs import LEVELS, WINDOW, value
from gvm_nodes.nuke.plate import extent, plain_path, source
from gvm_nodes.outputs import output_pattern
from gvm_nodes.recipe import NO_JOB, named

_WRITTEN = "{dir}/mattes/plates/{id}/plate.%04d.exr"


def request(
    node: nuke.Node,
    frames: Iterable[int],
    *,
    priority: Priority = Priority.RANGE,
    playhead: int | None = None,
) -> Matte:
    """Return the request for some frames of a node's plate, under its job's name.

    Raises:
        GvmError: a knob's value cannot be used, or nothing is connected.
    """
    clip, plain = extent(node), plain_path(node)
    colourspace = str(value(node, "ocio_colourspace") or value(node, "colourspace"))
    if not plain and colourspace == "auto":
        colourspace = "scene_linear"  # written raw: Nuke's working space
    asked = Matte(
        job=NO_JOB,
        plate=FilePlate(
            path=plain or written_pattern(node),
            first=clip.first,
            last=clip.last,
            colourspace=colourspace,
            missing=Missing(value(node, "missing_frames")),
        ),
        output=FileOutput(path=matte_pattern(node)),
        frames=format_frames(frames),
        window=_window(node),
        knobs=MatteKnobs(
            **{name: float(value(node, name)) for name in LEVELS},
            invert=bool(value(node, "invert")),
        ),
        model=ModelSettings(
            weights=str(value(node, "weights")), fit_memory=value(node, "preset") == AUTO_PRESET
        ),
        engine=EngineName(value(node, "engine")),
        priority=Priority.BATCH if value(node, "keep_going") else priority,
        playhead=playhead,
    )
    return named(asked, node_id(node))


def chosen_frames(node: nuke.Node) -> tuple[int, ...]:
    """Return the frames of the range knobs, those of the plate only.

    Raises:
        GvmError: the range cannot be read, holds no frame of the plate, or nothing is connected.
    """
    clip, kind = extent(node), value(node, "range")
    frames: Iterable[int]
    if kind == "custom":
        frames = parse_frames(str(value(node, "frames")))
    elif kind == "project":
        root = nuke.root()
        frames = range(int(root["first_frame"].value()), int(root["last_frame"].value()) + 1)
    else:
        handles = int(value(node, "handles"))
        frames = range(clip.first + handles, clip.last - handles + 1)
    inside = tuple(frame for frame in frames if clip.first <= frame <= clip.last)
    if not inside:
        raise SettingsError(
            f"The {kind} range holds no frame of the plate {clip.first}-{clip.last}.",
            remedy="Choose another range, or fewer handles.",
        )
    return inside


def context(asked: Matte, frames: Iterable[int]) -> tuple[int, ...]:
    """Return the plate frames that the frames' windows see, ascending."""
    plate = asked.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - this file makes no other
    assert plate.first is not None  # noqa: S101
    assert plate.last is not None  # noqa: S101
    if asked.model.fit_memory:  # the server chooses the window
        return tuple(range(plate.first, plate.last + 1))
    plan = Plan.of(asked.window, first=plate.first, last=plate.last)
    return tuple(sorted({seen for window in windows_for(plan, frames) for seen in window.frames}))


def matte_pattern(node: nuke.Node) -> str:
    """Return where the mattes of the node's version go.

    Raises:
        GvmError: the output cannot be used, or nothing is connected.
    """
    return _pattern(node, str(value(node, "out")))


def written_pattern(node: nuke.Node) -> str:
    """Return where the plate frames of a tree that is no plain Read go.

    Raises:
        OutputError: the script was never saved.
    """
    return _pattern(node, _WRITTEN)


def _pattern(node: nuke.Node, text: str) -> str:
    script = str(nuke.root().name())
    return output_pattern(
        text,
        folder=script.rpartition("/")[0],
        plate=plain_path(node) or f"{source(node).name()}.exr",
        node=node_id(node),
        version=int(value(node, "version")),
    )


def _window(node: nuke.Node) -> WindowSettings:
    return window_settings(DEFAULT_PRESET, **{name: int(value(node, name)) for name in WINDOW})
