"""Calls that wait until Nuke is idle: what a callback may not do itself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import nuke


def later(call: Callable[[], None]) -> None:
    """Have the main thread call this when it is idle; there must be a GUI, whose loop does it.

    From another thread, because Nuke may refuse to be asked on the main one, or call at once.
    """
    threading.Thread(
        target=nuke.executeInMainThread, args=(call, ()), name="gvm-later", daemon=True
    ).start()
