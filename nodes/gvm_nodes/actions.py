"""What a node's buttons do, on the host's main thread; each button's name is a function here.

Law: an error goes to the node; in batch it is raised besides, for the right exit code.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from gvm_client.errors import GvmError, InputError, JobCancelled
from gvm_client.frames import parse_frames
from gvm_client.protocol.messages import Matte
from gvm_client.settings import Priority
from gvm_nodes import asking, freshness
from gvm_nodes.desk import Desk
from gvm_nodes.naming import read_ticket
from gvm_nodes.node import Node
from gvm_nodes.outputs import existing


def render_range(desk: Desk, node: Node) -> None:
    """Matte the chosen range; a job of it that still runs is found again."""
    with _reported(desk, node):
        _render(desk, node, asking.chosen_frames(node), Priority.RANGE)


def render_frame(desk: Desk, node: Node) -> None:
    """Matte the current frame, before everybody's ranges."""
    with _reported(desk, node):
        _render(desk, node, (node.frame(),), Priority.INTERACTIVE)


def render_changed(desk: Desk, node: Node) -> None:
    """Matte anew what is out of date; the server keeps every matte whose window did not change."""
    with _reported(desk, node):
        frames = existing(asking.matte_pattern(node), asking.chosen_frames(node))
        if frames:
            _render(desk, node, frames, Priority.RANGE)
        else:
            node.say("This version has no mattes yet; press Render Range.")


def cancel(desk: Desk, node: Node) -> None:
    """End the node's job."""
    if not desk.cancel(node):
        node.say("Nothing is rendering.")


def reveal(desk: Desk, node: Node) -> None:
    """Show the folder of the mattes."""
    with _reported(desk, node):
        folder = Path(asking.matte_pattern(node)).parent
        if not folder.is_dir():
            raise InputError(
                f"{folder} does not exist yet.", remedy="Render first.", path=str(folder)
            )
        webbrowser.open(folder.as_uri())


def release(desk: Desk, node: Node) -> None:
    """Have the server give the GPU's memory back."""
    desk.release(node)


ACTIONS: Mapping[str, Callable[[Desk, Node], None]] = MappingProxyType(
    {
        action.__name__: action
        for action in (render_range, render_frame, cancel, render_changed, reveal, release)
    }
)


def opened(desk: Desk, node: Node) -> None:
    """Find the job of a node again, whose panel the artist opens for the first time."""
    ticket = read_ticket(node.job)
    if ticket is not None:
        with _reported(desk, node):
            frames = parse_frames(ticket.frames)
            desk.resume(node, asking.request(node, frames, priority=ticket.priority))


def changed(desk: Desk, node: Node, *, looks: bool) -> None:
    """Say when the mattes are not those of today's knobs and plate, and when they are again.

    Args:
        desk: whose jobs are let alone.
        node: what was changed.
        looks: whether to look at the plate's files too, which is done on another thread.
    """
    if desk.is_running(node.identity):
        return
    try:
        wanted = asking.request(node, ())
    except GvmError:  # said when the artist renders: knobs are set one by one
        return
    if freshness.is_out_of_date(node.made, wanted):
        node.say(freshness.OUT_OF_DATE)
    elif node.made and (looks or node.said == freshness.OUT_OF_DATE):
        desk.look(node, wanted)


def prepared(node: Node, frames: Iterable[int], priority: Priority) -> Matte:
    """Return the request for the frames, its plate on disk.

    Args:
        node: one of ours.
        frames: what is asked for.
        priority: who is served first.

    Raises:
        GvmError: a knob's value, or the plate, cannot be used.
    """
    frames, clip, now = tuple(frames), node.clip(), node.frame()
    playhead = now if now in frames else None
    request = asking.request(node, frames, priority=priority, playhead=playhead)
    if clip.written:
        node.write_plate(clip, asking.context(request, frames))
    return request


def _render(desk: Desk, node: Node, frames: tuple[int, ...], priority: Priority) -> None:
    if desk.is_running(node.identity):  # told before a plate is written for nothing
        node.say(f"{node.name} is rendering already; press Cancel first.")
        return
    desk.start(node, prepared(node, frames, priority))


@contextmanager
def _reported(desk: Desk, node: Node) -> Iterator[None]:
    try:
        yield
    except GvmError as error:
        node.say(str(error), failed=not isinstance(error, JobCancelled))
        if desk.host.is_batch:
            raise
