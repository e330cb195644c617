"""A Nuke without Nuke: nodes, knobs, callbacks, threads and renders that behave as documented.

It is what the node's code imports as `nuke` in tests. Like the real one: node calls off the main
thread are refused, waiting for the main thread on the main thread never returns (here it raises
after a moment), a render within a render is refused, and knobs marked DO_NOT_WRITE are not
saved. A Group's buttons and callbacks look for nodes inside that Group; a class and `recurseGroups`
together look at one level only; knobChanged is called for a node whose panel is open, and never
within itself; nodes that only pass pictures on have no op. What it does not do: pixels; `renderer`
writes a frame's file.
"""

# The names, and the positional flags, are Nuke's.
# ruff: noqa: N801, N802, N803, N815, N816, FBT001, FBT002, D101

from __future__ import annotations

import hashlib
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.fakes import nuke_session
from tests.fakes.nuke_script import script_lines
from tests.fakes.nuke_session import Session

DO_NOT_WRITE, NO_UNDO = nuke_session.DO_NOT_WRITE, nuke_session.NO_UNDO
INVISIBLE, STARTLINE, REPLACE = 0x400, 0x1000, 1
DEADLOCK_SECONDS = 0.2

_COMMON = {"label": "", "tile_color": 0, "disable": False}
_WITHOUT_OP = ("Dot", "FrameHold", "Input", "Output", "Group")
_CLASSES: dict[str, dict[str, Any]] = {
    "Root": {"first_frame": 1, "last_frame": 100, "name": "", "workingSpaceLUT": "linear"},
    "Read": {"file": "", "first": 1, "last": 1, "origfirst": 1, "origlast": 1, "raw": False,
             "colorspace": "default", "proxy": "", "frame_mode": "expression", "frame": "",
             "on_error": "error"},
    "Write": {"file": "", "file_type": "", "channels": "rgb", "raw": False, "first": 1, "last": 1,
              "create_directories": False, "use_limit": False, "reading": False,
             "datatype": "32 bit float", "autocrop": True},
    "Blur": {"size": 1.0},
    "Copy": {"from0": "", "to0": ""},
    "Crop": {"box": ["0", "0", "1", "1"]},
    "Dot": {}, "FrameHold": {}, "Input": {"number": 0}, "Output": {}, "Group": {},
}  # fmt: skip


class Knob:
    """A named value; setting it runs the knobChanged callbacks of its node."""

    number = 1  # of its kind, in an addUserKnob line
    default: Any = ""

    def __init__(self, name: str, label: str = "", value: Any = None) -> None:
        self._name, self.label_text, self.flags = name, label, 0
        self._value = self.default if value is None else value
        self.owner: Node | None = None
        self.expression = ""
        self.is_enabled = True

    def name(self) -> str:
        return self._name

    def value(self) -> Any:
        if self.expression and self.owner is not None:
            return self.owner.group[self.expression.removeprefix("parent.")].value()
        return self._value

    getValue = value

    def setValue(self, value: Any) -> bool:
        _only_main()
        self._value = value
        if self.owner is not None:
            _session.touched(self)
        return True

    def setExpression(self, expression: str, index: int = -1) -> bool:
        if index < 0:
            self.expression = expression
        else:
            self._value = [*self._value[:index], expression, *self._value[index + 1 :]]
        return True

    def setEnabled(self, enabled: bool) -> None:
        self.is_enabled = enabled

    def enabled(self) -> bool:
        return self.is_enabled

    def setFlag(self, flag: int) -> None:
        self.flags |= flag

    def setTooltip(self, text: str) -> None:
        self.tooltip_text = text


class String_Knob(Knob):
    pass


class Text_Knob(Knob):
    number = 26


class File_Knob(Knob):
    def evaluate(self) -> str | None:
        """Return the file with its expressions worked out; None for an empty one."""
        folder = Path(_session.root.name()).parent.as_posix()
        return self._value.replace("[python {nuke.script_directory()}]", folder) or None


class Tab_Knob(Knob):
    number = 20


class Int_Knob(Knob):
    number, default = 3, 0


class Double_Knob(Knob):
    number, default = 7, 0.0


class Boolean_Knob(Knob):
    number, default = 6, False


class Enumeration_Knob(Knob):
    number = 4

    def __init__(self, name: str, label: str, values: list[str]) -> None:
        super().__init__(name, label, values[0])
        self.names = values

    def setValue(self, value: Any) -> bool:
        if value not in self.names:
            raise TypeError(f"{value!r} is none of {self.names}")
        return super().setValue(value)


