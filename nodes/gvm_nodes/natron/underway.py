"""Whether a Write of this Natron renders: what it reads must not change under it.

Law: a change of a node above a Write, a file that is read anew among them, ends its render in
Natron. So what mattes are to be shown waits, unless no render was heard of for a while: a Write
that does not say when its render ends must not keep the mattes away for ever.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gvm_client.protocol.messages import Matte

FORGOTTEN_SECONDS = 60.0  # longer than a frame takes, and shorter than an artist looks for mattes


class UnderWay:
    """The renders that are under way, and the mattes that are to be shown after them.

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
        """Whether a render is under way, as far as Natron says."""
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
