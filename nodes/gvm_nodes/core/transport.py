"""The way from a host's Python to the server: in this process, or through a side process.

    host:  {"matte": {...}} on the side process's standard input, {"cancel": {...}} to end it
    side:  {"frame_ready": {...}} and so on, one line an event; {"failed": {...}} for any error

Nothing is contacted before a transport's method is called. `SideTransport` needs the standard
library only; whatever the other Python does or prints, its caller gets a `GvmError`.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Generator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Protocol, cast

from gvm_client.errors import (
    ErrorCode,
    GvmError,
    JobFailed,
    RemoteProtocolError,
    ServerError,
    ServerLost,
    ServerNotRunning,
)
from gvm_client.platform import start_flags
from gvm_client.protocol.fields import pack_fields, unpack_fields
from gvm_client.protocol.lifecycle import error_of
from gvm_client.protocol.messages import (
    MESSAGE_TYPES,
    Cancel,
    Cancelled,
    Failed,
    JobEvent,
    Matte,
    Progress,
    Release,
    ServerStatus,
    Status,
)
from gvm_client.server_config import LOADER_PREFIXES, PYTHON_PREFIX

PYTHON_VARIABLE = "GVM_SIDE_PYTHON"
PYTHON_FILE = "side_python.txt"  # beside the package; `gvm install` writes it
_CONTROL_SECONDS = 10.0  # the process's start, and the client's own time-outs
_OTHER_PYTHON = f"install the node again, or name another Python in {PYTHON_VARIABLE}."
_MAX_QUOTED = 80  # characters of what is no message

_WORDS = {kind: word for word, kind in MESSAGE_TYPES.items()}
SideMessage = Matte | Cancel | Release | Status | JobEvent | ServerStatus


class Transport(Protocol):
    """What a node asks of the server."""

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Ask for a matte and yield its events up to the last; closing it early cancels the job.

        Raises:
            GvmError: the server cannot be had, or was lost again and again.
        """

    def cancel(self, job: str) -> None:
        """End a job; one that is not known has ended already.

        Raises:
            GvmError: the server does not answer.
        """

    def release(self) -> None:
        """Have a running server give the GPU's memory back; without a server nothing holds it.

        Raises:
            GvmError: the server does not answer.
        """

    def status(self) -> ServerStatus | None:
        """Return what the server is doing, or None where none runs.

        Raises:
            GvmError: the server does not answer.
        """


class DirectTransport:
    """The light client in this process; needs pyzmq and msgpack."""

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Ask for a matte, through the server's deaths; as `Transport.matte`."""
        from gvm_client.session import Recovered, resilient_matte  # noqa: PLC0415 - loads ZeroMQ

        done = total = 0
        for event in resilient_matte(request):
            if isinstance(event, Recovered):
                yield Progress(
                    job=request.job,
                    frames_done=done,
                    frames_total=total,
                    windows_done=0,
                    windows_total=0,
                    note=event.message,
                )
                continue
            if isinstance(event, Progress):
                done, total = event.frames_done, event.frames_total
            yield event

    def cancel(self, job: str) -> None:
        """End a job; as `Transport.cancel`."""
        from gvm_client.client import Client  # noqa: PLC0415

        with suppress(ServerNotRunning):
            try:
                with Client() as client:
                    client.cancel(job)
            except JobFailed as failed:
                if failed.code is not ErrorCode.UNKNOWN_JOB:
                    raise

    def release(self) -> None:
        """Give the GPU's memory back; as `Transport.release`."""
        from gvm_client.client import Client  # noqa: PLC0415

        with suppress(ServerNotRunning), Client() as client:
            client.release()

    def status(self) -> ServerStatus | None:
        """Return what the server is doing; as `Transport.status`."""
        from gvm_client.client import Client  # noqa: PLC0415

        with suppress(ServerNotRunning), Client() as client:
            return client.status()
        return None


def raise_ending(event: JobEvent) -> None:
    """Raise what a job ended with, if it ended badly.

    Raises:
        JobFailed: the server says that it failed.
        JobCancelled: it was cancelled.
    """
    if isinstance(event, Failed | Cancelled):
        raise error_of(event)


def side_python() -> str:
    """Return the Python that runs side processes, or "" where none is named."""
    if chosen := os.environ.get(PYTHON_VARIABLE):
        return chosen
    named = Path(__file__).parents[2] / PYTHON_FILE
    return named.read_text(encoding="utf-8").strip() if named.is_file() else ""


