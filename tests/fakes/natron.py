"""A Natron without Natron: nodes, parameters, callbacks, threads and projects, as documented.

What it holds its users to, as Natron's sources do:

- a callback is a text, `Module.function`, whose arguments' names are checked; what goes wrong in
  one is a line in the Script Editor, and in a Write's callback the end of the render;
- `set` calls back at once, with userEdited False; parameters are set on the main thread only;
- a Read's file, when it is set or read anew, sets its frames to those on disk, and does nothing
  else while a project is loaded or a PyPlug is built: then only a Read that was born with a file
  has a decoder;
- a copy, and a project if so wished, builds a PyPlug anew and brings back its parameters only;
- a change that renders something, above a Write that renders, ends its render;
- each question about a node is answered with a new object; a parameter that is not there is None;
- a timer of Qt's starts on the main thread only, and runs while `pump` is the main loop.
"""

# The names are Natron's and Qt's.
# ruff: noqa: N802, D101, FBT001, FBT002

from __future__ import annotations

import copy
import inspect
import re
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

READ, WRITE, GROUP = "fr.inria.built-in.Read", "fr.inria.built-in.Write", "fr.inria.built-in.Group"
DOT, INPUT = "fr.inria.built-in.Dot", "fr.inria.built-in.Input"
MERGE = "net.sf.openfx.MergePlugin"

_BEYOND = ("hold", "loop", "bounce", "black", "error")
_COMMON = {"disableNode": False, "userTextArea": "", "onParamChanged": "", "onInputChanged": ""}
_CHOICES = {
    "before": _BEYOND,
    "after": _BEYOND,
    "onMissingFrame": ("previous", "next", "nearest", "error", "black"),
    "frameMode": ("startingTime", "timeOffset"),
    "outputComponents": ("RGBA", "RGB", "RG", "Alpha"),
    "operation": ("over", "copy"),
    "bbox": ("union", "intersection", "a", "b"),
}
_NATIVE: dict[str, dict[str, Any]] = {
    READ: {"firstFrame": 0, "lastFrame": 0, "before": 0, "after": 0, "onMissingFrame": 3,
           "frameMode": 0, "startingTime": 0, "timeOffset": 0, "outputComponents": 0},
    WRITE: {"beforeRender": "", "beforeFrameRender": "", "afterRender": ""},
    GROUP: {"afterNodeCreated": "", "beforeNodeRemoval": ""},
    MERGE: {"operation": 0, "bbox": 0, **{f"OutputChannels{one}": True for one in "RGBA"}},
}  # fmt: skip
_INPUTS = {READ: 0, "net.sf.openfx.ColorBars": 0, INPUT: 0, MERGE: 64}


class Param:
    """A parameter; `evaluates` says whether a change of it renders something."""

    kind: Any = None
    type_name = ""

    def __init__(self, owner: Node, name: str, label: str, value: Any, *, user: bool) -> None:
        self.owner, self.name, self.label, self.value, self.user = owner, name, label, value, user
        self.evaluates = self.animates = self.visible = self.enabled = True
        self.default: Any = value
        self.help = ""

    def getScriptName(self) -> str:
        return self.name

    def getLabel(self) -> str:
        return self.label

    def getTypeName(self) -> str:
        return self.type_name

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        self.assign(value, by_artist=False)

    def assign(self, value: Any, *, by_artist: bool) -> None:
        only_main()
        fitting = self.fitting(value)
        if fitting is None:
            return
        self.value = fitting
        self.owner.changed(self, by_artist=by_artist)

    def fitting(self, value: Any) -> Any:
        if type(value) is not self.kind and not (self.kind is float and type(value) is int):
            raise TypeError(f"{self.name}: {value!r} is no {self.kind}")
        return self.kind(value)

    def setDefaultValue(self, value: Any) -> None:
        only_main()
        self.default = self.value = self.fitting(value)

    def setHelp(self, text: str) -> None:
        self.help = text

    def setEvaluateOnChange(self, evaluates: bool) -> None:
        if self.user:
            self.evaluates = evaluates

    def setAnimationEnabled(self, animates: bool) -> None:
        if self.user:
            self.animates = animates

    def setVisible(self, visible: bool) -> None:
        self.visible = visible

    def getIsVisible(self) -> bool:
        return self.visible

    def setEnabled(self, enabled: bool) -> None:
        only_main()
        self.enabled = enabled

    def getIsEnabled(self) -> bool:
        return self.enabled


class IntParam(Param):
    kind, type_name = int, "Int"


class DoubleParam(Param):
    kind, type_name = float, "Double"


class BooleanParam(Param):
    kind, type_name = bool, "Bool"


