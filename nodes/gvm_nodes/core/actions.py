"""What a node's buttons do, on the host's main thread; each button's name is a function here.

An error is shown on the node; in batch it is raised besides, for the right exit code.
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
from gvm_nodes.core import node_request, saved_state
from gvm_nodes.core.clips import existing_frames
from gvm_nodes.core.job_tracker import JobTracker
from gvm_nodes.core.node import Node
from gvm_nodes.core.saved_state import read_ticket


def render_range(tracker: JobTracker, node: Node) -> None:
    """Matte the chosen range; a job of it that still runs is found again."""
    with _errors_on_node(tracker, node):
        _render(tracker, node, node_request.chosen_frames(node), Priority.RANGE)


def render_frame(tracker: JobTracker, node: Node) -> None:
    """Matte the current frame, before everybody's ranges."""
    with _errors_on_node(tracker, node):
        _render(tracker, node, (node.frame(),), Priority.INTERACTIVE)


def render_changed(tracker: JobTracker, node: Node) -> None:
    """Matte anew what is out of date; the server keeps every matte whose window did not change."""
    with _errors_on_node(tracker, node):
        frames = existing_frames(node_request.matte_pattern(node), node_request.chosen_frames(node))
        if frames:
            _render(tracker, node, frames, Priority.RANGE)
        else:
            node.say("This version has no mattes yet; press Render Range.")


def cancel(tracker: JobTracker, node: Node) -> None:
    """End the node's job."""
    if not tracker.cancel(node):
        node.say("Nothing is rendering.")


def reveal(tracker: JobTracker, node: Node) -> None:
    """Show the folder of the mattes."""
    with _errors_on_node(tracker, node):
        folder = Path(node_request.matte_pattern(node)).parent
        if not folder.is_dir():
            raise InputError(
                f"{folder} does not exist yet.", remedy="Render first.", path=str(folder)
            )
        webbrowser.open(folder.as_uri())


def release(tracker: JobTracker, node: Node) -> None:
    """Have the server give the GPU's memory back."""
    tracker.release(node)


ACTIONS: Mapping[str, Callable[[JobTracker, Node], None]] = MappingProxyType(
    {
        action.__name__: action
        for action in (render_range, render_frame, cancel, render_changed, reveal, release)
    }
)


def panel_opened(tracker: JobTracker, node: Node) -> None:
    """Find the job of a node again, whose panel the artist opens for the first time."""
    ticket = read_ticket(node.job)
    if ticket is not None:
        with _errors_on_node(tracker, node):
            frames = parse_frames(ticket.frames)
            tracker.resume(node, node_request.node_request(node, frames, priority=ticket.priority))


def settings_changed(tracker: JobTracker, node: Node, *, looks: bool) -> None:
    """Say when the mattes are not those of today's knobs and plate, and when they are again.

    Args:
        tracker: whose jobs are let alone.
        node: what was changed.
        looks: whether to look at the plate's files too, which is done on another thread.
    """
    if tracker.is_running(node.identity):
        return
    try:
        wanted = node_request.node_request(node, ())
    except GvmError:  # said when the artist renders: knobs are set one by one
        return
    if saved_state.is_out_of_date(node.made, wanted):
        node.say(saved_state.OUT_OF_DATE)
    elif node.made and (looks or node.said == saved_state.OUT_OF_DATE):
        tracker.check_plate(node, wanted)


def prepare_request(node: Node, frames: Iterable[int], priority: Priority) -> Matte:
    """Return the request for the frames, its plate on disk.

    Args:
        node: one of ours.
        frames: what is asked for.
        priority: who is served first.

    Raises:
        GvmError: a knob's value, or the plate, cannot be used, or another node makes other mattes
            in the same files.
    """
    frames, clip, now = tuple(frames), node.clip(), node.frame()
    playhead = now if now in frames else None
    request = node_request.node_request(node, frames, priority=priority, playhead=playhead)
    node_request.refuse_rivals(node, request)
    if clip.written:
        node.write_plate(clip, node_request.frames_seen(request, frames))
    return request


def _render(tracker: JobTracker, node: Node, frames: tuple[int, ...], priority: Priority) -> None:
    if tracker.is_running(node.identity):  # told before a plate is written for nothing
        node.say(f"{node.name} is rendering already; press Cancel first.")
        return
    tracker.start(node, prepare_request(node, frames, priority))


@contextmanager
def _errors_on_node(tracker: JobTracker, node: Node) -> Iterator[None]:
    try:
        yield
    except GvmError as error:
        node.say(str(error), failed=not isinstance(error, JobCancelled))
        if tracker.host.is_batch:
            raise
