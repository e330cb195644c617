"""A Nuke session with our node: the fake stands where the real `nuke` module would."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fakes import nuke

sys.modules["nuke"] = nuke  # before the node's modules are loaded, as in Nuke

from gvm_client.protocol.messages import Matte  # noqa: E402
from gvm_nodes.core import node_request  # noqa: E402
from gvm_nodes.core.followed_job import Update  # noqa: E402
from gvm_nodes.core.saved_state import ticket  # noqa: E402
from gvm_nodes.nuke import (  # noqa: E402
    callbacks,
    group,
    knobs,
    matte_read,
    plate_writer,
    program,
    write_renders,
)
from gvm_nodes.nuke.group import nodes_above, script_writes  # noqa: E402
from gvm_nodes.nuke.node import NukeNode, nodes_of  # noqa: E402
from gvm_nodes.nuke.session import TRACKER, press  # noqa: E402

__all__ = [
    "TRACKER",
    "NukeNode",
    "callbacks",
    "group",
    "knobs",
    "matte_read",
    "node_request",
    "nodes_above",
    "nodes_of",
    "plate_writer",
    "press",
    "script_writes",
    "settle",
    "ticket",
    "write_renders",
]

TICKET = f"{'0' * 32} range 1001-1020"  # of a job that a script was saved with


def start(folder: Path, *, gui: bool = True, args: tuple[str, ...] = (), edition: str = "") -> None:
    """Start Nuke with our callbacks and a script that was saved in a folder."""
    nuke.start(gui=gui, args=args, edition=edition)
    TRACKER._jobs.clear()  # what one session knows, the next does not
    write_renders._made.clear()
    write_renders._refused.clear()
    plate_writer._just_written.clear()
    plate_writer._refused_nodes.clear()
    for waiting in (program._waiting, group._created, callbacks._noticed, callbacks._opened):
        waiting.clear()
    TRACKER._checking.clear()
    matte_read._reloaded.clear()
    matte_read._due.clear()
    matte_read._rendering.clear()
    matte_read._passing.clear()
    callbacks.register()
    nuke.scriptSave((folder / "shot.nk").as_posix())


def read_plate(pattern: str, first: int, last: int) -> nuke.Node:
    """Make a Read of a plate, whose frames need not exist for Nuke itself."""
    read = nuke.createNode("Read")
    read["on_error"].setValue("black")
    read["file"].setValue(pattern)
    for name, frame in (("first", first), ("last", last)):
        read[name].setValue(frame)
    return read


def matte_node(plate: nuke.Node) -> nuke.Group:
    """Make our node below a plate, with the test engine and small windows."""
    node = group.create()
    node.setInput(0, plate)
    node["engine"].setValue("test")
    for name, number in (("frames_per_window", 6), ("overlap", 2), ("size", 32)):
        node[name].setValue(number)
    nuke.open_panel(node)  # as Nuke's menu does
    settle()
    return node


def settle() -> None:
    """Be idle until what callbacks have put off is done."""
    nuke.pump(lambda: not program._waiting and nuke.session().calls.empty())


def tell(node: nuke.Group, request: Matte, update: Update) -> None:
    """Have a job of a node tell an update."""
    own = NukeNode(node)
    own.job = ticket(request)
    TRACKER._show(own.identity, request, "", update)


def shown_alpha(node: nuke.Group, frame: int) -> Path:
    """Return the file that the Read inside shows at a frame."""
    return Path(node.node("MatteRead")["file"].value() % frame)


def plate(tmp_path: Path, first: int = 1001, last: int = 1020) -> nuke.Node:
    """Make a Read of frames that need not exist."""
    return read_plate(str(tmp_path / "a.%04d.exr"), first, last)


def fail(node: nuke.Group) -> str:
    """Press Render Range where no server can be had, and return what the node says."""
    press("render_range", node)
    nuke.pump(lambda: not TRACKER.is_busy and nuke.session().calls.empty())
    return NukeNode(node).said
