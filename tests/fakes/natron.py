"""A Natron without Natron: nodes, parameters, callbacks, threads and projects, as documented.

What it holds its users to, as Natron's sources do, beside what `natron_nodes` and `natron_session`
say:

- a callback is a text, `Module.function`, whose arguments' names are checked; what goes wrong in
  one is a line in the Script Editor, and in a Write's callback the end of the render;
- a copy, and a project if so wished, builds a PyPlug anew and brings back its parameters only;
- a change that renders something, above a Write that renders, ends its render.
"""

# The names are Natron's and Qt's.
# ruff: noqa: N802

from __future__ import annotations

import copy
import inspect
import sys
import threading
import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from tests.fakes.natron_nodes import (
    CHOICES,
    DOT,
    GROUP,
    INPUT,
    MERGE,
    READ,
    WRITE,
    ChoiceParam,
    Effect,
    Node,
    Param,
    StringParam,
    shown_file,
)
from tests.fakes.natron_session import QtCore, idle, only_main, pump, session

__all__ = [
    "DOT",
    "GROUP",
    "INPUT",
    "MERGE",
    "READ",
    "WRITE",
    "Effect",
    "idle",
    "pump",
    "session",
    "shown_file",
]


class _Paths(Param):
    """The project's variables."""

    def getTable(self) -> list[list[str]]:
        return self.value


class App:
    """A project."""

    def __init__(self, number: int) -> None:
        self.id, self.nodes = number, []
        self.loading = self.building = self.renders = self.aborts = False
        self.evaluated: list[str] = []
        self.bounds, self.time = (1, 100), 1
        self.root: dict[str, Param] = {}
        root = Node(self, "Project", None)
        self.root["projectPath"] = StringParam(root, "projectPath", "", "", user=False)
        self.root["projectPaths"] = _Paths(root, "projectPaths", "", [], user=False)

    def getAppID(self) -> int:
        return self.id

    def getProjectParam(self, name: str) -> Param | None:
        return self.root.get(name)

    def timelineGetTime(self) -> int:
        return self.time

    def timelineGetLeftBound(self) -> int:
        return self.bounds[0]

    def timelineGetRightBound(self) -> int:
        return self.bounds[1]

    def getChildren(self) -> list[Effect]:
        return [Effect(node) for node in self.nodes if node.active]

    def createNode(self, plugin: str, version: int = -1, group: Effect | None = None) -> Effect:
        only_main()
        if plugin in session().pyplugs:
            node = self.build(plugin, group.node if group else None, None)
        else:
            node = self.place(Node(self, plugin, group.node if group else None))
            node.created()
        return Effect(node)

    def createReader(self, filename: str, group: Effect | None = None) -> Effect:
        made = self.createNode(READ, -1, group)
        made.node.params["filename"].value = filename
        made.node.decoder = True
        made.node.look()
        made.node.number("startingTime", made.node.number("firstFrame"))
        return made

    def place(self, node: Node, stem: str = "") -> Node:
        """Put a node where it belongs, under a name that is free there."""
        siblings = node.parent.children if node.parent else self.nodes
        stem = stem or node.plugin.rsplit(".", 1)[-1].removesuffix("Plugin")
        taken = {each.name for each in siblings}
        node.name = next(f"{stem}{n}" for n in range(1, 999) if f"{stem}{n}" not in taken)
        node.title = node.name
        siblings.append(node)
        return node

    def build(self, pyplug: str, parent: Node | None, saved: Node | None) -> Node:
        """Build a PyPlug, as Natron does: what was saved is put back before and after."""
        module = session().pyplugs[pyplug]
        node = Node(self, GROUP, parent)
        node.pyplug = pyplug
        self.place(node, module.getLabel())
        if saved is not None:
            bring_back(node, saved)
        node.created()
        self.building = True
        try:
            module.createInstance(self, Effect(node))
        finally:
            self.building = False
        if saved is not None:
            bring_back(node, saved)
        return node

    def call(self, text: str, **given: Any) -> None:
        """Call what a text names; what goes wrong is said in the Script Editor."""
        try:
            call_by_text(text, given)
        except Exception as error:  # noqa: BLE001 - as the host does
            session().script_editor.append(f"{text}: {error!r}")


@dataclass
class Rendered:
    """What a render of a Write did: the frames, the files that each read, and why it ended."""

    frames: list[int] = field(default_factory=list)
    files: dict[int, list[str]] = field(default_factory=dict)
    failed: str = ""
    aborted: bool = False


NatronEngine = SimpleNamespace(
    StringParam=StringParam,
    natron=SimpleNamespace(
        isBackground=lambda: session().background,
        getInstance=lambda number: session().apps.get(number),  # noqa: PLW0108 - asked each time
    ),
)


def start(*, background: bool = False, qt: bool = True) -> App:
    """Start Natron anew with an empty project: what was open is gone."""
    session().__init__(background=background)
    sys.modules["NatronEngine"] = NatronEngine
    for binding in ("qtpy", "PySide2", "PySide"):
        sys.modules[f"{binding}.QtCore"] = None
    if qt:
        sys.modules["qtpy.QtCore"] = QtCore
    return new_project()


def new_project() -> App:
    """Open another, empty project."""
    number = max(session().apps, default=-1) + 1
    session().apps[number] = App(number)
    return session().apps[number]


def close(app: App) -> None:
    """Close a project."""
    del session().apps[app.id]


