"""Other programs: run to their end, a node's Python asked what it is, the end of a log read.

A child process may fault, hang or leave processes behind.
"""

from __future__ import annotations

import ast
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from gvm_client.platform import kill_group, start_flags
from gvm_client.server_config import LOADER_PREFIXES, PYTHON_PREFIX
from gvm_nodes.core.transport import PYTHON_VARIABLE

MAX_HEARD = 1 << 20  # bytes of the end of what it says

ASK_SECONDS = 20.0  # a Python on a slow server
_VERSION = re.compile(r'^__version__ = "([^"]*)"', re.MULTILINE)
_ASK = (
    "import platform, gvm_client, gvm_nodes.side, msgpack, zmq;"
    " print(f'Python {platform.python_version()}, gvm-bridge {gvm_client.__version__}')"
)


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
            **start_flags(),
        )
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end(process)
        return Heard(code=code, out=_text(out), err=_text(err))


def _end(process: subprocess.Popen[bytes]) -> None:
    kill_group(process)
    process.wait()


def _text(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_HEARD))
    return file.read().decode(errors="replace")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a program said of itself, or why it said nothing."""

    works: bool
    says: str


def package_version(folder: Path) -> str:
    """Return the release of the package in a folder, as `0.1.0`; "" where there is none."""
    try:
        text = (folder / "gvm_client" / "__init__.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = _VERSION.search(text)
    return found[1] if found and (folder / "gvm_nodes").is_dir() else ""


def called(script: str, function: str) -> list[str]:
    """Return the texts that a Python script hands to a function, such as `sys.path.append`."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError):
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        argument.value
        for call in calls
        if ast.unparse(call.func) == function
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def side_python(installed: str) -> tuple[str, str]:
    """Return the Python of a node's side processes, and who says so."""
    if chosen := os.environ.get(PYTHON_VARIABLE):
        return chosen, f"{PYTHON_VARIABLE} says"
    return installed, "the install says"


def ask_python(python: str) -> Answer:
    """Return whether a Python can run a node's side process, started as a node starts it."""
    clean = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith((PYTHON_PREFIX, *LOADER_PREFIXES))
    }
    return _asked((python, "-c", _ASK), tuple(sorted(clean.items())))


def ask_program(words: tuple[str, ...]) -> Answer:
    """Return what a command says, its first line."""
    return _asked(words, None)


@lru_cache
def _asked(words: tuple[str, ...], environment: tuple[tuple[str, str], ...] | None) -> Answer:
    try:
        heard = hear(
            words,
            seconds=ASK_SECONDS,
            environment=None if environment is None else dict(environment),
        )
    except (OSError, ValueError) as error:
        return Answer(works=False, says=getattr(error, "strerror", None) or str(error))
    if heard.code != 0:
        complaint = heard.err.strip().splitlines()[-1:]
        return Answer(works=False, says=": ".join([heard.ending(), *complaint]))
    return Answer(works=True, says=(heard.out.strip().splitlines() or [""])[0])


def tail(file: Path, last: int) -> str:
    """Return the whole lines in the last so many bytes of a file; "" of what is no plain file.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    file.stat()
    if not file.is_file():  # a pipe or a terminal that a server logs to has no end to read
        return ""
    with file.open("rb") as opened:
        size = opened.seek(0, os.SEEK_END)
        opened.seek(max(0, size - last))
        text = opened.read(last).decode(errors="replace")
    return text if size <= last else text.partition("\n")[2]
