"""The server's log, bounded: the file in size, lines about refused messages in their rate."""

from __future__ import annotations

import logging
import os
import stat
import time
from pathlib import Path

from gvm_client.limits import MAX_LOG_BYTES
from gvm_client.platform import replace_file

_OUTPUTS = (1, 2)

REFUSALS_PER_SECOND = 3

_log = logging.getLogger(__name__)


def rotate(log: Path, *, limit: int = MAX_LOG_BYTES) -> bool:
    """Put a long log aside, as `.log.1`, and write on into a new one; return whether that was done.

    Only where this process's output is that very file: a terminal, or another server's log, stays.
    """
    try:
        here, there = os.fstat(_OUTPUTS[1]), log.lstat()
        ours = (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)
        if not ours or not stat.S_ISREG(here.st_mode) or here.st_size <= limit:
            return False
        replace_file(log, log.with_suffix(".log.1"))
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
        fresh = os.open(log, flags, 0o600)
    except OSError:
        return False  # it is written on
    for output in _OUTPUTS:
        os.dup2(fresh, output)
    os.close(fresh)
    return True


class RefusalLog:
    """Counts what was refused and logs the first few of each second."""

    def __init__(self) -> None:
        self._second = 0
        self._count = 0

    def add(self, sentence: str) -> None:
        """Log a sentence, unless too many were logged in this second."""
        second = int(time.monotonic())
        if second != self._second:
            if self._count > REFUSALS_PER_SECOND:
                _log.warning("Refused %d more.", self._count - REFUSALS_PER_SECOND)
            self._second, self._count = second, 0
        self._count += 1
        if self._count <= REFUSALS_PER_SECOND:
            _log.warning("Refused: %s", sentence)
