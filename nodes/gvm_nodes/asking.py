"""From a node's knobs and plate to a request: rules without a host.

Law: nothing here contacts anybody; a value that cannot be used is an error with a remedy.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gvm_client.errors import SettingsError
from gvm_client.frames import format_frames, parse_frames
from gvm_client.protocol.messages import FileOutput, FilePlate, Matte
from gvm_client.request import matte_request
from gvm_client.settings import LARGEST_FITTED_WINDOW, Depth, Missing, Priority, find_preset
from gvm_client.windows import Plan, windows_for
from gvm_nodes.knobs import RangeKind, Wishes
from gvm_nodes.naming import named
from gvm_nodes.node import Clip, Node
from gvm_nodes.outputs import output_pattern
from gvm_nodes.spaces import AS_FILE


def request(
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
    wishes, clip = node.wishes(), node.clip()
    if wishes.colourspace == AS_FILE:  # the artist leaves it to the Read, and it wins
        wishes = replace(wishes, colourspace=clip.colourspace)
    asked = knobs_request(
        wishes,
        FilePlate(path=clip.path, first=clip.first, last=clip.last),
        _pattern(node, wishes, clip),
        frames=format_frames(frames),
        priority=Priority.BATCH if wishes.keep_going else priority,
        playhead=playhead,
    )
    return named(asked, node.identity)


def knobs_request(
    wishes: Wishes,
    plate: FilePlate,
    pattern: str,
    *,
    frames: str,
    priority: Priority,
    playhead: int | None = None,
) -> Matte:
    """Return the request that knobs mean, without a job's name.

    Args:
        wishes: the knobs.
        plate: its path, first and last frame; how it is read is said by the knobs.
        pattern: where the mattes go.
        frames: a range text; "" is the whole clip.
        priority: who is served first.
        playhead: the frame to make first.

    Raises:
        GvmError: a value is out of its range.
    """
    asked = matte_request(
        wishes,
        replace(
            plate,
            colourspace=wishes.ocio_colourspace or wishes.colourspace,
            missing=Missing(wishes.missing_frames),
        ),
        FileOutput(path=pattern, depth=Depth(wishes.depth)),
        model=wishes.model,
    )
    return replace(asked, frames=frames, priority=priority, playhead=playhead)


def chosen_frames(node: Node) -> tuple[int, ...]:
    """Return the frames of the range knobs, those of the plate only.

    Raises:
        GvmError: the range cannot be read, holds no frame of the plate, or there is no plate.
    """
    wishes, clip = node.wishes(), node.clip()
    kind = RangeKind(wishes.range)
    frames: Iterable[int] = range(clip.first + wishes.handles, clip.last - wishes.handles + 1)
    if kind is RangeKind.CUSTOM:
        frames = parse_frames(wishes.frames)
    elif kind is RangeKind.PROJECT:
        frames = node.document_range()
    inside = tuple(frame for frame in frames if frame in clip.frames)
    if not inside:
        raise SettingsError(
            f"The {kind.value} range holds no frame of the plate {clip.first}-{clip.last}.",
            remedy="Choose another range, or fewer handles.",
        )
    return inside[: find_preset(wishes.preset).max_frames or None]


def context(asked: Matte, frames: Iterable[int]) -> tuple[int, ...]:
    """Return the plate frames that the frames' windows see, ascending.

    The request's plate must name its first and last frame.
    """
    plate = asked.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - this file makes no other
    assert plate.first is not None  # noqa: S101
    assert plate.last is not None  # noqa: S101
    if asked.model.fit_memory:  # the server chooses the window: the widest that it may
        reach = max(asked.window.frames_per_window, LARGEST_FITTED_WINDOW) - 1
        near = {one for frame in frames for one in range(frame - reach, frame + reach + 1)}
        return tuple(sorted(one for one in near if plate.first <= one <= plate.last))
    plan = Plan.of(asked.window, first=plate.first, last=plate.last)
    return tuple(sorted({seen for window in windows_for(plan, frames) for seen in window.frames}))


def matte_pattern(node: Node) -> str:
    """Return where the mattes of the node's version go.

    Raises:
        GvmError: the output cannot be used, or there is no plate.
    """
    return _pattern(node, node.wishes(), node.clip())


def _pattern(node: Node, wishes: Wishes, clip: Clip) -> str:
    return output_pattern(
        wishes.out,
        folder=node.folder(),
        plate=clip.title or clip.path,
        node=node.identity,
        version=wishes.version,
    )
