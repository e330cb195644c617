"""The client in a side process, for a host whose Python cannot load pyzmq: JSON lines over pipes.

    host:  {"matte": {...}} on its standard input; closing it cancels the job
    side:  {"frame_ready": {...}} and so on, one line an event; {"failed": {...}} for any error

The host's side needs nothing but the standard library; `python -m gvm_nodes.side` is the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import TextIO, cast

from gvm_client.errors import ErrorCode, GvmError, ServerError, ServerLost
from gvm_client.protocol.fields import pack_fields, unpack_fields
from gvm_client.protocol.messages import (
    MESSAGE_TYPES,
    Cancel,
    Failed,
    JobEvent,
    Matte,
    Release,
    ServerStatus,
    Status,
)
from gvm_nodes.line import DirectLine, Line, raise_ending

PYTHON_VARIABLE = "GVM_SIDE_PYTHON"
PYTHON_FILE = "side_python.txt"  # beside the package; `gvm install` writes it
_CONTROL_SECONDS = 10.0  # the process's start, and the client's own time-outs

_WORDS = {kind: word for word, kind in MESSAGE_TYPES.items()}
Said = Matte | Cancel | Release | Status | JobEvent | ServerStatus


def side_python() -> str:
    """Return the Python that runs side processes, or "" where none is named."""
    if chosen := os.environ.get(PYTHON_VARIABLE):
        return chosen
    named = Path(__file__).parents[1] / PYTHON_FILE
    return named.read_text(encoding="utf-8").strip() if named.is_file() else ""


class SideLine:
    """A `Line` whose every conversation is a process of another Python."""

    def __init__(self, python: str) -> None:
        self._python = python

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Ask for a matte; as `Line.matte`."""
        process = self._talk(request)
        try:
            for said in _heard(process):
                yield cast(JobEvent, said)
        finally:
            _end(process)

    def cancel(self, job: str) -> None:
        """End a job; as `Line.cancel`."""
        self._ask(Cancel(job=job))

    def release(self) -> None:
        """Give the GPU's memory back; as `Line.release`."""
        self._ask(Release())

    def status(self) -> ServerStatus | None:
        """Return what the server is doing; as `Line.status`."""
        return self._ask(Status())

    def _ask(self, control: Cancel | Release | Status) -> ServerStatus | None:
        process = self._talk(control)
        try:
            for said in _heard(process):  # silence, what was asked for, or an error
                if isinstance(said, ServerStatus):
                    return said
                raise_ending(cast(JobEvent, said))
        finally:
            _end(process)
        return None

    def _talk(self, said: Said) -> subprocess.Popen[str]:
        try:
            process = subprocess.Popen(
                [self._python, "-m", "gvm_nodes.side"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                env=_clean_environment(),
            )
        except OSError as error:
            raise ServerError(
                f"The side process {self._python} cannot be started: {error.strerror}.",
                remedy=f"Install the node again, or set {PYTHON_VARIABLE}.",
                code=ErrorCode.SERVER_START_FAILED,
                path=self._python,
            ) from error
        assert process.stdin is not None  # noqa: S101 - a pipe was asked for
        process.stdin.write(written(said))
        process.stdin.flush()
        return process


def written(said: Said) -> str:
    """Return a message as one line."""
    word = _WORDS[type(said)]
    return json.dumps({word: pack_fields(said, word)}) + "\n"


def read(line: str) -> object:
    """Return the message of one line."""
    ((word, fields),) = json.loads(line).items()
    return unpack_fields(MESSAGE_TYPES[word], fields, word)


def serve(asked: TextIO, answers: TextIO, line: Line) -> None:
    """Hold one conversation: read what is asked, and write a line for each event."""
    said = read(asked.readline())
    try:
        if isinstance(said, Matte):
            _serve_matte(said, asked, answers, line)
        elif isinstance(said, Cancel):
            line.cancel(said.job)
        elif isinstance(said, Release):
            line.release()
        elif isinstance(said, Status) and (status := line.status()) is not None:
            _say(answers, status)
    except GvmError as error:
        failed = Failed(
            code=error.code,
            message=error.message,
            remedy=error.remedy,
            frame=error.frame,
            path=error.path,
        )
        _say(answers, failed)


def _serve_matte(request: Matte, asked: TextIO, answers: TextIO, line: Line) -> None:
    gone = threading.Event()

    def watch() -> None:
        asked.read()  # ends when the host closes the pipe, or dies
        gone.set()

    threading.Thread(target=watch, daemon=True).start()
    with closing(line.matte(request)) as events:
        for event in events:
            if gone.is_set():
                return
            _say(answers, event)


def _say(answers: TextIO, said: Said) -> None:
    answers.write(written(said))
    answers.flush()


def _heard(process: subprocess.Popen[str]) -> Generator[object, None, None]:
    """Yield what the side process says; it ends with the conversation.

    Raises:
        ServerLost: the process ended with an exit code.
    """
    assert process.stdout is not None  # noqa: S101 - a pipe was asked for
    for line in process.stdout:
        yield read(line)
    if process.wait() != 0:
        raise ServerLost(
            f"The GVM side process ended with exit code {process.returncode}.",
            remedy="Look at the host's console, and ask again.",
        )


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_CONTROL_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _clean_environment() -> dict[str, str]:
    """Return this environment without what a host sets for its own Python."""
    return {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout, DirectLine())
