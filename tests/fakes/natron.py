"""A Natron without Natron: nodes, parameters, callbacks, threads and projects, as documented.

What it holds its users to, as Natron's sources and NatronRenderer 2.5 do, beside what
`natron_nodes`, `natron_read`, `natron_render` and `natron_session` say:

- a copy, and a project if so wished, builds a PyPlug anew and brings back its parameters only;
- while a project is loaded its path is empty, and what is set then has no consequences;
- a change that renders something, above a Write that renders, ends its render.
"""

# The names are Natron's and Qt's.
# ruff: noqa: N802

from __future__ import annotations

import copy
import sys
import types
from types import SimpleNamespace
from typing import Any

from tests.fakes import natron_read
from tests.fakes.natron_nodes import (
    DOT,
    GROUP,
    INPUT,
    MERGE,
    READ,
    UNPREMULT,
    WRITE,
    Effect,
    Node,
    written,
)
from tests.fakes.natron_params import ChoiceParam, Param, StringParam
from tests.fakes.natron_read import shown_file
from tests.fakes.natron_render import NotThere, abort, call_by_text, render
from tests.fakes.natron_session import QtCore, idle, only_main, pump, session

__all__ = [
    "DOT",
    "GROUP",
    "INPUT",
    "MERGE",
    "READ",
    "UNPREMULT",
    "WRITE",
    "Effect",
    "NotThere",
    "abort",
    "idle",
    "pump",
    "render",
    "session",
    "shown_file",
    "written",
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

    def createNode(
        self, plugin: str, version: int = -1, group: Effect | None = None
    ) -> Effect | None:
        only_main()
        if plugin in session().absent:
            return None
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
        natron_read.born(made.node)
        return made

    def render(self, write: Effect, first: int, last: int, step: int) -> None:
        """Render a Write; in batch it waits. Nobody hears how it ended."""
        render(self, write, range(first, last + 1, step))

    def loadProject(self, path: str) -> App | None:
        return load(path) if path in session().saved else None

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


NatronEngine = SimpleNamespace(
    StringParam=StringParam,
    natron=SimpleNamespace(
        isBackground=lambda: session().background,
        getInstance=lambda number: session().apps.get(number),  # noqa: PLW0108 - asked each time
    ),
)


def start(*, background: bool = False, qt: bool = True) -> App:
    """Start Natron anew with an empty project: what was open is gone."""
    for module in session().pyplugs.values():
        sys.modules.pop(module.__name__, None)
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
    session().names[name] = sys.modules[name] = module


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
    folder = path.rpartition("/")[0]
    others = [row for row in saved.root["projectPaths"].value if row[0] != "Project"]
    app.root["projectPaths"].value = [["Project", folder], *others]
    app.bounds, app.loading = saved.bounds, True
    try:
        _restore(app, None, saved.nodes, anew=anew)
        app.root["projectPath"].value = f"{folder}/"
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
            if node.plugin == READ:
                natron_read.born(node)
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
        if name == "outputLayer":  # not saved
            continue
        known = node.params.setdefault(name, copy.copy(param))
        known.owner, known.value, known.enabled = node, param.value, param.enabled
        if isinstance(known, ChoiceParam):
            known.options = param.options
