"""The running server as the command line sees it: whose cache is used."""

from __future__ import annotations

from pathlib import Path

from gvm_client.client import Client
from gvm_client.errors import GvmError
from gvm_client.protocol.messages import ServerStatus


def running_status() -> ServerStatus | None:
    """Return the status of the server that runs; None where none does, or none answers."""
    try:
        with Client() as client:
            return client.status()
    except GvmError:
        return None


def other_cache(status: ServerStatus, own: Path) -> str:
    """Return a sentence where the server's cache is not this shell's; else ""."""
    if Path(status.cache_path) == own:
        return ""
    return (
        f"The running server's cache is {status.cache_path}, not {own} as this shell has it; the"
        " server's is used. `gvm stop` lets the next one take yours."
    )