class MultiView_Knob(Knob):
    number = 45

    def __init__(self, name: str, label: str = "") -> None:
        super().__init__(name, label, " ".join(views()))


class PyScript_Knob(Knob):
    number = 22

    def execute(self) -> None:
        """Press the button."""
        _session.within(self.owner, self, lambda: exec(self._value, {"nuke": _module()}))


class Node:
    """A node: knobs, inputs, and what its tree says of frames and hashes."""

    def __init__(self, kind: str, group: Group | None) -> None:
        self.kind, self.group, self.sources = kind, group, []
        self.all: dict[str, Knob] = {}
        for name, value in {**_COMMON, **_CLASSES[kind], "name": ""}.items():
            self.addKnob(Knob(name, "", value))
        if kind == "Read":
            self.addKnob(PyScript_Knob("reload", "", "pass"))
        if kind == "Write":
            self.addKnob(MultiView_Knob("views"))
        if kind == "Root":
            self.addKnob(File_Knob("project_directory"))
        self.has_open_panel = True
        self.native = set(self.all)

    def Class(self) -> str:
        return self.kind

    def addKnob(self, knob: Knob) -> None:
        knob.owner = self
        self.all[knob.name()] = knob

    def knob(self, name: str) -> Knob | None:
        return self.all.get(name)

    def __getitem__(self, name: str) -> Knob:
        _only_main()
        if name not in self.all:
            raise NameError(f"knob {name} does not exist")
        return self.all[name]

    def name(self) -> str:
        _only_main()
        return self.all["name"].value()

    def setName(self, name: str) -> None:
        others = {node.name() for node in _session.nodes if node is not self}
        stem, number = name.rstrip("0123456789"), 1
        while name in others and self.group is None:
            number, name = number + 1, f"{stem}{number + 1}"
        self.all["name"].setValue(name)

    def fullName(self) -> str:
        return f"{self.group.fullName()}.{self.name()}" if self.group else self.name()

    def setInput(self, index: int, node: Node | None) -> bool:
        self.sources += [None] * (index + 1 - len(self.sources))
        self.sources[index] = node
        while self.sources and self.sources[-1] is None:
            self.sources.pop()
        _session.changed(self, Knob("inputChange"))
        return True

    def input(self, index: int) -> Node | None:
        return self.sources[index] if index < len(self.sources) else None

    def inputs(self) -> int:
        return len(self.sources)

    def firstFrame(self) -> int:
        return self._extent("first")

    def lastFrame(self) -> int:
        return self._extent("last")

    def _extent(self, end: str) -> int:
        if self.kind == "Read":
            return self[end].value()
        above = self.input(0)
        return above._extent(end) if above else _session.root[f"{end}_frame"].value()

    def clones(self) -> int:
        return 0

    def metadata(self, key: str, frame: int, view: str = "") -> str | None:
        """Validate the op at a frame, and return the file that it is read from."""
        _session.validated = frame
        if self.kind == "Read":
            return self.all["file"].value() % frame
        above = self._first_above()
        return above.metadata(key, frame, view) if above else None

    def opHashes(self) -> list[int]:
        """Return signed numbers, as Python has C's."""
        if self.kind in _WITHOUT_OP:
            return []
        unsigned = self._hash(_session.validated)
        return [unsigned - (1 << 64) if unsigned >> 63 else unsigned]

    def _first_above(self) -> Node | None:
        if self.kind == "Input" and self.group is not None:
            return self.group.input(self.all["number"].value())
        return self.input(0)

    def _hash(self, frame: int) -> int:
        own = [(knob.name(), knob.value()) for knob in self.all.values()
               if knob.name() not in ("name", "label", "tile_color")]  # fmt: skip
        above = [node._hash(frame) for node in (self._first_above(), *self.sources[1:]) if node]
        text = repr((self.kind, own, above, frame, _session.proxy))
        return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16)


class Group(Node):
    """A node of nodes; within `with group:` new nodes land inside."""

    def __init__(self, kind: str, group: Group | None) -> None:
        super().__init__(kind, group)
        self.children: list[Node] = []

    def __enter__(self) -> Group:  # noqa: PYI034 - `Self` is not in Python 3.10
        _session.inside.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        _session.inside.pop()

    def node(self, name: str) -> Node | None:
        return next((node for node in self.children if node.name() == name), None)

    def nodes(self) -> list[Node]:
        return list(self.children)

    def output(self) -> Node | None:
        return next((node for node in self.children if node.Class() == "Output"), None)


