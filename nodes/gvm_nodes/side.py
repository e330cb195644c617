"""The client in a side process, for a host whose Python cannot load pyzmq: JSON lines over pipes.

    host:  {"matte": {...}} on its standard input, and {"cancel": {...}} to end it
    side:  {"frame_ready": {...}} and so on, one line an event; {"failed": {...}} for any error

The host's side needs nothing but the standard library; `python -m gvm_nodes.side` is the other.

Laws:
1. A host that is gone, without a word, ends its job; but one of the priority `BATCH` goes on in
   the server, as the job of any client that dies.
2. Whatever the other Python does or says, the host meets a `GvmError`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, TextIO, cast

from gvm_client.errors import ErrorCode, GvmError, RemoteProtocolError, ServerError, ServerLost
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
from gvm_client.server_config import LOADER_PREFIXES, PYTHON_PREFIX
from gvm_client.settings import Priority
from gvm_nodes.line import DirectLine, Line, raise_ending

PYTHON_VARIABLE = "GVM_SIDE_PYTHON"
PYTHON_FILE = "side_python.txt"  # beside the package; `gvm install` writes it
_CONTROL_SECONDS = 10.0  # the process's start, and the client's own time-outs
_ANOTHER = f"install the node again, or name another Python in {PYTHON_VARIABLE}."
_MAX_SHOWN = 80  # characters of what is no message

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
            for said in self._heard(process):
                yield cast(JobEvent, said)
        finally:
            _tell(process, Cancel(job=request.job))  # an ended job's process hears nothing more
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
            for said in self._heard(process):  # silence, what was asked for, or an error
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
                errors="replace",
                env=_clean_environment(),
                start_new_session=True,  # a Ctrl-C is the host's: it says what becomes of the job
            )
        except OSError as error:
            raise ServerError(
                f"The side process {self._python} cannot be started: {error.strerror}.",
                remedy=f"{_ANOTHER[0].upper()}{_ANOTHER[1:]}",
                code=ErrorCode.SERVER_START_FAILED,
                path=self._python,
            ) from error
        if not _tell(process, said):
            _end(process)
            raise self._lost(process)
        return process

    def _heard(self, process: subprocess.Popen[str]) -> Generator[object, None, None]:
        """Yield what the side process says; it ends with the conversation.

        Raises:
            ServerLost: the process ended with an exit code.
            ServerError: what it says is no message.
        """
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        try:
            for line in process.stdout:
                yield read(line)
        except RemoteProtocolError as error:
            raise ServerError(
                f"The side process {self._python} does not speak as this node: {error.message}",
                remedy=f"Have that Python print nothing when it starts; or {_ANOTHER}",
                code=ErrorCode.MALFORMED,
                path=self._python,
            ) from error
        if process.wait() != 0:
            raise self._lost(process)

    def _lost(self, process: subprocess.Popen[str]) -> ServerLost:
        return ServerLost(
            f"The side process {self._python} ended with exit code {process.returncode}.",
            remedy=f"Look at the host's console and ask again; or {_ANOTHER}",
            path=self._python,
        )


def written(said: Said) -> str:
    """Return a message as one line."""
    word = _WORDS[type(said)]
    return json.dumps({word: pack_fields(said, word)}) + "\n"


def read(line: str) -> object:
    """Return the message of one line.

    Raises:
        RemoteProtocolError: it is none of this version's.
    """
    try:
        ((word, fields),) = json.loads(line).items()
        return unpack_fields(MESSAGE_TYPES[word], fields, word)
    except (ValueError, KeyError, TypeError, AttributeError, GvmError) as error:
        raise RemoteProtocolError(f"{line.strip()[:_MAX_SHOWN]!r} is no message.") from error


def serve(asked: TextIO, answers: TextIO, line: Line) -> None:
    """Hold one conversation: read what is asked, and write a line for each event.

    The process is left at once where the host is gone and its job goes on alone.
    """
    host = _Host(asked, answers)
    try:
        said = host.asks()
        if isinstance(said, Matte):
            _serve_matte(said, host, line)
        elif isinstance(said, Cancel):
            line.cancel(said.job)
        elif isinstance(said, Release):
            line.release()
        elif isinstance(said, Status) and (status := line.status()) is not None:
            host.tell(status)
    except GvmError as error:
        failed = Failed(
            code=error.code,
            message=error.message,
            remedy=error.remedy,
            frame=error.frame,
            path=error.path,
        )
        host.tell(failed)


class _Host:
    """The host, as the side process has it: at the other end of two pipes.

    Attributes:
        cancels: it has said that it wants the job no more.
        is_gone: it will say and hear nothing more.
    """

    def __init__(self, asked: TextIO, answers: TextIO) -> None:
        self._asked, self._answers = asked, answers
        self.cancels = threading.Event()
        self.is_gone = threading.Event()

    def asks(self) -> object:
        """Return what it asks for; None where it is gone.

        Raises:
            RemoteProtocolError: it is no message.
        """
        line = self._asked.readline()
        return read(line) if line else None

    def listen(self) -> None:
        """Hear from now on, on another thread, whether it cancels or is gone."""
        threading.Thread(target=self._listen, daemon=True).start()

    def tell(self, said: Said) -> None:
        """Say something, if it is there to hear it."""
        try:
            self._answers.write(written(said))
            self._answers.flush()
        except OSError:
            self.is_gone.set()

    def _listen(self) -> None:
        (self.cancels if self._asked.readline() else self.is_gone).set()


def _serve_matte(request: Matte, host: _Host, line: Line) -> None:
    host.listen()
    with closing(line.matte(request)) as events:  # closing it early cancels the job
        for event in events:  # the first is the server's: from then on the job is there
            if host.cancels.is_set():
                return
            if host.is_gone.is_set():
                if request.priority is Priority.BATCH:
                    os._exit(0)  # any other way out closes the events
                return
            host.tell(event)


def _tell(process: subprocess.Popen[str], said: Said) -> bool:
    """Say something to a side process; return whether it is there to hear it."""
    try:
        pipe = cast(IO[str], process.stdin)
        pipe.write(written(said))
        pipe.flush()
    except OSError:
        return False
    return True


def _end(process: subprocess.Popen[str]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(OSError):  # what was not heard is still to be written
                pipe.close()
    try:
        process.wait(_CONTROL_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _clean_environment() -> dict[str, str]:
    """Return this environment without what a host sets for its own Python and libraries."""
    return {
        name: text
        for name, text in os.environ.items()
        if not name.startswith((PYTHON_PREFIX, *LOADER_PREFIXES))
    }


if __name__ == "__main__":
    answers = sys.stdout
    sys.stdout = sys.stderr  # what anything else prints is no message
    serve(sys.stdin, answers, DirectLine())
