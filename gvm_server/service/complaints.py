"""Log lines about strange messages: a few a second, whatever a peer sends."""

from __future__ import annotations

import logging
import time

LINES_PER_SECOND = 3

_log = logging.getLogger(__name__)


class Complaints:
    """Counts what was refused and logs the first few of each second."""

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def add(self, sentence: str) -> None:
        """Log a sentence, unless too many were logged in this second."""
        second = int(time.monotonic())
        if second != self._second:
            if self._count > LINES_PER_SECOND:
                _log.warning("Refused %d more.", self._count - LINES_PER_SECOND)
            self._second, self._count = second, 0
        self._count += 1
        if self._count <= LINES_PER_SECOND:
            _log.warning("Refused: %s", sentence)
