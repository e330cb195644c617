"""`gvm cancel`, `gvm release`, `gvm stop`: one word to a running server."""

from __future__ import annotations

import argparse
import time

from gvm_client.client import Client
from gvm_client.errors import ErrorCode, GvmError, ServerError, ServerNotRunning
from gvm_client.process import is_alive
from gvm_server.cli.exits import Exit

STOP_SECONDS = 60.0  # a window that runs is given up between its steps, and those may be long


def cancel(parsed: argparse.Namespace) -> int:
    """End a job, named by enough of its start.

    Raises:
        GvmError: no server, no such job, or several.
    """
    with Client() as client:
        client.cancel(_whole_name(client, parsed.job))
    print("The job ends.")
    return Exit.DONE


def release(parsed: argparse.Namespace) -> int:
    """Give the device's memory back.

    Raises:
        ServerError: no server.
    """
    del parsed
    with Client() as client:
        client.release()
    print("The model leaves the device's memory as soon as no window runs.")
    return Exit.DONE


def stop(parsed: argparse.Namespace) -> int:
    """End the server and wait until it has gone; none running is what was wanted.

    Raises:
        ServerError: it does not answer, or does not end.
    """
    del parsed
    try:
        client = Client()
    except ServerNotRunning:
        print("No server runs.")
        return Exit.DONE
    with client:
        connection = client.connection
        client.stop()
    deadline = time.monotonic() + STOP_SECONDS
    while is_alive(connection.pid, connection.started):
        if time.monotonic() > deadline:
            raise ServerError(
                f"The server (process {connection.pid}) has not ended in {STOP_SECONDS:.0f} s.",
                remedy=f"It may be in a long window; else end it with `kill {connection.pid}`.",
                code=ErrorCode.SERVER_LOST,
            )
        time.sleep(0.02)
    print("The server has ended.")
    return Exit.DONE


def _whole_name(client: Client, start: str) -> str:
    names = [job.job for job in client.status().jobs if job.job.startswith(start)]
    if len(names) != 1:
        raise GvmError(
            f"{len(names) or 'No'} jobs begin with {start!r}.",
            remedy="`gvm status` lists the jobs.",
            code=ErrorCode.UNKNOWN_JOB,
        )
    return names[0]
