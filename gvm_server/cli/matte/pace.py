"""How fast a job goes, and how long it will take yet, for lines in a log."""

from __future__ import annotations

import time

from gvm_client.protocol.messages import Accepted, FrameReady
from gvm_client.text import counted
from gvm_server.cli.terminal import duration_in_words


class Pace:
    """Counts a job's frames.

    Frames that stood already, or came from the cache, are there at once: what is left is told by
    those that were made.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._since = self._began
        self._total = self._done = self._made = 0

    def begin(self, event: Accepted) -> None:
        """Begin anew: a job was looked at."""
        self._since = time.monotonic()
        self._total, self._done, self._made = event.frames_total, 0, 0

    def add(self, event: FrameReady) -> None:
        """Count a frame."""
        self._done += 1
        self._made += not event.cached

    @property
    def share(self) -> float:
        """How much of the job is done, 0 to 1."""
        return self._done / max(self._total, 1)

    def in_words(self) -> str:
        """Return such as `12/100 frames, 0.50 frames/s, 2 min 56 s left`."""
        now = time.monotonic()
        rate = self._done / max(now - self._began, 1e-9)
        left = self._total - self._done
        said = f"{self._done}/{counted(self._total, 'frame')}, {rate:.2f} frames/s"
        if not (self._made and left):
            return said
        return f"{said}, {duration_in_words((now - self._since) * left / self._made)} left"
