"""`gvm stop`: end the server, of whatever release, whether it answers or not.

- Jobs that run belong to other clients: they are ended only on a person's word or with `--yes`.
- A server that answers is asked to end. One that does not is ended by its process with `--force`.
- A process gets a signal only where it is the server: it holds the folder's lock, has the start
  time that its connection file says, and a command line of ours.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from contextlib import suppress
from pathlib import Path

from gvm_client.client import Client
from gvm_client.connection import ConnectionFile, read_any_connection, remove_connection
from gvm_client.errors import (
    ErrorCode,
    RemoteProtocolError,
    ServerError,
    ServerLost,
    ServerNotRunning,
)
from gvm_client.folders import runtime_dir
from gvm_client.launcher import SILENT_SECONDS
from gvm_client.process import Exit, command_line, is_alive, start_ticks
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.releases import live_jobs, wait_until_gone
from gvm_client.text import ARE, counted
from gvm_server.cli.terminal import can_ask, confirmed
from gvm_server.service.instance_lock import lock_owner

STOP_SECONDS = 60.0  # a window that runs is given up between its steps, and those may be long
START_SECONDS = 2.0  # a server that has the lock listens within milliseconds
TERM_SECONDS = 5.0  # before a process that takes no signal is killed

_LOOK_SECONDS = 0.05
_KILL: int = getattr(signal, "SIGKILL", signal.SIGTERM)
_CONTINUE: int | None = getattr(signal, "SIGCONT", None)


def run(parsed: argparse.Namespace) -> int:
    """End the server and wait until it has gone; none running is what was wanted.

    Raises:
        ServerError: its jobs may not be ended, it does not answer, or it does not end.
    """
    folder = runtime_dir()
    server = _find(folder)
    if server is None:
        print("No server runs.")
        return Exit.DONE
    jobs = _jobs(server)
    if not is_alive(server.pid, server.started):
        pass  # it was leaving
    elif jobs is None and (parsed.force or server.protocol != PROTOCOL_VERSION):
        _end_by_process(folder, server, force=parsed.force)
    elif jobs is None:
        raise ServerError(
            f"The server (process {server.pid}) has not answered in {SILENT_SECONDS:.0f} s.",
            remedy="It may be busy; `gvm stop --force` ends its process.",
            code=ErrorCode.SERVER_LOST,
        )
    else:
        if jobs and not parsed.yes and not _may_end(jobs):
            print("The server goes on.")
            return Exit.CANCELLED
        _end_by_word(server)
    print("The server has ended.")
    return Exit.DONE


def _find(folder: Path) -> ConnectionFile | None:
    """Return the server that runs, one that has only the lock as yet too; None where none does."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return read_any_connection(folder)
        except ServerNotRunning:
            owner = lock_owner(folder)
        if not owner:
            return None
        if time.monotonic() > deadline:
            return ConnectionFile(
                protocol=PROTOCOL_VERSION,
                version="",
                pid=owner,
                started=start_ticks(owner),
                work="",
                control="",
                server_public_key="",
                client_public_key="",
                client_secret_key="",
            )
        time.sleep(_LOOK_SECONDS)


def _jobs(server: ConnectionFile) -> int | None:
    """Return how many jobs run; None where the server is silent, or not understood."""
    deadline = time.monotonic() + SILENT_SECONDS
    while server.control and is_alive(server.pid, server.started):
        with suppress(ServerLost):
            try:
                with Client(server) as client:
                    return live_jobs(client)
            except RemoteProtocolError:
                return None
        if time.monotonic() > deadline:
            return None
        time.sleep(_LOOK_SECONDS)
    return None


def _may_end(jobs: int) -> bool:
    """Ask whether running jobs may be ended.

    Raises:
        ServerError: code SERVER_BUSY; there is nobody to ask.
    """
    sentence = f"{counted(jobs, 'job', ARE)} running in the server"
    if not can_ask():
        raise ServerError(
            f"{sentence}, and no terminal is here to ask at.",
            remedy="See `gvm status`. `gvm stop --yes` ends them too; what is finished is kept.",
            code=ErrorCode.SERVER_BUSY,
        )
    return confirmed(f"{sentence}. End it?")


def _end_by_word(server: ConnectionFile) -> None:
    try:
        with Client(server) as client:
            client.ask_plainly("stop")
    except ServerLost:
        if is_alive(server.pid, server.started):
            raise
    if not wait_until_gone(server, STOP_SECONDS):
        raise _has_not_ended(server, STOP_SECONDS)


def _end_by_process(folder: Path, server: ConnectionFile, *, force: bool) -> None:
    """End the server by signals to its process; with force also one that does not take them."""
    _signal(folder, server, signal.SIGTERM)
    if force and _CONTINUE is not None:
        _signal(folder, server, _CONTINUE)  # one that was stopped takes the first one now
    if not wait_until_gone(server, TERM_SECONDS if force else STOP_SECONDS):
        if not force:
            raise _has_not_ended(server, STOP_SECONDS)
        _signal(folder, server, _KILL)
        if not wait_until_gone(server, TERM_SECONDS):
            raise _has_not_ended(server, TERM_SECONDS)
    remove_connection(folder, server)  # a killed server leaves it


def _signal(folder: Path, server: ConnectionFile, number: int) -> None:
    """Send a signal to the server's process, if it is that; none to one that has gone.

    Raises:
        ServerError: code RUNTIME_UNSAFE; it is another process.
    """
    if not is_alive(server.pid, server.started):
        return
    words = command_line(server.pid)
    owner = lock_owner(folder)
    if owner == server.pid and (not words or any("gvm" in Path(word).name for word in words)):
        os.kill(server.pid, number)
        return
    if not is_alive(server.pid, server.started):
        return
    why = (
        f"it is `{' '.join(words)[:200]}`"
        if owner == server.pid
        else f"it does not hold the lock of {folder}"
    )
    raise ServerError(
        f"Process {server.pid} is not known to be the server: {why}. It gets no signal.",
        remedy=f"Look at it with `ps -fp {server.pid}`; if it is the server, end it with"
        f" `kill {server.pid}`.",
        code=ErrorCode.RUNTIME_UNSAFE,
    )


def _has_not_ended(server: ConnectionFile, seconds: float) -> ServerError:
    return ServerError(
        f"The server (process {server.pid}) has not ended in {seconds:.0f} s.",
        remedy="It may be in a long window; `gvm stop --force` ends it once it is silent, and"
        f" `kill -9 {server.pid}` at any time: what is finished is kept.",
        code=ErrorCode.SERVER_LOST,
    )
