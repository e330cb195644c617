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
# ruff: noqa: N802, N803, N816, FBT001, FBT002

from __future__ import annotations

import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from tests.fakes import nuke_session
from tests.fakes.nuke_nodes import (
    BBox_Knob,
    Boolean_Knob,
    Double_Knob,
    Enumeration_Knob,
    File_Knob,
    Group,
    Int_Knob,
    Knob,
    MultiView_Knob,
    Node,
    PyScript_Knob,
    Root,
    String_Knob,
    Tab_Knob,
    Text_Knob,
)
from tests.fakes.nuke_script import script_lines
from tests.fakes.nuke_session import Session, only_main

__all__ = [
    "BBox_Knob",
    "Boolean_Knob",
    "Double_Knob",
    "Enumeration_Knob",
    "File_Knob",
    "Int_Knob",
    "MultiView_Knob",
    "PyScript_Knob",
    "String_Knob",
    "Tab_Knob",
    "Text_Knob",
]

DO_NOT_WRITE, NO_UNDO = nuke_session.DO_NOT_WRITE, nuke_session.NO_UNDO
INVISIBLE, STARTLINE, REPLACE = 0x400, 0x1000, 1
DEADLOCK_SECONDS = 0.2
REACH = 10  # nodes that Python may have of a script in Indie and Non-commercial

GUI = True
env: dict[str, bool] = {}
rawArgs: list[str] = []


def write_number(node: Node, frame: int, path: Path) -> None:
    """Write a file that is no image."""
    path.write_text(str(frame))


renderer: Callable[[Node, int, Path], None] = write_number


def start(*, gui: bool = True, args: Iterable[str] = (), edition: str = "") -> None:
    """Start anew: what was open is gone. Editions are `indie` and `nc`."""
    global GUI, renderer  # a process has one Nuke
    nuke_session.begin(Session())
    session().root = Root("Root", None)
    GUI, renderer = gui, write_number
    env.clear()
    env.update({edition: True} if edition else {})
    session().reach = REACH if edition else None
    ProgressTask.cancelled = False
    rawArgs[:] = args


def session() -> Session:
    """Return what a test may look at."""
    return nuke_session.current()


def pump(until: Callable[[], bool], seconds: float = 30) -> None:
    """Be Nuke's main loop until something is true."""
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline, "It did not happen."
        try:
            call, args = session().calls.get(timeout=0.02)
        except queue.Empty:
            continue
        call(*args)


def createNode(kind: str, knobs: str = "", inpanel: bool = True) -> Node:
    only_main()
    group = session().inside[-1] if session().inside else None
    node = (Group if kind == "Group" else Node)(kind, group)
    (group.children if group else session().nodes).append(node)
    node.has_open_panel = inpanel
    node.setName(f"{kind}1")
    session().reached(node)
    session().call("onCreate", node)
    return node


def paste(node: Node) -> Node:
    """Copy and paste a node: knobs and what is inside, then the onCreate callbacks."""
    twin = _copied(node, None)
    twin.sources = list(node.sources)
    session().is_building = True
    _made(twin, node.name())
    session().is_building = False
    return twin


def open_panel(node: Node) -> None:
    """Open a node's panel, as the artist does."""
    node.has_open_panel = True
    session().changed(node, Knob("showPanel"))


def _made(node: Node, name: str) -> None:
    """Have a node come into the script: what is inside first, then its knobs and inputs."""
    for child in node.children if isinstance(node, Group) else ():
        session().call("onCreate", child)
    session().nodes.append(node)
    node.setName(name)
    for knob in (*node.all.values(), *(Knob("inputChange") for _ in node.sources)):
        session().changed(node, knob)
    session().call("onCreate", node)


def delete(node: Node) -> None:
    session().nodes.remove(node)
    node.is_deleted = True


def allNodes(kind: str = "", group: Group | None = None, recurseGroups: bool = False) -> list[Node]:
    """Return nodes of a group, by default of the current one: in a Group's callback, that Group."""
    only_main()
    group = group or _current_group()
    if isinstance(group, Root):
        group.attached()
    nodes = group.children if isinstance(group, Group) else session().nodes
    found = _walk(nodes) if recurseGroups and not kind else nodes
    return [session().reached(node) for node in found if kind in ("", node.Class())]


def selectedNodes() -> list[Node]:
    return list(session().selection)


def executing() -> bool:
    return session().executing


