"""A Natron session with our group: the fake stands where Natron's own modules would."""

from __future__ import annotations

from pathlib import Path

from gvm_client.protocol.messages import Matte
from gvm_nodes.core import node_request
from gvm_nodes.core.followed_job import Update
from gvm_nodes.core.saved_state import ticket
from gvm_nodes.natron import callbacks, session
from gvm_nodes.natron.group import MATTES, MODULE, PLUGIN_ID
from gvm_nodes.natron.node import NatronNode
from gvm_nodes.natron.program import qt_core
from gvm_nodes.natron.session import HOST, RENDERS, TRACKER, press
from gvm_server.cli.install.script_hosts import NATRON_SCRIPTS
from tests.fakes import natron
from tests.fakes.natron import App, Effect

__all__ = ["TRACKER", "press", "ticket"]

NAMES = {
    "beforeRender": "before_render",
    "beforeFrameRender": "before_frame",
    "afterRender": "after_render",
}


def start(folder: Path, *, background: bool = False, qt: bool = True) -> App:
    """Start Natron with our PyPlug and a project that was saved in a folder."""
    app = natron.start(background=background, qt=qt)
    qt_core.cache_clear()
    natron.install(NATRON_SCRIPTS[0].body, MODULE)
    forget()
    natron.save(app, (folder / "shot.ntp").as_posix())
    return app


def forget() -> None:
    """Know no more than a program that begins: what one session knows, the next does not."""
    TRACKER._jobs.clear()
    HOST._projects.clear()
    TRACKER._checking.clear()
    callbacks._looked.clear()
    RENDERS.__init__(HOST, session.ACTIVE_RENDERS)
    session.ACTIVE_RENDERS.__init__()
    session.MAIN.__init__(lambda: TRACKER.is_busy)
    natron.session().timers.clear()
    natron.session().invoked.clear()


def tell(app: App, group: Effect, request: Matte, update: Update) -> None:
    """Have a job of a group tell an update."""
    node = as_node(app, group)
    node.job = ticket(request)
    TRACKER._show(node.identity, request, "", update)


def show(app: App, group: Effect, update: Update) -> None:
    """Have an update come of the job that the group would ask for now."""
    tell(app, group, node_request.node_request(as_node(app, group), ()), update)


def reopen(app: App, *, anew: bool = False) -> App:
    """Save a project, and open it in the next session."""
    path = f"{app.getProjectParam('projectPath').get()}shot.ntp"
    natron.save(app, path)
    natron.close(app)
    forget()
    again = natron.load(path, anew=anew)
    natron.idle()
    return again


def read_plate(app: App, pattern: str, first: int, last: int) -> Effect:
    """Make a Read of a plate."""
    read = app.createNode(natron.READ)
    natron.edit(read, "filename", pattern)
    for name, frame in (("firstFrame", first), ("lastFrame", last)):
        natron.edit(read, name, frame)
    return read


def matte_group(app: App, plate: Effect) -> Effect:
    """Make our group below a plate, with the test engine and small windows."""
    group = app.createNode(PLUGIN_ID)
    group.connectInput(0, plate)
    natron.edit(group, "gvm_engine", "test")
    for name, number in (("frames_per_window", 6), ("overlap", 2), ("size", 32)):
        natron.edit(group, f"gvm_{name}", number)
    natron.idle()
    return group


def write_below(app: App, node: Effect) -> Effect:
    """Make a Write whose renders make the mattes first."""
    write = app.createNode(natron.WRITE)
    write.connectInput(0, node)
    for param, function in NAMES.items():
        natron.edit(write, param, f"{MODULE}.{function}")
    return write


def only_group(app: App) -> Effect:
    """Return the project's only group of ours."""
    (group,) = (each for each in app.getChildren() if each.getParam("gvm_id"))
    return group


def as_node(app: App, group: Effect) -> NatronNode:
    """Return a group as the buttons see it."""
    return HOST.node(app, group)


def text(group: Effect, name: str) -> str:
    """Return one of the group's texts: `status`, `job`, `id`."""
    return str(group.getParam(f"gvm_{name}").get())


def mattes(group: Effect) -> Effect:
    """Return the Read inside."""
    return group.getNode(MATTES)


def shown(group: Effect, time: int) -> str:
    """Return the matte's file that is shown at a time, or "" for none."""
    return natron.shown_file(mattes(group).node, time)


def finish(group: Effect) -> str:
    """Be Natron until the group's job has ended, and return its status."""
    work = TRACKER._jobs[text(group, "id")]
    natron.pump(lambda: not work.is_running)
    natron.idle()
    return text(group, "status")
