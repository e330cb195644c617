"""The way back to Natron's main thread, which has no function for it: a queue and a timer of Qt's.

Laws:
1. The timer is made on the main thread, and only there started and stopped: another thread puts
   calls into the queue, and asks Qt to have the timer started.
2. It runs while jobs do, and a little longer, so that a Natron whose Qt cannot be asked hears of
   them too.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any

INTERVAL_MS = 100
LINGERS = 20  # intervals without a call and without a job, after which the timer stops
_BINDINGS = ("qtpy.QtCore", "PySide2.QtCore", "PySide.QtCore")


@cache
def qt_core() -> Any | None:  # noqa: ANN401 - one of three bindings, none of which is a need
    """Return the QtCore that this Natron brings, or None."""
    return next(filter(None, map(_loaded, _BINDINGS)), None)


class MainThread:
    """Calls that the main thread shall make.

    Args:
        is_busy: tells whether jobs are under way.
    """

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._calls: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._timer: Any = None
        self._quiet = 0  # intervals

    def post(self, call: Callable[[], None]) -> None:
        """Have the main thread call this soon; from any thread."""
        self._calls.put(call)
        core = qt_core()
        if self._timer is not None and core is not None:
            core.QMetaObject.invokeMethod(self._timer, "start", core.Qt.QueuedConnection)

    def watch(self) -> None:
        """Have the timer run until nothing is under way; on the main thread only."""
        core = qt_core()
        if core is None:
            return
        if self._timer is None:
            self._timer = core.QTimer()
            self._timer.setInterval(INTERVAL_MS)
            self._timer.timeout.connect(self._tick)
        self._quiet = 0
        self._timer.start()

    def _tick(self) -> None:
        self._quiet = 0 if self._is_busy() else self._quiet + 1
        for call in iter(self._next, None):
            self._quiet = 0
            call()
        if self._quiet >= LINGERS:
            self._timer.stop()

    def _next(self) -> Callable[[], None] | None:
        try:
            return self._calls.get_nowait()
        except Empty:
            return None


def _loaded(name: str) -> Any | None:  # noqa: ANN401 - as above
    try:
        return import_module(name)
    except (ImportError, RuntimeError):  # qtpy's own errors are RuntimeErrors
        return None