def install(text: str, name: str) -> None:
    """Load a PyPlug's file, as Natron does when it starts."""
    assert "# Natron PyPlug" in text.splitlines()
    module = types.ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    session().pyplugs[module.getPluginID()] = module


def edit(effect: Effect, name: str, value: Any) -> None:
    """Change a parameter as an artist does."""
    param = effect.getParam(name)
    assert param.enabled, f"{name} is greyed out."
    assert param.visible, f"{name} is not to be seen."
    param.assign(value, by_artist=True)


def press(effect: Effect, name: str) -> None:
    """Press a button."""
    effect.getParam(name).trigger()


def save(app: App, path: str) -> None:
    """Save a project."""
    app.root["projectPath"].value = path.rpartition("/")[0] + "/"
    kept = copy.deepcopy(app)
    session().saved[path] = kept


def load(path: str, *, anew: bool = False) -> App:
    """Open a saved project.

    Args:
        path: where it was saved.
        anew: whether PyPlugs are built anew; else they come back as plain Groups, whole.
    """
    saved = copy.deepcopy(session().saved[path])
    app = new_project()
    app.root["projectPath"].value = saved.root["projectPath"].value
    app.bounds, app.loading = saved.bounds, True
    try:
        _restore(app, None, saved.nodes, anew=anew)
    finally:
        app.loading = False
    return app


def paste(effect: Effect) -> Effect:
    """Copy and paste a node, without what it is connected to."""
    saved = copy.deepcopy(effect.node)
    app, parent = effect.node.app, effect.node.parent
    if saved.pyplug:
        return Effect(app.build(saved.pyplug, parent, saved))
    node = app.place(Node(app, saved.plugin, parent))
    bring_back(node, saved)
    node.created()
    _restore(app, node, saved.children, anew=False)
    return Effect(node)


def _restore(app: App, parent: Node | None, saved: list[Node], *, anew: bool) -> None:
    made: dict[int, Node] = {}
    for each in saved:
        if anew and each.pyplug:
            node = app.build(each.pyplug, parent, each)
        else:
            node = app.place(Node(app, each.plugin, parent))
            bring_back(node, each)
            node.decoder = each.decoder
            node.created()
            _restore(app, node, each.children, anew=anew)
        node.name, node.title, made[id(each)] = each.name, each.title, node
    for each in saved:
        for index, above in each.inputs.items():
            made[id(each)].inputs[index] = made[id(above)]
            made[id(each)].connected(index)


def bring_back(node: Node, saved: Node) -> None:
    """Put saved parameters back, those that were a user's too; nothing hears of it."""
    for name, param in saved.params.items():
        known = node.params.setdefault(name, copy.copy(param))
        known.owner, known.value, known.enabled = node, param.value, param.enabled
        if isinstance(known, ChoiceParam):
            known.options = param.options


def render(app: App, write: Effect, frames: Iterable[int], *, threads: int = 1) -> Rendered:
    """Render a Write on threads of Natron's, while the main loop runs; in batch it waits."""
    done, left, lock = Rendered(), iter(frames), threading.Lock()

    def render_frames() -> None:
        while not (app.aborts or done.failed):
            with lock:
                frame = next(left, None)
            if frame is None:
                return
            _render_frame(app, write, frame, done)

    def run() -> None:
        _step(done, write, "beforeRender", thisNode=write, app=app)
        workers = [threading.Thread(target=render_frames) for _ in range(threads)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        done.aborted, done.frames = app.aborts or bool(done.failed), sorted(done.frames)
        app.renders = False
        _step(Rendered(), write, "afterRender", aborted=done.aborted, thisNode=write, app=app)

    app.renders, app.aborts = True, False
    scheduler = threading.Thread(target=run)
    scheduler.start()
    if not session().background:
        pump(lambda: not scheduler.is_alive())
    scheduler.join()
    return done


def abort(app: App) -> None:
    """Abort a render, as the artist does."""
    app.aborts = True


def _render_frame(app: App, write: Effect, frame: int, done: Rendered) -> None:
    _step(done, write, "beforeFrameRender", frame=frame, thisNode=write, app=app)
    if done.failed or app.aborts:
        return
    files = []
    for read in _reads_above(write.node):
        file = shown_file(read, frame)
        if not file and read.params["onMissingFrame"].value == CHOICES["onMissingFrame"].index(
            "error"
        ):
            done.failed = f"{read.name}: Cannot load frame"
            return
        files.append(file)
    done.files[frame] = files
    done.frames.append(frame)


def _step(done: Rendered, write: Effect, param: str, **given: Any) -> None:
    try:
        call_by_text(write.node.params[param].value, given)
    except Exception as error:  # noqa: BLE001 - as the host does
        done.failed = done.failed or str(error)


def call_by_text(text: str, given: dict[str, Any]) -> None:
    """Call `Module.function`, whose arguments must be called as Natron calls them."""
    if not text:
        return
    module_name, _, name = text.partition(".")
    modules = {module.__name__: module for module in session().pyplugs.values()}
    function = getattr(modules[module_name], name)
    spec = inspect.getargspec(function)
    assert spec[0] == list(given), f"{text}{spec[0]} must take {list(given)}"
    assert spec[1] is None
    assert spec[2] is None
    function(*given.values())


def _reads_above(node: Node) -> Iterator[Node]:
    for above in (*node.inputs.values(), *node.children):
        if above.plugin == READ:
            yield above
        yield from _reads_above(above)
