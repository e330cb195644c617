"""One running Natron of the fake: its main thread, and Qt's timers on it.

Parameters are set on the main thread, and in NatronRenderer on a render's too; a timer of Qt's is
made and started on the main thread only; timers run while `pump` is the main loop.
"""

# The names are Natron's and Qt's.
# ruff: noqa: N802

from __future__ import annotations

import inspect
import sys
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any


class Session:
    """One running Natron."""

    def __init__(self, *, background: bool) -> None:
        self.background = background
        self.apps: dict[int, Any] = {}
        self.pyplugs: dict[str, Any] = {}
        self.absent: set[str] = set()  # plug-ins that this Natron was built without
        self.script_editor: list[str] = []
        self.saved: dict[str, Any] = {}
        self.timers: list[QTimer] = []
        self.invoked: list[Callable[[], None]] = []
        self.main_loop: list[Callable[[], None]] = []  # what a test does meanwhile
        self.main = threading.get_ident()
        self.rendering: set[int] = set()  # the threads of renders
        # By the sources a change above a Write ends its render; NatronRenderer was seen to go on.
        self.ends_renders = not background
        self.names: dict[str, Any] = {"inspect": inspect, "sys": sys}  # of Natron's `__main__`


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


def session() -> Session:
    """Return what a test may look at."""
    return _session


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


def only_main() -> None:
    assert threading.get_ident() == _session.main, "Natron's parameters belong to the main thread."


def only_setters() -> None:
    if not (_session.background and threading.get_ident() in _session.rendering):
        only_main()
