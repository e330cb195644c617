"""What a node shows: its status line, and its mattes through the Read inside.

Laws:
1. Everything here runs on the main thread.
2. Showing neither marks the script as modified nor enters its undo, but for a matte's new path.
3. A node's label and colour are the artist's and the studio's: nothing here touches them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape, unescape
from typing import cast

import nuke

from gvm_client.protocol.messages import FilePlate, Matte
from gvm_nodes.nuke.group import COPY, MATTE, part

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
    """Let the Read inside show a job's mattes, and read anew those that it knows.

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
    with quietly():
        cast("nuke.Script_Knob", read["reload"]).execute()


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
