"""What a node shows: its status line, and its mattes through the Read inside.

Laws:
1. Everything here runs on the main thread.
2. Showing neither marks the script as modified nor enters its undo, but for a matte's new path.
3. A node's label and colour are the artist's and the studio's: nothing here touches them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape, unescape
from typing import cast

import nuke

from gvm_client.protocol.messages import FilePlate, Matte
from gvm_nodes.nuke.group import COPY, MATTE, node_id, part, read_in_place

RELOAD_SECONDS = 3.0

_reloaded: dict[str, float] = {}  # by the node's own name: when its Read last read anew
_due: set[str] = set()  # whose Reads have something to read anew
_RED, _END = '<font color="#e05050">', "</font>"  # the status line shows HTML


def status(node: nuke.Node, says: str, *, failed: bool = False) -> None:
    """Show a sentence on the node; a failure is red."""
    text = escape(says, quote=False)
    with quietly():
        node["status"].setValue(f"{_RED}{text}{_END}" if failed else text)


def sentence(node: nuke.Node) -> str:
    """Return the sentence that a node shows."""
    text = str(node["status"].value() or "")
    return unescape(text.removeprefix(_RED).removesuffix(_END))


def mattes(node: nuke.Group, made: Matte, pattern: str) -> None:
    """Let the Read inside show a job's mattes.

    Args:
        node: one of ours.
        made: the job.
        pattern: its mattes, with `%V` where each view has its own.
    """
    plate = made.plate
    assert isinstance(plate, FilePlate)  # noqa: S101 - the node asks for nothing else
    read = part(node, MATTE)
    wanted = {"file": pattern, "first": plate.first, "last": plate.last}
    wanted |= {"origfirst": plate.first, "origlast": plate.last}
    with unrecorded():
        for name, setting in wanted.items():
            if read[name].value() != setting:
                read[name].setValue(setting)
        part(node, COPY)["disable"].setValue(False)
        read_in_place(read)


def reload(node: nuke.Group, *, at_once: bool) -> None:
    """Have the Read inside read anew the mattes that it knows.

    Args:
        node: one of ours.
        at_once: else not more often than every `RELOAD_SECONDS`, and what is put off is kept in
            mind for `catch_up`: for Nuke each time is a change of everything below.
    """
    identity, now = node_id(node), time.monotonic()
    if at_once or now - _reloaded.get(identity, -RELOAD_SECONDS) >= RELOAD_SECONDS:
        _reloaded[identity] = now
        _due.discard(identity)
        with quietly():
            cast("nuke.Script_Knob", part(node, MATTE)["reload"]).execute()
    else:
        _due.add(identity)


def catch_up(node: nuke.Group) -> None:
    """Do the reload that was put off, if one was."""
    if node_id(node) in _due and node.node(MATTE) is not None:
        reload(node, at_once=True)


@contextmanager
def unrecorded() -> Iterator[None]:
    """Let what is set now not enter Nuke's undo."""
    nuke.Undo.disable()
    try:
        yield
    finally:
        nuke.Undo.enable()


@contextmanager
def quietly() -> Iterator[None]:
    """Let what is set now neither mark the script as modified nor enter its undo."""
    root = nuke.root()
    modified = root.modified()
    with unrecorded():
        yield
    root.setModified(modified)
