"""What the node's buttons do, on the main thread.

Law: an error goes to the node; without a GUI it is raised besides, for the right exit code.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nuke

from gvm_client.errors import GvmError, InputError
from gvm_client.protocol.messages import FilePlate, Matte
from gvm_client.settings import Priority
from gvm_nodes.nuke import asking, desk, shown, written
from gvm_nodes.nuke.group import node_id
from gvm_nodes.nuke.plate import plain_path
from gvm_nodes.outputs import existing


def render_range(node: nuke.Group) -> None:
    """Matte the chosen range; a job of it that still runs is found again."""
    with _reported(node):
        _render(node, asking.chosen_frames(node), Priority.RANGE)


def render_frame(node: nuke.Group) -> None:
    """Matte the current frame, before everybody's ranges."""
    with _reported(node):
        _render(node, (int(nuke.frame()),), Priority.INTERACTIVE)


def render_changed(node: nuke.Group) -> None:
    """Matte anew what is out of date; the server keeps every matte whose window did not change."""
    with _reported(node):
        frames = existing(asking.matte_pattern(node), asking.chosen_frames(node))
        if frames:
            _render(node, frames, Priority.RANGE)
        else:
            shown.status(node, "This version has no mattes yet; press Render Range.")


def cancel(node: nuke.Group) -> None:
    """End the node's job."""
    says = "Cancelling." if desk.cancel(node) else "Nothing is rendering."
    shown.status(node, says)


def reveal(node: nuke.Group) -> None:
    """Show the folder of the mattes."""
    with _reported(node):
        folder = Path(asking.matte_pattern(node)).parent
        if not folder.is_dir():
            raise InputError(
                f"{folder} does not exist yet.", remedy="Render first.", path=str(folder)
            )
        webbrowser.open(folder.as_uri())


def release(node: nuke.Group) -> None:
    """Have the server give the GPU's memory back."""
    desk.release(node)


def prepared(
    node: nuke.Group, frames: Iterable[int], priority: Priority, *, may_write: bool = True
) -> Matte:
    """Return the request for the frames, its plate on disk.

    Args:
        node: one of ours.
        frames: what is asked for.
        priority: who is served first.
        may_write: whether Nuke may render now; within a render it may not.

    Raises:
        GvmError: a knob's value, or the plate, cannot be used.
    """
    frames = tuple(frames)
    playhead = int(nuke.frame()) if int(nuke.frame()) in frames else None
    request = asking.request(node, frames, priority=priority, playhead=playhead)
    if plain_path(node):
        return request
    assert isinstance(request.plate, FilePlate)  # noqa: S101 - the node asks for nothing else
    seen, pattern = asking.context(request, frames), request.plate.path
    if may_write:
        written.write_changed(node, pattern, seen)
    elif changed := written.changed_frames(node, pattern, seen):
        raise InputError(
            f"{len(changed)} plate frames of {node.name()} are not written, from {changed[0]} on.",
            remedy="Press Render Range in the node before the render.",
            frame=changed[0],
        )
    return request


def _render(node: nuke.Group, frames: tuple[int, ...], priority: Priority) -> None:
    if desk.is_running(node_id(node)):  # told before a plate is written for nothing
        shown.status(node, f"{node.name()} is rendering already; press Cancel first.")
        return
    desk.start(node, prepared(node, frames, priority))


@contextmanager
def _reported(node: nuke.Group) -> Iterator[None]:
    try:
        yield
    except GvmError as error:
        shown.failure(node, error)
        if not nuke.GUI:
            raise
