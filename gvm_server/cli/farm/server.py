"""`gvm farm server start` and `stop`: a worker session's own server, for a step environment.

- The session's server has a run-time folder of its own: an artist's server is never touched.
- The folder is announced before the server starts, so that `stop` finds one that failed.
- `stop` may come at any time, twice, or without a start, and then has nothing to do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import time
from pathlib import Path

from gvm_client.client import Client
from gvm_client.connection import ConnectionFile, read_connection
from gvm_client.errors import ServerError, ServerNotRunning
from gvm_client.folders import RUNTIME_VARIABLE, temporary_runtime_dir
from gvm_client.launcher import ensure_server
from gvm_client.process import Exit, is_alive

FOLDER_PREFIX = "gvm-farm-"
GRACE_SECONDS = 60.0  # a window that runs is given up between its steps
_POLL_SECONDS = 0.02


def start(parsed: argparse.Namespace) -> int:
    """Start a server in a folder of its own and wait for its proof of life.

    Raises:
        ServerError: it does not come up.
    """
    del parsed
    folder = temporary_runtime_dir(FOLDER_PREFIX)
    print(f"openjd_env: {RUNTIME_VARIABLE}={folder}", flush=True)
    connection = ensure_server(folder)
    print(f"openjd_status: The server is process {connection.pid}; its log is {connection.log}.")
    return Exit.DONE


def stop(parsed: argparse.Namespace) -> int:
    """End the session's server, by force where it does not listen, and delete its folder."""
    del parsed
    folder = Path(os.environ.get(RUNTIME_VARIABLE, ""))
    if not folder.name.startswith(FOLDER_PREFIX):
        print("This session has no server.")
        return Exit.DONE
    try:
        _end(read_connection(folder))
    except ServerNotRunning:
        print("No server runs.")
    shutil.rmtree(folder, ignore_errors=True)
    return Exit.DONE


def _end(connection: ConnectionFile) -> None:
    try:
        with Client(connection) as client:
            client.stop()
    except ServerError as error:
        print(f"It does not listen, and is killed: {error.message}")
    else:
        if _gone(connection, GRACE_SECONDS):
            print("The server has ended.")
            return
        print(f"It has not ended in {GRACE_SECONDS:.0f} s, and is killed.")
    if is_alive(connection.pid, connection.started):
        os.kill(connection.pid, getattr(signal, "SIGKILL", signal.SIGTERM))


def _gone(connection: ConnectionFile, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_alive(connection.pid, connection.started):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
