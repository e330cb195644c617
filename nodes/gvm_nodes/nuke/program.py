"""The Nuke that runs: its edition, calls while it is idle, and changes that it does not record."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import nuke

_NAMES = {"nc": "Non-commercial", "indie": "Indie"}  # as `nuke.env` has them

_waiting: list[Callable[[], None]] = []


def edition_refusal() -> str:
    """Return why this Nuke can make no mattes, and what to do; "" for one that can."""
    for word, name in _NAMES.items():
        if nuke.env.get(word):
            return (
                f"Nuke {name} lets Python reach ten nodes, too few for this node to make mattes."
                " Use the OpenFX node (`gvm install ofx`) or `gvm matte`; mattes that exist are"
                " shown."
            )
    return ""


def has_toolbar() -> bool:
    """Whether there is a toolbar of nodes; Hiero has none."""
    return not nuke.env.get("hiero")


def call_when_idle(call: Callable[[], None]) -> None:
    """Have the main thread call this once it is idle; there must be a GUI, whose loop does it.

    From another thread, because Nuke may refuse to be asked on the main one, or call at once. A
    call that waits already is not made twice.
    """
    if call in _waiting:
        return
    _waiting.append(call)

    def now() -> None:
        _waiting.remove(call)
        call()

    def ask() -> None:
        try:
            nuke.executeInMainThread(now, ())
        except RuntimeError:  # it is about to end: nothing waits any more
            _waiting.remove(call)

    threading.Thread(target=ask, name="gvm-later", daemon=True).start()


@contextmanager
def without_undo() -> Iterator[None]:
    """Let what is set now not enter Nuke's undo."""
    nuke.Undo.disable()
    try:
        yield
    finally:
        nuke.Undo.enable()


@contextmanager
def quietly() -> Iterator[None]:
    """Let what is set now neither mark the script as modified nor enter its undo."""
    root = nuke.root()
    modified = root.modified()
    with without_undo():
        yield
    root.setModified(modified)
