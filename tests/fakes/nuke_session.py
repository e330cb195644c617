"""One running Nuke of the fake: what is open, what was set, and whom Nuke calls."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

DO_NOT_WRITE, NO_UNDO = 0x200, 0x80000


class Session:
    """One running Nuke."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.inside: list[Any] = []
        self.stack: list[tuple[Any, Any]] = []
        self.callbacks: dict[str, list[tuple[Callable[[], None], str]]] = {}
        self.every_change = True  # whether knobChanged is more than an open panel's
        self.is_building = False  # nodes are being pasted or loaded: none is drawn yet
        self.is_loading = False  # a script is: its root comes last
        self.modified = self.executing = self.proxy = self.telling = False
        self.undo_off = 0  # Nuke counts: each disable needs its enable
        self.undone: list[str] = []
        self.frame = self.validated = 1
        self.calls: queue.Queue[tuple[Callable[..., None], tuple[Any, ...]]] = queue.Queue()
        self.messages: list[str] = []
        self.rendered: list[int] = []
        self.refuses: list[str] = []  # what the next renders say instead of being done
        self.cancel_at: int | None = None
        self.validated_view = ""  # "" is the current view, the first
        self.views = ["main"]
        self.metadata_of_views = True  # whether metadata takes a view, which is no old argument
        self.selection: list[Any] = []
        self.reach: int | None = None  # how many nodes Python may have, in some editions
        self.had: set[int] = set()
        self.local_copies: dict[Path, bytes] = {}
        self.root: Any = None
        self.main = threading.get_ident()

    def reached(self, node: Any) -> Any:
        """Hand a node to Python; what happens after the last one is not documented: an error."""
        self.had.add(id(node))
        if self.reach is not None and len(self.had) > self.reach:
            raise RuntimeError(f"Python may have {self.reach} nodes in this edition of Nuke.")
        return node

    def touched(self, knob: Any) -> None:
        if not knob.flags & DO_NOT_WRITE:
            self.modified = True
        if not self.undo_off and not knob.flags & NO_UNDO:
            self.undone.append(knob.name())
        if knob.owner is not None:
            self.changed(knob.owner, knob)

    def changed(self, node: Any, knob: Any) -> None:
        """Call knobChanged.

        Its documents differ: for every change, also closed, by a script that is loaded, and within
        itself; or only for a node whose panel is open, and never within itself.
        """
        if self.every_change:
            self.call("knobChanged", node, knob)
        elif node.has_open_panel and not self.telling:
            self.telling = True
            try:
                self.call("knobChanged", node, knob)
            finally:
                self.telling = False

    def call(self, event: str, node: Any, knob: Any = None) -> None:
        for callback, kind in list(self.callbacks.get(event, [])):
            if kind == "*" or (node is not None and node.Class() == kind):
                self.within(node, knob, callback)

    def within(self, node: Any, knob: Any, call: Callable[[], None]) -> None:
        self.stack.append((node, knob))
        try:
            call()
        finally:
            self.stack.pop()


_open = [Session()]  # one: a process has one Nuke


def current() -> Session:
    """Return the Nuke that runs."""
    return _open[0]


def begin(session: Session) -> None:
    """Be another Nuke from now on."""
    _open[0] = session


def only_main() -> None:
    """Refuse any thread but the main one."""
    assert threading.get_ident() == current().main, "Nuke's nodes belong to the main thread."
