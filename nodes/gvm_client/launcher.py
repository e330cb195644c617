"""Finds the running server, or starts one and waits for its proof of life.

- A server counts as there when it has answered a ping, not when it was started.
- Clients that start one at the same time all end up with the one that took the lock.
- A server that does not come up is reported with what it wrote to its log.
- A server that is shared outlives who started it; a child (`own_server`) does not.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from gvm_client.client import Client
from gvm_client.connection import ConnectionFile, connection_path, read_connection
from gvm_client.errors import (
    ErrorCode,
    ServerError,
    ServerLost,
    ServerNotRunning,
    ServerStartFailed,
)
from gvm_client.folders import LOG_NAME, RUNTIME_VARIABLE, private_dir, runtime_path
from gvm_client.limits import MAX_LOG_BYTES
from gvm_client.platform import join_command, replace_file, split_command, start_flags
from gvm_client.releases import replace_older
from gvm_client.server_config import (
    OWNED_OPTION,
    ServerFile,
    read_server_file,
    server_environment,
    server_file,
)

_LOG = logging.getLogger(__name__)

SERVER_VARIABLE = "GVM_SERVER"
START_SECONDS = 60.0
PING_SECONDS = 2.0
SILENT_SECONDS = 10.0  # a server that loads its model may take some seconds to answer a ping

_POLL_SECONDS = 0.05
_RIVAL_SECONDS = 2.0  # a server that took the lock listens within milliseconds
_TAIL_LINES = 20
_STARTS = 4  # of a server that is killed while it starts, or loses to one that is


def ensure_server(
    folder: Path | None = None,
    *,
    seconds: float = START_SECONDS,
    say: Callable[[str], None] = _LOG.info,
) -> ConnectionFile:
    """Return the connection to the running server; start it if none runs.

    Args:
        folder: the run-time folder; by default this user's.
        seconds: how long a server that was started may take to come up.
        say: hears that an older server without jobs was replaced, in a whole sentence.

    Raises:
        ServerStartFailed: it did not come up; the message ends with the last lines of its log.
        ServerLost: a server runs and does not answer.
        ServerError: the folder is unsafe, no server is installed, or the one that runs speaks
            another protocol version.
    """
    folder = private_dir(folder or runtime_path())
    replace_older(folder, server_command, say)
    seen = _version(folder)
    running = _running(folder, SILENT_SECONDS)
    return running or _start(folder, seconds, seen)


def server_command() -> list[str]:
    """Return the command that starts the server.

    It is `$GVM_SERVER`, else the command in the configuration folder (`server.json`), else the
    server of this Python.

    Raises:
        ServerError: there is none, or what names it is no command.
    """
    if chosen := chosen_command():
        return chosen
    configured = server_file()
    if command := _configured().command:
        return list(command)
    if find_spec("gvm_server") is not None:
        return [sys.executable, "-m", "gvm_server", "serve"]
    raise ServerError(
        f"No GVM server is installed: {configured} names none, {SERVER_VARIABLE} is not set,"
        f" and {sys.executable} has no gvm_server.",
        remedy='Install it with `pip install "gvm-bridge[server]"`, and name its command in one of'
        " these places.",
        code=ErrorCode.SERVER_START_FAILED,
        path=str(configured),
    )


def chosen_command() -> list[str]:
    """Return the words of `$GVM_SERVER`, none where it is empty.

    Raises:
        ServerError: it is no command line.
    """
    chosen = os.environ.get(SERVER_VARIABLE, "")
    try:
        return split_command(chosen)
    except ValueError as error:
        raise ServerError(
            f"{SERVER_VARIABLE} is {chosen!r}, which is no command line: {error}.",
            remedy="Write it as a shell would read it, each quotation mark with its fellow.",
            code=ErrorCode.SERVER_START_FAILED,
        ) from error


def _configured() -> ServerFile:
    """Return what the configuration folder says of the server.

    Raises:
        ServerError: the file there says neither a command nor variables.
    """
    path = server_file()
    configured = read_server_file(path)
    if configured is not None:
        return configured
    raise ServerError(
        f"{path} names no server command.",
        remedy='Write {"command": ["/path/to/python", "-m", "gvm_server", "serve"]} into it.',
        code=ErrorCode.SERVER_START_FAILED,
        path=str(path),
    )


def _running(folder: Path, seconds: float) -> ConnectionFile | None:
    """Return the server that answers, or None where none runs.

    Raises:
        ServerLost: one runs and has not answered within `seconds`.
        ServerError: one runs and cannot be used.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(ServerLost):  # it is dying, and then its file is stale; or it is busy
            return _answering(folder)
        time.sleep(_POLL_SECONDS)
    return _answering(folder)


def _version(folder: Path) -> tuple[int, int] | None:
    """Return what tells a connection file from the next server's; None where there is none."""
    try:
        status = connection_path(folder).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def _answering(folder: Path) -> ConnectionFile | None:
    try:
        connection = read_connection(folder)
    except ServerNotRunning:
        return None
    with Client(connection) as client:
        client.ping(seconds=PING_SECONDS)
    return connection


