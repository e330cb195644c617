"""This Nuke's desk of jobs, and the way from a button to what it does."""

from __future__ import annotations

from typing import cast

import nuke

from gvm_nodes import actions
from gvm_nodes.desk import Desk
from gvm_nodes.nuke.node import NukeHost, NukeNode

DESK = Desk(NukeHost())


def press(button: str, node: nuke.Node) -> None:
    """Do what a button of a node says; also for scripts: `press("render_range", node)`.

    Raises:
        GvmError: without a GUI, what went wrong.
    """
    actions.ACTIONS[button](DESK, NukeNode(cast(nuke.Group, node)))
