"""The server that runs may be of another release: its jobs, its end, and when it is replaced.

- All releases take a `ping`, a `status` and a `stop` without a body, and a status lists its `jobs`
  with their `state`. Nothing else of another release is understood.
- A server is replaced where it is older, has no job and would be started again with the options
  that it has; one that somebody confined, or started otherwise, stays.
- A server of this protocol is replaced only by the one of this very Python: another's need not be
  newer.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from gvm_client import __version__
from gvm_client.client import Client
from gvm_client.connection import ConnectionFile, read_any_connection
from gvm_client.errors import RemoteProtocolError, ServerLost, ServerNotRunning
from gvm_client.process import command_line, is_alive
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.lifecycle import JobState

LEAVE_SECONDS = 10.0  # for a server without jobs

_ENDED = [state.value for state in JobState if state.is_final]
_LOOK_SECONDS = 0.02


def live_jobs(client: Client) -> int | None:
    """Return how many jobs have not ended; None where the server's answer is not understood.

    Raises:
        ServerLost: it does not answer.
    """
    jobs = client.ask_plainly("status").get("jobs")
    if not isinstance(jobs, list) or not all(isinstance(job, dict) for job in jobs):
        return None
    return sum(job.get("state") not in _ENDED for job in jobs)


def wait_until_gone(connection: ConnectionFile, seconds: float) -> bool:
    """Wait for a server's process to end, and return whether it has."""
    deadline = time.monotonic() + seconds
    while is_alive(connection.pid, connection.started):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def replace_older(
    folder: Path, command: Callable[[], Sequence[str]], say: Callable[[str], None]
) -> None:
    """End an older server that has nothing to do, so that a newer one can be started.

    Args:
        folder: the run-time folder.
        command: finds what starts a server.
        say: hears what was done, in a whole sentence.

    Raises:
        ServerError: code RUNTIME_UNSAFE, others can read the connection file; or no command starts
            a server.
    """
    try:
        old = read_any_connection(folder)
    except ServerNotRunning:
        return
    if not (_is_older(old) and _is_replaceable(old, command())):
        return
    # Where it has just gone, or says what nobody understands, it is used or reported as it is.
    with suppress(ServerLost, RemoteProtocolError), Client(old) as client:
        if live_jobs(client) != 0:
            return
        client.ask_plainly("stop")
        if wait_until_gone(old, LEAVE_SECONDS):
            say(
                f"The idle server of release {old.version} (protocol {old.protocol}) is replaced by"
                f" one of release {__version__} (protocol {PROTOCOL_VERSION})."
            )


def _is_older(old: ConnectionFile) -> bool:
    return (old.protocol, _numbers(old.version)) < (PROTOCOL_VERSION, _numbers(__version__))


def _is_replaceable(old: ConnectionFile, command: Sequence[str]) -> bool:
    if old.protocol == PROTOCOL_VERSION and command[0] != sys.executable:
        return False
    options = _options(command_line(old.pid))
    return options is not None and options == _options(command)


def _options(command: Sequence[str]) -> list[str] | None:
    """Return what follows `serve` in a command; None where it does not serve, or is not known."""
    words = list(command)
    return words[words.index("serve") + 1 :] if "serve" in words else None


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]
