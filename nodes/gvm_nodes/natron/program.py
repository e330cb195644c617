"""The Natron that runs: its objects, its main thread, and the renders that are active.

Natron publishes no types; its modules are loaded in Natron only.

Natron has no function that calls back on its main thread: a queue and a timer of Qt's do it. The
timer is made, started and stopped on the main thread; another thread puts calls into the queue, and
asks Qt to start the timer. It runs while jobs do, and a little longer, so that calls are made also
where Qt cannot be asked.

A change above a Write, such as a file that is read anew, ends its render. So mattes that are to be
shown wait while a render is active, unless none was heard of for `FORGOTTEN_SECONDS`: a Write that
does not say when its render ends must not keep the mattes away for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias

from gvm_client.protocol.messages import Matte

App: TypeAlias = Any
"""A project that is open."""
Effect: TypeAlias = Any
"""A node; Natron makes a new object for it each time that it is asked for."""
Param: TypeAlias = Any
"""A parameter, likewise."""

INPUT = "fr.inria.built-in.Input"
OUTPUT = "fr.inria.built-in.Output"
DOT = "fr.inria.built-in.Dot"
MERGE = "net.sf.openfx.MergePlugin"
UNPREMULT = "net.sf.openfx.Unpremult"
CLAMP = "net.sf.openfx.Clamp"
DILATE = "net.sf.cimg.CImgDilate"
BLUR = "net.sf.cimg.CImgBlur"
NEWEST = -1  # of a plug-in's versions

_OWN_CHANGE: ContextVar[bool] = ContextVar("own_change", default=False)

INTERVAL_MS = 100
QUIET_INTERVALS = 20  # intervals without a call and without a job, after which the timer stops
_BINDINGS = ("qtpy.QtCore", "PySide2.QtCore", "PySide.QtCore")

FORGOTTEN_SECONDS = 60.0  # longer than a frame takes, and shorter than an artist looks for mattes


def natron() -> Any:  # noqa: ANN401 - as above
    """Return the running program."""
    return import_module("NatronEngine").natron


def is_background() -> bool:
    """Whether this is NatronRenderer, or Natron without windows."""
    return bool(natron().isBackground())


def label_kind() -> Any:  # noqa: ANN401 - as above
    """Return the kind of a text parameter that is shown and not edited."""
    return import_module("NatronEngine").StringParam.TypeEnum.eStringTypeLabel


def param_value(param: Param) -> Any:  # noqa: ANN401 - a parameter holds what its kind says
    """Return a parameter's value; of a choice its text, for Natron gives its index."""
    value = param.get()
    return str(param.getOption(value)) if param.getTypeName() == "Choice" else value


def set_if_changed(param: Param, value: object) -> None:
    """Set a parameter that has another value; each change is one of the project, and a render."""
    if param_value(param) != value:
        param.set(value)


@contextmanager
def quietly() -> Iterator[None]:
    """Change parameters without hearing of it: Natron calls back within `set`."""
    token = _OWN_CHANGE.set(True)
    try:
        yield
    finally:
        _OWN_CHANGE.reset(token)


def is_own_change() -> bool:
    """Whether what changes now is changed by us."""
    return _OWN_CHANGE.get()


@cache
def qt_core() -> Any | None:  # noqa: ANN401 - one of three bindings, none of which is a need
    """Return the QtCore that this Natron brings, or None."""
    return next(filter(None, map(_import_binding, _BINDINGS)), None)


class MainThread:
    """Calls that the main thread shall make.

    Args:
        is_busy: tells whether jobs run.
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
        """Have the timer run until no job runs; on the main thread only."""
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
        if self._quiet >= QUIET_INTERVALS:
            self._timer.stop()

    def _next(self) -> Callable[[], None] | None:
        try:
            return self._calls.get_nowait()
        except Empty:
            return None


def _import_binding(name: str) -> Any | None:  # noqa: ANN401 - as above
    try:
        return import_module(name)
    except (ImportError, RuntimeError):  # qtpy's own errors are RuntimeErrors
        return None


class ActiveRenders:
    """The renders that are active, and the mattes that are to be shown after them.

    Args:
        clock: tells seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._renders = self._frames = 0
        self._heard = 0.0
        self._waiting: dict[str, Matte] = {}  # by the node's identity

    def begin(self) -> None:
        """A render begins; any thread."""
        with self._lock:
            self._renders, self._heard = self._renders + 1, self._clock()

    def end(self) -> None:
        """A render has ended; any thread."""
        with self._lock:
            self._renders = max(self._renders - 1, 0)

    @contextmanager
    def frame(self) -> Iterator[None]:
        """Prepare a frame; any thread."""
        with self._lock:
            self._frames += 1
        try:
            yield
        finally:
            with self._lock:
                self._frames, self._heard = self._frames - 1, self._clock()

    def keeps(self, identity: str, made: Matte) -> bool:
        """Whether these mattes must wait; if so they are kept."""
        with self._lock:
            busy = self._is_busy()
            if busy:
                self._waiting[identity] = made
        return busy

    @property
    def is_busy(self) -> bool:
        """Whether a render is active, as far as Natron says."""
        with self._lock:
            return self._is_busy()

    def _is_busy(self) -> bool:
        lately = self._clock() - self._heard < FORGOTTEN_SECONDS
        return self._frames > 0 or (self._renders > 0 and lately)

    def take(self) -> dict[str, Matte]:
        """Return what waited, and keep it no longer."""
        with self._lock:
            waited, self._waiting = self._waiting, {}
        return waited