class Root(Node):
    def name(self) -> str:
        return self.all["name"].value() or "Root"

    def proxy(self) -> bool:
        return _session.proxy

    def setProxy(self, on: bool) -> None:
        _session.proxy = on

    def modified(self) -> bool:
        return _session.modified

    def setModified(self, state: bool) -> None:
        _session.modified = state


_session = Session(Root("Root", None))
GUI = True
rawArgs: list[str] = []


def write_number(node: Node, frame: int, path: Path) -> None:
    """Write a file that is no image."""
    path.write_text(str(frame))


renderer: Callable[[Node, int, Path], None] = write_number


def start(*, gui: bool = True, args: Iterable[str] = ()) -> None:
    """Start anew: what was open is gone."""
    global _session, GUI, renderer  # a process has one Nuke
    _session, GUI, renderer = Session(Root("Root", None)), gui, write_number
    ProgressTask.cancelled = False
    rawArgs[:] = args


def session() -> Session:
    """Return what a test may look at."""
    return _session


def pump(until: Callable[[], bool], seconds: float = 30) -> None:
    """Be Nuke's main loop until something is true."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "It did not happen."
        try:
            call, args = _session.calls.get(timeout=0.02)
        except queue.Empty:
            continue
        call(*args)


def createNode(kind: str, knobs: str = "", inpanel: bool = True) -> Node:
    _only_main()
    group = _session.inside[-1] if _session.inside else None
    node = (Group if kind == "Group" else Node)(kind, group)
    (group.children if group else _session.nodes).append(node)
    node.setName(f"{kind}1")
    _session.call("onCreate", node)
    return node


def paste(node: Node) -> Node:
    """Copy and paste a node: knobs and what is inside, then the onCreate callbacks."""
    twin = _copied(node, None)
    _session.nodes.append(twin)
    twin.setName(node.name())
    _session.call("onCreate", twin)
    return twin


def delete(node: Node) -> None:
    _session.nodes.remove(node)


def allNodes(kind: str = "", group: Group | None = None, recurseGroups: bool = False) -> list[Node]:
    """Return nodes of a group, by default of the current one: in a Group's callback, that Group."""
    _only_main()
    group = group or _current_group()
    nodes = group.children if isinstance(group, Group) else _session.nodes
    found = _walk(nodes) if recurseGroups and not kind else nodes
    return [node for node in found if kind in ("", node.Class())]


def selectedNodes() -> list[Node]:
    return list(_session.selection)


def executing() -> bool:
    return _session.executing


