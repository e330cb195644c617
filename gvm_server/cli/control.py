"""`gvm cancel`, `gvm release`: one word to a running server."""

from __future__ import annotations

import argparse

from gvm_client.client import Client
from gvm_client.errors import ErrorCode, GvmError
from gvm_client.process import Exit


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


def _whole_name(client: Client, start: str) -> str:
    names = [job.job for job in client.status().jobs if job.job.startswith(start)]
    if len(names) != 1:
        raise GvmError(
            f"{len(names) or 'No'} jobs begin with {start!r}.",
            remedy="`gvm status` lists the jobs.",
            code=ErrorCode.UNKNOWN_JOB,
        )
    return names[0]