class StringParam(Param):
    kind, type_name = str, "String"
    TypeEnum = SimpleNamespace(eStringTypeLabel="label")
    shown_as = ""

    def setType(self, kind: str) -> None:
        self.shown_as = kind


class FileParam(Param):
    kind, type_name = str, "InputFile"
    reloads = 0

    def reloadFile(self) -> None:
        only_main()
        self.reloads += 1
        self.owner.changed(self, by_artist=False)


class ChoiceParam(Param):
    """A choice is its index; a text that is none of its options changes nothing."""

    kind, type_name = int, "Choice"
    options: tuple[str, ...] = ()

    def fitting(self, value: Any) -> int | None:
        if isinstance(value, str):
            return self.options.index(value) if value in self.options else None
        return super().fitting(value)

    def setDefaultValue(self, value: Any) -> None:
        if isinstance(value, str) and value not in self.options:
            raise RuntimeError("terminate called: no such option")
        super().setDefaultValue(value)

    def getOptions(self) -> list[str]:
        return list(self.options)

    def getOption(self, index: int) -> str:
        return self.options[index] if 0 <= index < len(self.options) else ""

    def setOptions(self, options: list[tuple[str, str]]) -> None:
        only_main()
        self.options = tuple(name for name, _help in options)
        self.value = 0


class ButtonParam(Param):
    type_name = "Button"

    def trigger(self) -> None:
        """Be pressed."""
        only_main()
        if not self.owner.params["disableNode"].value:
            self.owner.changed(self, by_artist=True)


class PageParam(Param):
    type_name = "Page"

    def addParam(self, param: Param) -> None:
        self.owner.pages.setdefault(self.label, []).append(param.name)


_KINDS = {int: IntParam, float: DoubleParam, bool: BooleanParam, str: StringParam}


class Node:
    """A node as Natron has it; scripts see an `Effect`."""

    def __init__(self, app: App, plugin: str, parent: Node | None) -> None:
        self.app, self.plugin, self.parent = app, plugin, parent
        self.name = self.title = ""
        self.pyplug = ""
        self.inputs: dict[int, Node] = {}
        self.children: list[Node] = []
        self.active = True
        self.decoder = self.guessed = False
        self.colour = (0.5, 0.5, 0.5)
        self.pages: dict[str, list[str]] = {}
        self.params: dict[str, Param] = {}
        for name, value in {**_COMMON, **_NATIVE.get(plugin, {})}.items():
            self.add(name, value)
        if plugin in (READ, WRITE):
            self.params["filename"] = FileParam(self, "filename", "File", "", user=False)

    def add(self, name: str, value: Any) -> None:
        if name in _CHOICES:
            made: Param = ChoiceParam(self, name, name, value, user=False)
            made.options = _CHOICES[name]
        else:
            made = _KINDS[type(value)](self, name, name, value, user=False)
        made.evaluates = name not in (*_COMMON, *_NATIVE[WRITE], *_NATIVE[GROUP])
        self.params[name] = made

    def changed(self, param: Param, *, by_artist: bool) -> None:
        if self.app.loading:
            return
        if self.plugin == READ and not self.app.building:
            self._read_changed(param.name)
        if param.evaluates and not isinstance(param, ButtonParam):
            self.app.evaluated.append(f"{self.name}.{param.name}")
            self.app.aborts = self.app.aborts or self.app.renders
        if param.name == "onParamChanged" or hasattr(Effect, param.name):
            return  # a node's own attribute hides a parameter, which is then not found
        self.app.call(
            self.params["onParamChanged"].value,
            thisParam=param,
            thisNode=Effect(self),
            thisGroup=Effect(self.parent) if self.parent else self.app,
            app=self.app,
            userEdited=by_artist,
        )

    def connected(self, index: int) -> None:
        self.app.call(
            self.params["onInputChanged"].value,
            inputIndex=index,
            thisNode=Effect(self),
            thisGroup=Effect(self.parent) if self.parent else self.app,
            app=self.app,
        )

    def created(self) -> None:
        holder = self if self.plugin == GROUP else self.parent
        if holder is not None:
            self.app.call(
                holder.params["afterNodeCreated"].value,
                thisNode=Effect(self),
                app=self.app,
                userEdited=False,
            )

    def number(self, name: str, value: int | None = None) -> int:
        """Return one of a Read's numbers, or set it as its plug-in does, with no callback."""
        if value is not None:
            self.params[name].value = value
        return int(self.params[name].value)

    def look(self) -> None:
        """Set a Read's frames to those on disk."""
        first, last = on_disk(self.params["filename"].value)
        self.number("firstFrame", first)
        self.number("lastFrame", last)

    def _read_changed(self, name: str) -> None:
        if name == "filename":
            self.decoder = True
            self.look()
            if not self.guessed:
                self.number("startingTime", self.number("firstFrame"))
                self.guessed = shown_file(self, self.number("firstFrame")) != ""
        first, offset = self.number("firstFrame"), self.number("timeOffset")
        if name == "startingTime":
            self.number("timeOffset", self.number("startingTime") - first)
        elif name in ("firstFrame", "timeOffset"):
            self.number("startingTime", first + offset)


