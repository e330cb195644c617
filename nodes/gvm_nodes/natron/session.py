"""This Natron's desk of jobs, and the way from a button to what it does."""

from __future__ import annotations

from gvm_nodes import actions
from gvm_nodes.desk import Desk
from gvm_nodes.natron.api import App, Effect
from gvm_nodes.natron.mainthread import MainThread
from gvm_nodes.natron.node import NatronHost
from gvm_nodes.natron.renders import Renders
from gvm_nodes.natron.settling import settle
from gvm_nodes.natron.underway import UnderWay

MAIN = MainThread(lambda: DESK.is_busy)
UNDER_WAY = UnderWay()
HOST = NatronHost(MAIN, UNDER_WAY)
DESK: Desk = Desk(HOST)
RENDERS = Renders(HOST, UNDER_WAY)


def press(button: str, app: App, group: Effect) -> None:
    """Do what a button of a group says; also for scripts: `press("render_range", app, group)`.

    Raises:
        GvmError: in batch, what went wrong.
    """
    HOST.remember(app)
    settle(DESK, HOST, app)
    RENDERS.catch_up()
    HOST.watch()
    node = HOST.node(app, group)
    if button == actions.cancel.__name__ and RENDERS.cancel(node.identity):
        node.say("Cancelling.")
    else:
        actions.ACTIONS[button](DESK, node)
