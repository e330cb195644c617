"""A Nuke session with our node: the fake stands where the real `nuke` module would."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.fakes import nuke

sys.modules["nuke"] = nuke  # before the node's modules are loaded, as in Nuke

from gvm_client.protocol.messages import Matte  # noqa: E402
from gvm_nodes import asking  # noqa: E402
from gvm_nodes.naming import ticket  # noqa: E402
from gvm_nodes.nuke import (  # noqa: E402
    batch,
    callbacks,
    copies,
    group,
    knobs,
    later,
    notices,
    shown,
    strict,
    written,
)
from gvm_nodes.nuke.node import NukeNode, nodes_of  # noqa: E402
from gvm_nodes.nuke.session import DESK, press  # noqa: E402
from gvm_nodes.nuke.upstream import upstream, writes  # noqa: E402
from gvm_nodes.work import Update  # noqa: E402

__all__ = [
    "DESK",
    "NukeNode",
    "asking",
    "batch",
    "callbacks",
    "group",
    "knobs",
    "nodes_of",
    "press",
    "settle",
    "shown",
    "strict",
    "ticket",
    "upstream",
    "writes",
    "written",
]

TICKET = f"{'0' * 32} range 1001-1020"  # of a job that a script was saved with


def start(folder: Path, *, gui: bool = True, args: tuple[str, ...] = (), edition: str = "") -> None:
    """Start Nuke with our callbacks and a script that was saved in a folder."""
    nuke.start(gui=gui, args=args, edition=edition)
    DESK._works.clear()  # what one session knows, the next does not
    batch._made.clear()
    batch._refused.clear()
    written._just_written.clear()
    written._refused.clear()
    for waiting in (later._waiting, copies._created, notices._noticed, notices._opened):
        waiting.clear()
    DESK._looking.clear()
    shown._reloaded.clear()
    shown._due.clear()
    strict._begun.clear()
    strict._passing.clear()
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
    nuke.pump(lambda: not later._waiting and nuke.session().calls.empty())


def tell(node: nuke.Group, request: Matte, update: Update) -> None:
    """Have a job of a node tell an update."""
    own = NukeNode(node)
    own.job = ticket(request)
    DESK._show(own.identity, request, "", update)


def shown_alpha(node: nuke.Group, frame: int) -> Path:
    """Return the file that the Read inside shows at a frame."""
    return Path(node.node("MatteRead")["file"].value() % frame)


def plate(tmp_path: Path, first: int = 1001, last: int = 1020) -> nuke.Node:
    """Make a Read of frames that need not exist."""
    return read_plate(str(tmp_path / "a.%04d.exr"), first, last)


def fail(node: nuke.Group) -> str:
    """Press Render Range where no server can be had, and return what the node says."""
    press("render_range", node)
    nuke.pump(lambda: not DESK.is_busy and nuke.session().calls.empty())
    return NukeNode(node).said