class Effect:
    """What a script sees of a node; a new one each time."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def getScriptName(self) -> str:
        return self.node.name

    def setScriptName(self, name: str) -> bool:
        only_main()
        self.node.name = name
        return True

    def getLabel(self) -> str:
        return self.node.title

    def setLabel(self, label: str) -> None:
        self.node.title = label

    def getPluginID(self) -> str:
        return self.node.pyplug or self.node.plugin

    def isReaderNode(self) -> bool:
        return self.node.plugin == READ

    def getColor(self) -> tuple[float, float, float]:
        return self.node.colour

    def setColor(self, red: float, green: float, blue: float) -> None:
        only_main()
        self.node.colour = (red, green, blue)

    def getParam(self, name: str) -> Param | None:
        return self.node.params.get(name)

    def getMaxInputCount(self) -> int:
        if self.node.plugin == GROUP:
            return sum(child.plugin == INPUT for child in self.node.children)
        return _INPUTS.get(self.node.plugin, 1)

    def getInput(self, index: int) -> Effect | None:
        above = self.node.inputs.get(index)
        return Effect(above) if above is not None and above.active else None

    def connectInput(self, index: int, other: Effect) -> bool:
        only_main()
        self.node.inputs[index] = other.node
        self.node.connected(index)
        return True

    def disconnectInput(self, index: int) -> None:
        only_main()
        self.node.inputs.pop(index, None)
        self.node.connected(index)

    def getChildren(self) -> list[Effect]:
        return [Effect(node) for node in self.node.children if node.active]

    def getNode(self, name: str) -> Effect | None:
        return next((each for each in self.getChildren() if each.getScriptName() == name), None)

    def destroy(self, reconnect: bool = True) -> None:
        only_main()
        self.node.active = False

    def refreshUserParamsGUI(self) -> None:
        only_main()

    def createIntParam(self, name: str, label: str) -> Param | None:
        return self._user(IntParam, name, label, 0)

    def createDoubleParam(self, name: str, label: str) -> Param | None:
        return self._user(DoubleParam, name, label, 0.0)

    def createBooleanParam(self, name: str, label: str) -> Param | None:
        return self._user(BooleanParam, name, label, value=False)

    def createStringParam(self, name: str, label: str) -> Param | None:
        return self._user(StringParam, name, label, "")

    def createChoiceParam(self, name: str, label: str) -> Param | None:
        return self._user(ChoiceParam, name, label, 0)

    def createButtonParam(self, name: str, label: str) -> Param | None:
        return self._user(ButtonParam, name, label, None)

    def createPageParam(self, name: str, label: str) -> Param | None:
        return self._user(PageParam, name, label, None)

    def _user(self, kind: type[Param], name: str, label: str, value: Any) -> Param | None:
        only_main()
        known = self.node.params.setdefault(name, kind(self.node, name, label, value, user=True))
        return known if isinstance(known, kind) else None


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
        if plugin in _session.pyplugs:
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
        module = _session.pyplugs[pyplug]
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
            _session.script_editor.append(f"{text}: {error!r}")


@dataclass
class Rendered:
    """What a render of a Write did: the frames, the files that each read, and why it ended."""

    frames: list[int] = field(default_factory=list)
    files: dict[int, list[str]] = field(default_factory=dict)
    failed: str = ""
    aborted: bool = False


class Session:
    """One running Natron."""

    def __init__(self, *, background: bool) -> None:
        self.background = background
        self.apps: dict[int, App] = {}
        self.pyplugs: dict[str, Any] = {}
        self.script_editor: list[str] = []
        self.saved: dict[str, App] = {}
        self.timers: list[QTimer] = []
        self.invoked: list[Callable[[], None]] = []
        self.main_loop: list[Callable[[], None]] = []  # what a test does meanwhile
        self.main = threading.get_ident()


class QTimer:
    """Qt's timer; off its thread it cannot be made or started."""

    def __init__(self) -> None:
        only_main()
        self.active, self.slots = False, []
        self.timeout = SimpleNamespace(connect=self.slots.append)
        _session.timers.append(self)

    def setInterval(self, milliseconds: int) -> None:
        assert milliseconds >= 10, "This keeps the main thread busy."

    def start(self) -> None:
        only_main()
        self.active = True

    def stop(self) -> None:
        only_main()
        self.active = False


def _invoke(timer: QTimer, method: str, how: str) -> bool:
    assert how == "queued", "This would run on the wrong thread."
    _session.invoked.append(getattr(timer, method))
    return True


