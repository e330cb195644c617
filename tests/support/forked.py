"""`gvm` commands and servers in processes that start with their modules loaded.

Most of a short command, and of a server's start, is an interpreter's start and its imports, and the
tests run over a thousand of them. All workers share two nurseries (`nursery.py`), processes that
have imported everything and fork for each who asks: a process of its own, with its own environment,
folder, limits and streams. `run` asks for a command. `command` and `program` are words for those
who start one themselves, as `$GVM_SERVER` is for a host: a small program that asks for them, lives
as long as what was forked, ends as it ends, and takes it along where it is killed itself.

`Site.start` runs the interpreter anew, for tests of what a process is from its first moment. So
does that program where variables that are read at a start, or the cores, are not the nursery's.
"""

from __future__ import annotations

import atexit
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from tests.support.nursery import READ_AT_START
from tests.support.processes import of_no_test
from tests.support.tree import ROOT

_COMMANDS, _SERVERS = "commands", "servers"
_WITH_PYTORCH = {"doctor", "weights"}  # commands that load it: from where it is loaded already
_SHARED = "GVM_TESTS_NURSERY_OF_"  # their sockets


def command() -> str:
    """Return what `$GVM_SERVER` says."""
    return shlex.join([*_asks(_nursery(_SERVERS)), "serve"])


def program() -> Path:
    """Return a program that is what `gvm` is where the tests run."""
    return _program(_nursery(_COMMANDS))


def can_fork(environment: Mapping[str, str]) -> bool:
    """Return whether a forked process can stand for one with these variables set."""
    return not any(name.startswith(READ_AT_START) for name in environment)


def run(
    words: Sequence[str], environment: Mapping[str, str], folder: Path, timeout: float
) -> tuple[int, str, str]:
    """Run `gvm` with `words`; return its exit status, standard output and standard error.

    Raises TimeoutError where it takes longer than `timeout` seconds; it is killed.
    """
    asked = {
        "words": [os.fspath(word) for word in words],
        "environment": dict(environment),
        "folder": str(folder),
    }
    with (
        tempfile.TemporaryDirectory(prefix="gvm-streams-") as streams,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as nursery,
        Path(os.devnull).open("rb") as stdin,
        Path(streams, "stdout").open("ab") as stdout,
        Path(streams, "stderr").open("ab") as stderr,
    ):
        nursery.settimeout(timeout)
        nursery.connect(_nursery(_SERVERS if _WITH_PYTORCH.intersection(words[:1]) else _COMMANDS))
        numbers = [stream.fileno() for stream in (stdin, stdout, stderr)]
        socket.send_fds(nursery, [json.dumps(asked).encode()], numbers)
        try:
            forked, code = (json.loads(nursery.recv(100)) for _ in range(2))
        except TimeoutError:
            raise TimeoutError(f"gvm {' '.join(words)} took longer than {timeout:g} s") from None
        assert forked
        return code, *(Path(stream.name).read_text() for stream in (stdout, stderr))


def share_nurseries() -> None:
    """Start the nurseries of all workers, which are started after them."""
    for kind in (_COMMANDS, _SERVERS):
        os.environ[_SHARED + kind.upper()] = _nursery(kind)


@cache
def _nursery(kind: str) -> str:
    """Return the socket of a nursery; where there is none, start one that ends with this."""
    if shared := os.environ.get(_SHARED + kind.upper()):
        return shared
    folder = tempfile.TemporaryDirectory(prefix="gvm-nursery-")
    path = str(Path(folder.name, "socket"))
    _program(path).write_text(f'#!/bin/sh\nexec {shlex.join(_asks(path))} "$@"\n')
    _program(path).chmod(0o755)
    words = [sys.executable, "-m", "tests.support.nursery", path, kind]
    with of_no_test():
        process = subprocess.Popen(
            words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
        )

    def end() -> None:
        process.communicate()
        folder.cleanup()

    atexit.register(end)
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"
    return path


def _program(nursery: str) -> Path:
    return Path(nursery).with_name("gvm")


def _asks(nursery: str) -> list[str]:
    program = Path(__file__).with_name("program_in_nursery.py")
    return [sys.executable, "-I", "-S", str(program), nursery]