def tprint(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _current_group() -> Group | None:
    node = session().stack[-1][0] if session().stack else None
    if isinstance(node, Group):
        return node
    return node.group if node else None


def root() -> Root:
    return session().root


def toNode(name: str) -> Node | None:
    found = (node for node in _walk(session().nodes) if f"root.{node.fullName()}" == name)
    return next(found, None)


def views() -> list[str]:
    return list(session().views)


def frame(to: int | None = None) -> int:
    if to is not None:
        session().frame = to
    return session().frame


def thisNode() -> Node | None:
    return session().reached(session().stack[-1][0])


def thisKnob() -> Knob | None:
    return session().stack[-1][1]


def filename(node: Node, how: int = 0) -> str:
    """Expand a file for the current view and proxy; with REPLACE, for the current frame too."""
    path = node["proxy"].value() if session().proxy else ""
    path = (path or node["file"].value()).replace("%V", session().views[0])
    path = path.replace("[getenv SHOW]", "/show")
    return path % session().frame if how & REPLACE and "%" in path else path


def filenameFilter(path: str) -> str:
    return path.replace("P:/", "/mnt/p/")


def showInfo(node: Node) -> str:
    at = session().validated
    view = session().validated_view or session().views[0]
    return f"Op for {{{node.name()} frame={at} view={view}}} hash={node._hash(at):016x}\n"


def message(text: str) -> None:
    only_main()
    assert GUI, "A dialog in batch waits for ever."
    session().messages.append(text)


def executeInMainThread(call: Callable[..., None], args: tuple[Any, ...] = ()) -> None:
    _only_apart()
    session().calls.put((call, args))


def executeInMainThreadWithResult(call: Callable[..., Any], args: tuple[Any, ...] = ()) -> Any:
    """Wait for a call's result; of one that fails the traceback is printed, and None comes back."""
    _only_apart()
    answer: queue.Queue[Any] = queue.Queue()

    def told() -> None:
        try:
            answer.put(call(*args))
        except Exception:  # noqa: BLE001 - as Nuke's
            traceback.print_exc()
            answer.put(None)

    session().calls.put((told, ()))
    return answer.get()


def _only_apart() -> None:
    if threading.get_ident() == session().main:
        time.sleep(DEADLOCK_SECONDS)
        raise RuntimeError("Nuke hangs: it waits for the main thread on the main thread.")


def execute(
    node: Node,
    first: int,
    last: int,
    incr: int = 1,
    views: list[str] | None = None,
    continueOnError: bool = False,
) -> None:
    """Render; afterRender is called at the end, and not where the render was broken off.

    To go on after errors is to go on after those of callbacks too.
    """
    only_main()
    assert views is None or set(views) <= set(session().views)
    if session().executing:
        raise RuntimeError("I'm already executing something else")
    if session().refuses:
        raise RuntimeError(session().refuses.pop())
    if node["disable"].value():
        raise RuntimeError(f"{node.name()} is disabled")

    session().executing = True
    try:
        _attempt(partial(session().call, "beforeRender", node), continueOnError)
        for number in range(first, last + 1, incr):
            session().frame = number
            _attempt(partial(session().call, "beforeFrameRender", node), continueOnError)
            _attempt(partial(_render, node, number), continueOnError)
        session().call("afterRender", node)
    finally:
        session().executing = False


def _attempt(step: Callable[[], None], goes_on: bool) -> None:
    try:
        step()
    except RuntimeError:
        if not goes_on:
            raise


def scriptSave(path: str) -> None:
    """Write the script, and keep the nodes as Nuke would read them again."""
    root()["name"].setValue(path)
    Path(path).write_text("".join(script_lines(session().nodes)))
    _saved[path] = list(session().nodes)
    session().modified = False


def scriptOpen(path: str) -> None:
    """Load a script: node by node, the root last, then onScriptLoad."""
    twins = {id(node): _copied(node, None) for node in _saved[path]}
    session().nodes = []
    session().is_loading = session().is_building = True
    for node in _saved[path]:
        twins[id(node)].sources = [twins.get(id(above)) for above in node.sources]
        _made(twins[id(node)], node.all["name"].value())
    session().is_loading = session().is_building = False
    root()["name"].setValue(path)
    session().call("onCreate", root())
    session().call("onScriptLoad", root())
    session().modified = False


_saved: dict[str, list[Node]] = {}


class Undo:
    """Undo can be switched off, as often as it is then switched on again."""

    @staticmethod
    def disable() -> None:
        session().undo_off += 1

    @staticmethod
    def enable() -> None:
        session().undo_off -= 1


class ProgressTask:
    """A bar that nobody cancels, unless a test says so."""

    cancelled = False

    def __init__(self, name: str) -> None:
        self.shown: list[int] = []

    def setProgress(self, percent: int) -> None:
        self.shown.append(percent)

    def setMessage(self, text: str) -> None:
        only_main()

    def isCancelled(self) -> bool:
        return self.cancelled


def _adder(event: str) -> Callable[..., None]:
    def add(call: Callable[[], None], nodeClass: str = "*") -> None:
        """Register a callback; the same one again is kept once."""
        known = session().callbacks.setdefault(event, [])
        if (call, nodeClass) in known:
            known.remove((call, nodeClass))
        known.append((call, nodeClass))

    return add


addOnCreate, addOnScriptLoad = _adder("onCreate"), _adder("onScriptLoad")
addKnobChanged, addBeforeRender = _adder("knobChanged"), _adder("beforeRender")
addBeforeFrameRender, addAfterRender = _adder("beforeFrameRender"), _adder("afterRender")


def _walk(nodes: Iterable[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        if isinstance(node, Group):
            yield from _walk(node.children)


def _render(node: Node, number: int) -> None:
    if number == session().cancel_at:
        raise RuntimeError("cancelled")
    for above in _tree(node):
        if above.Class() == "Read" and above["on_error"].value() == "error":
            name = above["file"].value()
            path = Path(name % number if "%" in name else name)
            if not path.is_file():
                raise RuntimeError(f"{above.name()}: {path}: Read error: No such file")
    shift = int(node["frame"].value()) if node["frame_mode"].value() == "offset" else 0
    path = Path(node["file"].value() % (number + shift))
    if node["create_directories"].value():
        path.parent.mkdir(parents=True, exist_ok=True)
    session().rendered.append(number)
    renderer(node, number, path)


def _tree(node: Node) -> Iterator[Node]:
    """Yield what a node's picture is made of: a Group's by what is inside."""
    for above in _read_by(node):
        yield above
        yield from _tree(above)


def _read_by(node: Node) -> list[Node]:
    if isinstance(node, Group):
        read = [node.output()]
    elif node.Class() == "Input" and node.group is not None:
        number = node["number"].value()
        read = node.group.sources[number : number + 1]
    else:
        read = node.sources[:1] if node["disable"].value() else node.sources
    return [above for above in read if above is not None]


def _copied(node: Node, group: Group | None) -> Node:
    twin = (Group if isinstance(node, Group) else Node)(node.kind, group)
    twin.native |= node.native
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