class SideTransport:
    """A `Transport` whose every conversation is a process of another Python."""

    def __init__(self, python: str) -> None:
        self._python = python

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Ask for a matte; as `Transport.matte`."""
        process = self._talk(request)
        try:
            for said in self._heard(process):
                yield cast(JobEvent, said)
        finally:
            _send(process, Cancel(job=request.job))  # an ended job's process hears nothing more
            _end_process(process)

    def cancel(self, job: str) -> None:
        """End a job; as `Transport.cancel`."""
        self._ask(Cancel(job=job))

    def release(self) -> None:
        """Give the GPU's memory back; as `Transport.release`."""
        self._ask(Release())

    def status(self) -> ServerStatus | None:
        """Return what the server is doing; as `Transport.status`."""
        return self._ask(Status())

    def _ask(self, control: Cancel | Release | Status) -> ServerStatus | None:
        process = self._talk(control)
        try:
            for said in self._heard(process):  # silence, what was asked for, or an error
                if isinstance(said, ServerStatus):
                    return said
                raise_ending(cast(JobEvent, said))
        finally:
            _end_process(process)
        return None

    def _talk(self, said: SideMessage) -> subprocess.Popen[str]:
        try:
            process = subprocess.Popen(
                [self._python, "-m", "gvm_nodes.side"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
                env=_clean_environment(),
                **start_flags(),  # a Ctrl-C is the host's: it says what becomes of the job
            )
        except OSError as error:
            raise ServerError(
                f"The side process {self._python} cannot be started: {error.strerror}.",
                remedy=f"{_OTHER_PYTHON[0].upper()}{_OTHER_PYTHON[1:]}",
                code=ErrorCode.SERVER_START_FAILED,
                path=self._python,
            ) from error
        if not _send(process, said):
            _end_process(process)
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
                yield from_line(line)
        except RemoteProtocolError as error:
            raise ServerError(
                f"The side process {self._python} does not speak as this node: {error.message}",
                remedy=f"Have that Python print nothing when it starts; or {_OTHER_PYTHON}",
                code=ErrorCode.MALFORMED,
                path=self._python,
            ) from error
        if process.wait() != 0:
            raise self._lost(process)

    def _lost(self, process: subprocess.Popen[str]) -> ServerLost:
        return ServerLost(
            f"The side process {self._python} ended with exit code {process.returncode}.",
            remedy=f"Look at the host's console and ask again; or {_OTHER_PYTHON}",
            path=self._python,
        )


def to_line(said: SideMessage) -> str:
    """Return a message as one line."""
    word = _WORDS[type(said)]
    return json.dumps({word: pack_fields(said, word)}) + "\n"


def from_line(line: str) -> object:
    """Return the message of one line.

    Raises:
        RemoteProtocolError: it is none of this version's.
    """
    try:
        ((word, fields),) = json.loads(line).items()
        return unpack_fields(MESSAGE_TYPES[word], fields, word)
    except (ValueError, KeyError, TypeError, AttributeError, GvmError) as error:
        raise RemoteProtocolError(f"{line.strip()[:_MAX_QUOTED]!r} is no message.") from error


def _send(process: subprocess.Popen[str], said: SideMessage) -> bool:
    """Say something to a side process; return whether it is there to hear it."""
    try:
        pipe = cast(IO[str], process.stdin)
        pipe.write(to_line(said))
        pipe.flush()
    except OSError:
        return False
    return True


def _end_process(process: subprocess.Popen[str]) -> None:
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


def open_transport() -> Transport:
    """Return the direct transport where pyzmq and msgpack load, else that of a side process.

    Raises:
        ServerError: they cannot, and no Python for a side process is named.
    """
    if _loads("zmq") and _loads("msgpack"):
        return DirectTransport()
    python = side_python()
    if not python:
        raise ServerError(
            "This host's Python cannot load pyzmq and msgpack.",
            remedy="Install the node again with `gvm install`, which names another Python for it.",
            code=ErrorCode.SERVER_START_FAILED,
        )
    return SideTransport(python)


def _loads(module: str) -> bool:
    if find_spec(module) is None:
        return False
    try:
        __import__(module)
    except ImportError:  # its compiled part is for another Python
        return False
    return True
