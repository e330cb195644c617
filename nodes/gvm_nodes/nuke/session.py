"""This Nuke's jobs, and the way from a button to its action.

The buttons of saved scripts call `press`: its name is an interface.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import nuke

from gvm_client.errors import InputError
from gvm_nodes.core import actions
from gvm_nodes.core.job_tracker import JobTracker
from gvm_nodes.nuke import knobs, matte_read, plate_writer, program
from gvm_nodes.nuke.node import NukeHost, nodes_of
from gvm_nodes.nuke.program import call_when_idle

TRACKER = JobTracker(NukeHost())

_FOR_ALL_VIEWS = ("reveal", "release")


def press(button: str, node: nuke.Node) -> None:
    """Do what a button of a node says, for each of its views.

    Scripts call it too: `press("render_range", node)`.

    Raises:
        GvmError: without a GUI, what went wrong.
    """
    if refusal := program.edition_refusal():
        knobs.show_status(node, refusal, failed=True)
        if not nuke.GUI:
            raise InputError(refusal)
        return
    matte_read.end_renders()
    _press(button, node)
    if plate_writer.was_busy() and nuke.GUI:  # some Nukes render nothing for a button itself
        call_when_idle(partial(_again, button, node))


def _press(button: str, node: nuke.Node) -> None:
    for eye in nodes_of(node)[: 1 if button in _FOR_ALL_VIEWS else None]:
        actions.ACTIONS[button](TRACKER, eye)


def _again(button: str, node: nuke.Node) -> None:
    """Press once more; what is refused now stays on the node."""
    with suppress(ValueError):  # deleted meanwhile
        _press(button, node)
    plate_writer.was_busy()
