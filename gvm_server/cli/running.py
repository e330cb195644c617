"""The running server as the command line sees it: whose cache is used, where its log is."""

from __future__ import annotations

from pathlib import Path

from gvm_client.client import Client
from gvm_client.connection import read_any_connection
from gvm_client.errors import GvmError
from gvm_client.folders import LOG_NAME, runtime_path
from gvm_client.protocol.messages import ServerStatus


def running_status() -> ServerStatus | None:
    """Return the status of the server that runs; None where none does, or none answers."""
    try:
        with Client() as client:
            return client.status()
    except GvmError:
        return None


def log_path() -> Path:
    """Return the log of the server that runs, else that of the last one that a client started."""
    folder = runtime_path()
    try:
        said = read_any_connection(folder).log
    except GvmError:
        said = ""
    return Path(said) if said else folder / LOG_NAME


def other_cache(status: ServerStatus, own: Path) -> str:
    """Return a sentence where the server's cache is not this shell's; else ""."""
    if Path(status.cache_path) == own:
        return ""
    return (
        f"The running server's cache is {status.cache_path}, not {own} as this shell has it; the"
        " server's is used. `gvm stop` lets the next one take yours."
    )
