"""This Natron's jobs, its buttons, and the repair of groups that a project or a copy brought.

Saved projects and scripts call `press`: its name is an interface.
"""

from __future__ import annotations

from contextlib import suppress

from gvm_client.errors import GvmError
from gvm_nodes.core import actions
from gvm_nodes.core.job_tracker import JobTracker
from gvm_nodes.natron.group import complete, ours, set_id
from gvm_nodes.natron.node import NatronHost
from gvm_nodes.natron.parameters import NEW
from gvm_nodes.natron.program import ActiveRenders, App, Effect, MainThread
from gvm_nodes.natron.write_renders import WriteRenders

MAIN = MainThread(lambda: TRACKER.is_busy)
ACTIVE_RENDERS = ActiveRenders()
HOST = NatronHost(MAIN, ACTIVE_RENDERS)
TRACKER: JobTracker = JobTracker(HOST)
RENDERS = WriteRenders(HOST, ACTIVE_RENDERS)

WAITS = "A render was under way when the project was saved; press Render Range to see it."


def press(button: str, app: App, group: Effect) -> None:
    """Do what a button of a group says; also for scripts: `press("render_range", app, group)`.

    Raises:
        GvmError: in batch, what went wrong.
    """
    HOST.remember(app)
    repair_groups(app)
    RENDERS.catch_up()
    HOST.watch()
    node = HOST.node(app, group)
    if button == actions.cancel.__name__ and RENDERS.cancel(node.identity):
        node.say("Cancelling.")
    else:
        actions.ACTIONS[button](TRACKER, node)


def repair_groups(app: App) -> None:
    """Make every group of a project whole and one of its own; on the main thread.

    A project, a copy or an artist's hand may bring groups that lack parameters, share an identity,
    or show no mattes. Of groups with one identity the first in the project keeps it, with its job
    and its mattes. Contacts no server, and changes nothing of a group that is as it should be.
    """
    taken: set[str] = set()
    for group in ours(app):
        complete(app, group)
        node = HOST.node(app, group)
        if node.identity in taken:
            set_id(group)
            node.job = ""
            node.say(NEW)
        elif node.job and not TRACKER.is_running(node.identity):
            node.say(WAITS)
        taken.add(node.identity)
        with suppress(GvmError):  # a node inside is missing: said when the artist renders
            node.follow_plate()
            node.open_matte_read()
