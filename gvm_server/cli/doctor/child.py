"""A child process that is heard to its end, whatever it does: it may fault, hang or leave heirs."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

MAX_HEARD = 1 << 20  # bytes of the end of what it says


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """How a child process went.

    Attributes:
        code: its exit code, below 0 a signal; None where it took too long and was ended.
        out: what it said, the end of it.
        err: what it complained of, the end of it.
    """

    code: int | None
    out: str
    err: str

    def ending(self) -> str:
        """Return how it ended, for a sentence."""
        if self.code is None:
            return "no end in time"
        if self.code >= 0:
            return f"exit code {self.code}"
        with suppress(ValueError):
            return signal.Signals(-self.code).name
        return f"signal {-self.code}"


def hear(
    words: Sequence[str], *, seconds: float, environment: Mapping[str, str] | None = None
) -> Heard:
    """Run a command to its end, and end what it leaves behind.

    Args:
        words: the command.
        seconds: how long it may take.
        environment: its own; this process's where None.

    Raises:
        OSError: it cannot be started.
    """
    # Files, for a process that it leaves behind may hold a pipe open.
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment,
            start_new_session=True,
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        return Heard(code=code, out=_text(out), err=_text(err))


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _text(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_HEARD))
    return file.read().decode(errors="replace")
