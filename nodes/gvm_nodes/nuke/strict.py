"""While a render makes mattes, the Read inside is an error where one is not made.

A refusal alone need not end a render: Nuke can be told to go on after errors, and some farms do.
Then the frame would be rendered all the same, by default with a black alpha, or with a matte of
before. So a frame fails by itself where its matte is missing or was refused.

Law: what is set here is put back after the render, and where that was left out, whenever a script
is loaded or a button is pressed.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import nuke

from gvm_nodes.nuke.group import AS_CHOSEN, COPY, MATTE
from gvm_nodes.nuke.shown import quietly, unrecorded

_ERROR = "0"  # of the Read's choices for a missing frame
_NOT_MADE = ".not_made"  # no file has that name

_begun: dict[str, dict[str, nuke.Group]] = {}  # by the Write that is rendered, then by name
_passing: set[str] = set()  # nodes of those that had no matte yet, and passed their plate on


def begin(write: nuke.Node, making: Iterable[nuke.Group], reading: Iterable[nuke.Group]) -> None:
    """Have no node above a Write pass its plate on, and missing mattes be errors.

    Args:
        write: what is rendered.
        making: nodes whose mattes are made.
        reading: nodes whose mattes are only read: there a missing one is what the artist chose.
    """
    making, reading = list(making), list(reading)
    _begun[write.fullName()] = {node.fullName(): node for node in making + reading}
    for node in making:
        _on_error(node, _ERROR)
    for node in filter(passes_by, making + reading):
        _passing.add(node.fullName())
        _pass_by(node, now=False)


def end(write: nuke.Node) -> None:
    """Have a Write's nodes be as the artist chose, but those of other renders that go on."""
    _put_back([write.fullName()])


def end_all() -> None:
    """Have every node be as the artist chose, when nothing is rendered."""
    if not nuke.executing():
        _put_back(list(_begun))


def fail_where_missing(node: nuke.Group) -> None:
    """Have a node's Read be an error where a matte is missing."""
    _on_error(node, _ERROR)
    _pass_by(node, now=False)


def passes_by(node: nuke.Group) -> bool:
    """Whether a node passes its plate on: it has no matte yet."""
    copy = node.node(COPY)
    return copy is not None and bool(copy["disable"].value())


def as_chosen(node: nuke.Group) -> None:
    """Have a node's Read do where a matte is missing what the artist chose, and show its mattes."""
    _on_error(node, AS_CHOSEN)
    show_again(node)


def hide(node: nuke.Group) -> None:
    """Have a node's Read find no matte at all: those that stand were refused for this frame."""
    _name(node, _NOT_MADE)


def show_again(node: nuke.Group) -> None:
    """Have a node's Read find its mattes again."""
    _name(node, "")


def _put_back(writes: Iterable[str]) -> None:
    done = {name: node for write in writes for name, node in _begun.pop(write, {}).items()}
    awaited = {name for nodes in _begun.values() for name in nodes}  # of renders that go on
    for name in done.keys() - awaited:
        with suppress(ValueError):  # deleted, or its script was closed
            as_chosen(done[name])
            if name in _passing and not done[name]["gvm_made"].value():
                _pass_by(done[name], now=True)
        _passing.discard(name)


def _on_error(node: nuke.Group, expression: str) -> None:
    read = node.node(MATTE)
    if read is not None:
        with unrecorded():
            read["on_error"].setExpression(expression)


def _pass_by(node: nuke.Group, *, now: bool) -> None:
    copy = node.node(COPY)
    if copy is not None:
        with unrecorded():
            copy["disable"].setValue(now)


def _name(node: nuke.Group, ending: str) -> None:
    read = node.node(MATTE)
    name = str(read["file"].value() or "") if read is not None else ""
    wanted = name.removesuffix(_NOT_MADE) + ending
    if read is not None and name != wanted:
        with quietly():
            read["file"].setValue(wanted)