_session = Session(background=False)
QtCore = SimpleNamespace(
    QTimer=QTimer,
    QMetaObject=SimpleNamespace(invokeMethod=_invoke),
    Qt=SimpleNamespace(QueuedConnection="queued"),
)
NatronEngine = SimpleNamespace(
    StringParam=StringParam,
    natron=SimpleNamespace(
        isBackground=lambda: _session.background,
        getInstance=lambda number: session().apps.get(number),  # noqa: PLW0108 - asked each time
    ),
)


def start(*, background: bool = False, qt: bool = True) -> App:
    """Start Natron anew with an empty project: what was open is gone."""
    _session.__init__(background=background)
    sys.modules["NatronEngine"] = NatronEngine
    for binding in ("qtpy", "PySide2", "PySide"):
        sys.modules[f"{binding}.QtCore"] = None
    if qt:
        sys.modules["qtpy.QtCore"] = QtCore
    return new_project()


def session() -> Session:
    """Return what a test may look at."""
    return _session


def new_project() -> App:
    """Open another, empty project."""
    number = max(_session.apps, default=-1) + 1
    _session.apps[number] = App(number)
    return _session.apps[number]


def close(app: App) -> None:
    """Close a project."""
    del _session.apps[app.id]


def install(text: str, name: str) -> None:
    """Load a PyPlug's file, as Natron does when it starts."""
    assert "# Natron PyPlug" in text.splitlines()
    module = types.ModuleType(name)
    exec(compile(text, f"{name}.py", "exec"), module.__dict__)
    _session.pyplugs[module.getPluginID()] = module


def edit(effect: Effect, name: str, value: Any) -> None:
    """Change a parameter as an artist does."""
    param = effect.getParam(name)
    assert param.enabled, f"{name} is greyed out."
    assert param.visible, f"{name} is not to be seen."
    param.assign(value, by_artist=True)


def press(effect: Effect, name: str) -> None:
    """Press a button."""
    effect.getParam(name).trigger()


def pump(until: Callable[[], bool], seconds: float = 30) -> None:
    """Be Natron's main loop until something is true."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "It did not happen."
        _turn()
        time.sleep(0.002)


def idle() -> None:
    """Be the main loop until no timer runs."""
    pump(lambda: not _session.invoked and not any(timer.active for timer in _session.timers))


def _turn() -> None:
    while _session.invoked:
        _session.invoked.pop(0)()
    for meanwhile in _session.main_loop:
        meanwhile()
    for timer in _session.timers:
        if timer.active:
            for slot in timer.slots:
                slot()


def save(app: App, path: str) -> None:
    """Save a project."""
    app.root["projectPath"].value = path.rpartition("/")[0] + "/"
    kept = copy.deepcopy(app)
    _session.saved[path] = kept


def load(path: str, *, anew: bool = False) -> App:
    """Open a saved project.

    Args:
        path: where it was saved.
        anew: whether PyPlugs are built anew; else they come back as plain Groups, whole.
    """
    saved = copy.deepcopy(_session.saved[path])
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
    if not _session.background:
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
        if not file and read.params["onMissingFrame"].value == _CHOICES["onMissingFrame"].index(
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
    modules = {module.__name__: module for module in _session.pyplugs.values()}
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


def shown_file(read: Node, at: int) -> str:
    """Return the file that a Read shows at a time; "" where it shows none."""
    first, last = read.number("firstFrame"), read.number("lastFrame")
    number = at - read.number("timeOffset")
    if not first <= number <= last:
        beyond = _BEYOND[read.number("before" if number < first else "after")]
        if beyond != "hold":  # the others are their own test's
            return ""
        number = min(max(number, first), last)
    path = file_of(read.params["filename"].value, number)
    return path if read.decoder and Path(path).is_file() else ""


def file_of(path: str, number: int) -> str:
    """Return the file of a frame of a pattern; a movie is its own."""
    return re.sub(
        r"%0?(\d*)d|#+", lambda found: str(number).zfill(int(found[1] or len(found[0]))), path
    )


def on_disk(path: str) -> tuple[int, int]:
    """Return the first and last number of a pattern's files; 1 and 1 where there are none."""
    head, _, tail = re.sub(r"%0?\d*d|#+", "\0", path).partition("\0")
    folder = Path(head).parent
    wanted = re.compile(re.escape(Path(head + "X").name[:-1]) + r"(-?\d+)" + re.escape(tail))
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(found[1]) for name in names if (found := wanted.fullmatch(name))]
    return (min(numbers), max(numbers)) if numbers else (1, 1)


def only_main() -> None:
    assert threading.get_ident() == _session.main, "Natron's parameters belong to the main thread."
