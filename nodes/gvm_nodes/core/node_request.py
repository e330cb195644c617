"""Builds the request of a node, or of any options, for some frames; contacts nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gvm_client.errors import GvmError, SettingsError
from gvm_client.frames import format_frames, parse_frames
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_client.request import matte_request
from gvm_client.settings import LARGEST_FITTED_WINDOW, Depth, Missing, Priority, find_preset
from gvm_client.windows import Plan, seen_by, windows_for
from gvm_nodes.core.clips import AS_FILE, output_pattern
from gvm_nodes.core.node import Clip, Node
from gvm_nodes.core.saved_state import matte_digest, with_job_name
from gvm_nodes.core.settings import MatteOptions, RangeKind


def node_request(
    node: Node,
    frames: Iterable[int],
    *,
    priority: Priority = Priority.RANGE,
    playhead: int | None = None,
) -> Matte:
    """Return the request for some frames of a node's plate, under its job's name.

    Raises:
        GvmError: a knob's value cannot be used, or the plate.
    """
    options, clip = node.options(), node.clip()
    if options.colourspace == AS_FILE:  # the artist leaves it to the Read, and it wins
        options = replace(options, colourspace=clip.colourspace)
    asked = options_request(
        options,
        FilePlate(path=clip.path, first=clip.first, last=clip.last),
        _pattern(node, options, clip),
        frames=format_frames(frames),
        priority=Priority.BATCH if options.keep_going else priority,
        playhead=playhead,
    )
    return with_job_name(asked, node.identity)


def options_request(
    options: MatteOptions,
    plate: FilePlate,
    pattern: str,
    *,
    frames: str,
    priority: Priority,
    playhead: int | None = None,
) -> Matte:
    """Return the request that options mean, without a job's name.

    Args:
        options: what an artist has set.
        plate: its path, first and last frame; how it is read is said by the options.
        pattern: where the mattes go.
        frames: a range text; "" is the whole clip.
        priority: who is served first.
        playhead: the frame to make first.

    Raises:
        GvmError: a value is out of its range.
    """
    asked = matte_request(
        options,
        replace(
            plate,
            colourspace=options.ocio_colourspace or options.colourspace,
            missing=Missing(options.missing_frames),
        ),
        FileOutput(path=pattern, depth=Depth(options.depth), content=options.content),
        model=options.model,
        guides=options.guides,
    )
    return replace(asked, frames=frames, priority=priority, playhead=playhead)


def chosen_frames(node: Node) -> tuple[int, ...]:
    """Return the frames of the range knobs, those of the plate only.

    Raises:
        GvmError: the range cannot be read, holds no frame of the plate, or there is no plate.
    """
    options, clip = node.options(), node.clip()
    kind = RangeKind(options.range)
    frames: Iterable[int] = range(clip.first + options.handles, clip.last - options.handles + 1)
    if kind is RangeKind.CUSTOM:
        frames = parse_frames(options.frames)
    elif kind is RangeKind.PROJECT:
        frames = node.document_range()
    inside = tuple(frame for frame in frames if frame in clip.frames)
    if not inside:
        raise SettingsError(
            f"The {kind.value} range holds no frame of the plate {clip.first}-{clip.last}.",
            remedy="Choose another range, or fewer handles.",
        )
    return inside[: find_preset(options.preset).max_frames or None]


def frames_seen(asked: Matte, frames: Iterable[int]) -> tuple[int, ...]:
    """Return the plate frames that the frames' windows see, ascending.

    The request's plate must name its first and last frame.
    """
    plate = asked.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - this file makes no other
    assert plate.first is not None  # noqa: S101
    assert plate.last is not None  # noqa: S101
    if asked.model.fit_memory:  # the server chooses the window: the widest that it may
        reach = max(asked.window.frames_per_window, LARGEST_FITTED_WINDOW) - 1 + asked.engine.reach
        near = {one for frame in frames for one in range(frame - reach, frame + reach + 1)}
        return tuple(sorted(one for one in near if plate.first <= one <= plate.last))
    plan = Plan.of(asked.window, first=plate.first, last=plate.last, reach=asked.engine.reach)
    windows = windows_for(plan, frames)
    return tuple(sorted({seen for window in windows for seen in seen_by(plan, window).frames}))


def refuse_rivals(node: Node, asked: Matte) -> None:
    """Refuse mattes that another node of the document would make otherwise in the same files.

    The second would replace the first's, and both would show and render the second's.

    Raises:
        SettingsError: there is such a node.
    """
    if "{id}" in node.options().out:  # each node has its own
        return
    for other in node.others():
        try:
            theirs = node_request(other, ())
        except GvmError:  # it makes nothing: said when it renders
            continue
        if _path(theirs) == _path(asked) and matte_digest(theirs) != matte_digest(asked):
            raise SettingsError(
                f"{other.name} has other settings, or another plate, for the same files"
                f" {_path(asked)}.",
                remedy="Put {id} into Output, or choose another version.",
            )


def _path(asked: Matte) -> str:
    assert isinstance(asked.output, FileOutput)  # noqa: S101 - a node asks for nothing else
    return asked.output.path


def matte_pattern(node: Node) -> str:
    """Return where the mattes of the node's version go.

    Raises:
        GvmError: the output cannot be used, or there is no plate.
    """
    return _pattern(node, node.options(), node.clip())


def _pattern(node: Node, options: MatteOptions, clip: Clip) -> str:
    return output_pattern(
        options.out,
        folder=node.folder(),
        plate=clip.title or clip.path,
        node=node.identity,
        version=options.version,
    )