def tprint(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _current_group() -> Group | None:
    node = _session.stack[-1][0] if _session.stack else None
    if isinstance(node, Group):
        return node
    return node.group if node else None


def root() -> Root:
    return _session.root


def toNode(name: str) -> Node | None:
    found = (node for node in _walk(_session.nodes) if f"root.{node.fullName()}" == name)
    return next(found, None)


def views() -> list[str]:
    return list(_session.views)


def frame(to: int | None = None) -> int:
    if to is not None:
        _session.frame = to
    return _session.frame


def thisNode() -> Node | None:
    return _session.stack[-1][0]


def thisKnob() -> Knob | None:
    return _session.stack[-1][1]


def filename(node: Node, how: int = 0) -> str:
    """Expand a file for the current view and proxy; with REPLACE, for the current frame too."""
    path = node["proxy"].value() if _session.proxy else ""
    path = (path or node["file"].value()).replace("%V", _session.views[0])
    path = path.replace("[getenv SHOW]", "/show")
    return path % _session.frame if how & REPLACE and "%" in path else path


def filenameFilter(path: str) -> str:
    return path.replace("P:/", "/mnt/p/")


def showInfo(node: Node) -> str:
    at = _session.validated
    return f"Op for {{{node.name()} frame={at} view=main}} hash={node._hash(at):016x}\n"


def message(text: str) -> None:
    _only_main()
    assert GUI, "A dialog in batch waits for ever."
    _session.messages.append(text)


def executeInMainThread(call: Callable[..., None], args: tuple[Any, ...] = ()) -> None:
    _only_apart()
    _session.calls.put((call, args))


def executeInMainThreadWithResult(call: Callable[..., Any], args: tuple[Any, ...] = ()) -> Any:
    _only_apart()
    answer: queue.Queue[Any] = queue.Queue()
    _session.calls.put((lambda: answer.put(call(*args)), ()))
    return answer.get()


def _only_apart() -> None:
    if threading.get_ident() == _session.main:
        time.sleep(DEADLOCK_SECONDS)
        raise RuntimeError("Nuke hangs: it waits for the main thread on the main thread.")


def execute(
    node: Node, first: int, last: int, incr: int = 1, views: list[str] | None = None
) -> None:
    _only_main()
    assert views is None or set(views) <= set(_session.views)
    if _session.executing:
        raise RuntimeError("I'm already executing something else")
    if node["disable"].value():
        raise RuntimeError(f"{node.name()} is disabled")
    _session.executing = True
    try:
        _session.call("beforeRender", node)
        for number in range(first, last + 1, incr):
            _session.frame = number
            _session.call("beforeFrameRender", node)
            _render(node, number)
    finally:
        _session.executing = False


def scriptSave(path: str) -> None:
    """Write the script, and keep the nodes as Nuke would read them again."""
    root()["name"].setValue(path)
    Path(path).write_text("".join(script_lines(_session.nodes)))
    _saved[path] = list(_session.nodes)
    _session.modified = False


def scriptOpen(path: str) -> None:
    twins = {id(node): _copied(node, None) for node in _saved[path]}
    for node in _saved[path]:
        twins[id(node)].sources = [twins.get(id(above)) for above in node.sources]
    _session.nodes = list(twins.values())
    root()["name"].setValue(path)
    for node in list(_session.nodes):
        _session.call("onCreate", node)
    _session.call("onScriptLoad", root())
    _session.modified = False


_saved: dict[str, list[Node]] = {}


class Undo:
    """Undo can be switched off."""

    @staticmethod
    def disable() -> None:
        _session.undo = False

    @staticmethod
    def enable() -> None:
        _session.undo = True


class ProgressTask:
    """A bar that nobody cancels, unless a test says so."""

    cancelled = False

    def __init__(self, name: str) -> None:
        self.shown: list[int] = []

    def setProgress(self, percent: int) -> None:
        self.shown.append(percent)

    def setMessage(self, text: str) -> None:
        _only_main()

    def isCancelled(self) -> bool:
        return self.cancelled


def _adder(event: str) -> Callable[..., None]:
    def add(call: Callable[[], None], nodeClass: str = "*") -> None:
        _session.callbacks.setdefault(event, []).append((call, nodeClass))

    return add


addOnCreate, addOnScriptLoad = _adder("onCreate"), _adder("onScriptLoad")
addKnobChanged, addBeforeRender = _adder("knobChanged"), _adder("beforeRender")
addBeforeFrameRender = _adder("beforeFrameRender")


def _module() -> Any:
    return sys.modules[__name__]


def _only_main() -> None:
    assert threading.get_ident() == _session.main, "Nuke's nodes belong to the main thread."


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        if isinstance(node, Group):
            yield from _walk(node.children)


def _render(node: Node, number: int) -> None:
    if number == _session.cancel_at:
        raise RuntimeError("cancelled")
    for above in _tree(node):
        if above.Class() == "Read" and above["on_error"].value() == "error":
            path = Path(above["file"].value() % number)
            if not path.is_file():
                raise RuntimeError(f"{above.name()}: {path}: Read error: No such file")
    path = Path(node["file"].value() % number)
    if node["create_directories"].value():
        path.parent.mkdir(parents=True, exist_ok=True)
    _session.rendered.append(number)
    renderer(node, number, path)


def _tree(node: Node) -> Iterator[Node]:
    inside = node.children if isinstance(node, Group) else ()
    for above in (*node.sources, *inside):
        if above is not None:
            yield above
            yield from _tree(above)


def _copied(node: Node, group: Group | None) -> Node:
    twin = (Group if isinstance(node, Group) else Node)(node.kind, group)
    for name, knob in node.all.items():
        if name not in twin.all:
            copied = object.__new__(type(knob))
            copied.__dict__.update(knob.__dict__)
            twin.addKnob(copied)
        if not knob.flags & DO_NOT_WRITE:
            twin.all[name]._value, twin.all[name].expression = knob._value, knob.expression
    if isinstance(node, Group) and isinstance(twin, Group):
        twin.children = [_copied(child, twin) for child in node.children]
        twins = dict(zip(map(id, node.children), twin.children, strict=True))
        for child, copy in zip(node.children, twin.children, strict=True):
            copy.sources = [twins.get(id(above)) for above in child.sources]
    return twin
