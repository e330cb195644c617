"""How a program that a farm or a terminal runs ends: signals, and a process that leaves at once."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Let SIGTERM, which a farm sends, end what is within as Ctrl-C does, with the server's job.

    On the main thread only; afterwards the signal does what it did before.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def leave(code: int) -> NoReturn:
    """End the process at once with its exit code, what was said being said.

    A host's own module may crash, and lose the code, while Python puts things away.
    """
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # a pipe that nobody reads any more
            stream.flush()
    os._exit(code)
