"""The Read inside a node: what it shows, and that a render fails where a matte is missing.

Everything here runs on the main thread. Showing neither marks the script as modified nor enters its
undo, except for a matte's new path.

While a render makes mattes, the Read is an error where one is missing: Nuke can be told to go on
after errors, and some farms do, and then a frame would be rendered with a black alpha or an older
matte. What is set for a render is put back after it, and where that was left out, whenever a script
is loaded or a button is pressed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from typing import cast

import nuke

from gvm_client.protocol.messages import FilePlate, Matte
from gvm_nodes.nuke.group import AS_CHOSEN, MATTE, node_id, part, read_in_place
from gvm_nodes.nuke.guide_inputs import COPY
from gvm_nodes.nuke.program import quietly, without_undo

RELOAD_SECONDS = 3.0

_reloaded: dict[str, float] = {}  # by the node's own name: when its Read last read anew
_due: set[str] = set()  # whose Reads have something to read anew

_FAIL = "0"  # of the Read's choices for a missing frame
_NOT_MADE = ".not_made"  # no file has that name

_rendering: dict[str, dict[str, nuke.Group]] = {}  # by the Write that is rendered, then by name
_passing: set[str] = set()  # nodes of those that had no matte yet, and passed their plate on


def name_mattes(node: nuke.Group, made: Matte, pattern: str) -> None:
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
    with without_undo():
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
            mind for `reload_if_due`: for Nuke each time is a change of everything below.
    """
    identity, now = node_id(node), time.monotonic()
    if at_once or now - _reloaded.get(identity, -RELOAD_SECONDS) >= RELOAD_SECONDS:
        _reloaded[identity] = now
        _due.discard(identity)
        with quietly():
            cast("nuke.Script_Knob", part(node, MATTE)["reload"]).execute()
    else:
        _due.add(identity)


def reload_if_due(node: nuke.Group) -> None:
    """Do the reload that was put off, if one was."""
    if node_id(node) in _due and node.node(MATTE) is not None:
        reload(node, at_once=True)


def begin_render(
    write: nuke.Node, making: Iterable[nuke.Group], reading: Iterable[nuke.Group]
) -> None:
    """Have no node above a Write pass its plate on, and missing mattes be errors.

    Args:
        write: what is rendered.
        making: nodes whose mattes are made.
        reading: nodes whose mattes are only read: there a missing one is what the artist chose.
    """
    making, reading = list(making), list(reading)
    _rendering[write.fullName()] = {node.fullName(): node for node in making + reading}
    for node in making:
        _on_error(node, _FAIL)
    for node in filter(passes_plate, making + reading):
        _passing.add(node.fullName())
        _pass_plate(node, now=False)


def end_render(write: nuke.Node) -> None:
    """Have a Write's nodes be as the artist chose, but those of other renders that go on."""
    _put_back([write.fullName()])


def end_renders() -> None:
    """Have every node be as the artist chose, when nothing is rendered."""
    if not nuke.executing():
        _put_back(list(_rendering))


def fail_where_missing(node: nuke.Group) -> None:
    """Have a node's Read be an error where a matte is missing."""
    _on_error(node, _FAIL)
    _pass_plate(node, now=False)


def passes_plate(node: nuke.Group) -> bool:
    """Whether a node passes its plate on: it has no matte yet."""
    copy = node.node(COPY)
    return copy is not None and bool(copy["disable"].value())


def as_artist_chose(node: nuke.Group) -> None:
    """Have a node's Read do where a matte is missing what the artist chose, and show its mattes."""
    _on_error(node, AS_CHOSEN)
    show_mattes(node)


def hide_mattes(node: nuke.Group) -> None:
    """Have a node's Read find no matte at all: those that stand were refused for this frame."""
    _set_name_ending(node, _NOT_MADE)


def show_mattes(node: nuke.Group) -> None:
    """Have a node's Read find its mattes again."""
    _set_name_ending(node, "")


def _put_back(writes: Iterable[str]) -> None:
    done = {name: node for write in writes for name, node in _rendering.pop(write, {}).items()}
    awaited = {name for nodes in _rendering.values() for name in nodes}  # of renders that go on
    for name in done.keys() - awaited:
        with suppress(ValueError):  # deleted, or its script was closed
            as_artist_chose(done[name])
            if name in _passing and not done[name]["gvm_made"].value():
                _pass_plate(done[name], now=True)
        _passing.discard(name)


def _on_error(node: nuke.Group, expression: str) -> None:
    read = node.node(MATTE)
    if read is not None:
        with without_undo():
            read["on_error"].setExpression(expression)


def _pass_plate(node: nuke.Group, *, now: bool) -> None:
    copy = node.node(COPY)
    if copy is not None:
        with without_undo():
            copy["disable"].setValue(now)


def _set_name_ending(node: nuke.Group, ending: str) -> None:
    read = node.node(MATTE)
    name = str(read["file"].value() or "") if read is not None else ""
    wanted = name.removesuffix(_NOT_MADE) + ending
    if read is not None and name != wanted:
        with quietly():
            read["file"].setValue(wanted)
