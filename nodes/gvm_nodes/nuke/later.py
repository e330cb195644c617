"""Calls that wait until Nuke is idle: what a callback may not do itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import nuke

_waiting: list[Callable[[], None]] = []


def later(call: Callable[[], None]) -> None:
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
