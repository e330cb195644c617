"""This Nuke's desk of jobs, and the way from a button to what it does."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import nuke

from gvm_client.errors import InputError
from gvm_nodes import actions
from gvm_nodes.desk import Desk
from gvm_nodes.nuke import edition, shown, strict, written
from gvm_nodes.nuke.later import later
from gvm_nodes.nuke.node import NukeHost, nodes_of

DESK = Desk(NukeHost())

_FOR_ALL_VIEWS = ("reveal", "release")


def press(button: str, node: nuke.Node) -> None:
    """Do what a button of a node says, for each of its views.

    Scripts call it too: `press("render_range", node)`.

    Raises:
        GvmError: without a GUI, what went wrong.
    """
    if refusal := edition.refusal():
        shown.status(node, refusal, failed=True)
        if not nuke.GUI:
            raise InputError(refusal)
        return
    strict.end_all()
    _press(button, node)
    if written.was_busy() and nuke.GUI:  # some Nukes render nothing for a button itself
        later(partial(_again, button, node))


def _press(button: str, node: nuke.Node) -> None:
    for eye in nodes_of(node)[: 1 if button in _FOR_ALL_VIEWS else None]:
        actions.ACTIONS[button](DESK, eye)


def _again(button: str, node: nuke.Node) -> None:
    """Press once more; what is refused now stays on the node."""
    with suppress(ValueError):  # deleted meanwhile
        _press(button, node)
    written.was_busy()
