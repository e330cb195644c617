"""This Nuke's desk of jobs, and the way from a button to what it does."""

from __future__ import annotations

import nuke

from gvm_nodes import actions
from gvm_nodes.desk import Desk
from gvm_nodes.nuke.node import NukeHost, nodes_of

DESK = Desk(NukeHost())

_FOR_ALL_VIEWS = ("reveal", "release")


def press(button: str, node: nuke.Node) -> None:
    """Do what a button of a node says, for each of its views.

    Scripts call it too: `press("render_range", node)`.

    Raises:
        GvmError: without a GUI, what went wrong.
    """
    for eye in nodes_of(node)[: 1 if button in _FOR_ALL_VIEWS else None]:
        actions.ACTIONS[button](DESK, eye)