@dataclass(frozen=True, kw_only=True, slots=True)
class Boot:
    """A server that was started: its process, and where its part of the log begins."""

    process: subprocess.Popen[bytes]
    log: Path
    log_start: int

    def tail(self) -> str:
        """Return the last lines that it wrote to its log."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


def start_child(folder: Path, variables: Mapping[str, str]) -> Boot:
    """Start a server as a child of this process, in its session; `wait_for_child` waits for it.

    It ends when the pipe that is its standard input is closed, by whatever end of this process.

    Args:
        folder: the run-time folder, of nobody else.
        variables: what its environment has besides this process's.

    Raises:
        ServerStartFailed: the command cannot be run.
        ServerError: no server is installed.
    """
    return _boot(folder, [*server_command(), OWNED_OPTION], variables, child=True)


def wait_for_child(boot: Boot, folder: Path, seconds: float = START_SECONDS) -> ConnectionFile:
    """Return the connection to a child, once it has given its proof of life.

    Raises:
        ServerStartFailed: it does not come up; the message ends with the last lines of its log.
    """
    if connection := _wait_for(boot, folder, seconds):
        return connection
    raise _failed(f"The GVM server ended with exit code {boot.process.returncode}", boot)


def _start(folder: Path, seconds: float, seen: tuple[int, int] | None) -> ConnectionFile:
    """Start a server, again where it or the rival that was faster is killed.

    Args:
        folder: the run-time folder.
        seconds: how long each may take to come up.
        seen: the connection file, as it was when no server ran.
    """
    for _ in range(_STARTS):
        boot = _boot(folder, server_command())
        if connection := _wait_for(boot, folder, seconds):
            return connection
        killed = boot.process.returncode < 0  # by a signal
        now = _version(folder)
        if not killed and now == seen:  # it cannot start, for no rival came up meanwhile
            break
        seen = now
    raise _failed(f"The GVM server ended with exit code {boot.process.returncode}", boot)


def _wait_for(boot: Boot, folder: Path, seconds: float) -> ConnectionFile | None:
    """Return the server that answers, this one or a rival; None where it ends and none does.

    Raises:
        ServerStartFailed: it does not come up.
    """
    deadline = time.monotonic() + seconds
    while boot.process.returncode is None:  # kept by the thread that waits for it
        if connection := _running(folder, SILENT_SECONDS):
            return connection
        if time.monotonic() > deadline:
            boot.process.terminate()
            raise _failed(f"The GVM server did not come up within {seconds:g} s", boot)
        time.sleep(_POLL_SECONDS)
    # Another client's server may have been faster; a killed one has lost to nobody.
    rival = time.monotonic() + (_RIVAL_SECONDS if boot.process.returncode >= 0 else 0.0)
    while (connection := _running(folder, SILENT_SECONDS)) is None and time.monotonic() < rival:
        time.sleep(_POLL_SECONDS)
    return connection


def _boot(
    folder: Path,
    command: Sequence[str],
    variables: Mapping[str, str] = MappingProxyType({}),
    *,
    child: bool = False,
) -> Boot:
    """Start a server that outlives this process, or a child, its output in the log.

    Raises:
        ServerStartFailed: the command cannot be run.
    """
    log = folder / LOG_NAME
    environment = {**_environment(command[0], folder), **variables}
    with _open_log(log) as output:
        start = output.seek(0, os.SEEK_END)
        process = _spawn(command, output.fileno(), environment, child=child)
    # Somebody must wait for a child, or it stays as a zombie until the host quits.
    threading.Thread(target=process.wait, name="gvm-server-wait", daemon=True).start()
    return Boot(process=process, log=log, log_start=start)


def _spawn(
    command: Sequence[str], output: int, environment: Mapping[str, str], *, child: bool
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE if child else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            **start_flags(alone=not child),
        )
    except OSError as error:
        raise ServerStartFailed(
            f"The server's command `{join_command(command)}` cannot be run: {error.strerror}.",
            remedy=f"Correct {SERVER_VARIABLE} or {server_file()}.",
            path=command[0],
        ) from error


def _environment(program: str, folder: Path) -> dict[str, str]:
    """Return the server's environment; the host's Python variables only where it is that Python.

    A compositing host sets PYTHONHOME and PYTHONPATH for its own Python, and they would break the
    server's.
    """
    own = _configured().environment
    kept = server_environment(os.environ, own, same_python=program == sys.executable)
    return {**kept, RUNTIME_VARIABLE: str(folder)}


def _open_log(log: Path) -> BinaryIO:
    if log.exists() and log.stat().st_size > MAX_LOG_BYTES:
        with suppress(PermissionError):  # a hung server of Windows holds it: it is written on
            replace_file(log, log.with_suffix(".log.1"))
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    return os.fdopen(os.open(log, flags, 0o600), "ab")


def _failed(sentence: str, boot: Boot) -> ServerStartFailed:
    return ServerStartFailed(
        f"{sentence}. Its log {boot.log} ends with:\n{boot.tail()}\n",
        remedy="Mend what it says there, or run `gvm doctor`.",
        path=str(boot.log),
    )
