"""The connection file: how a client finds the server, and the keys that let it in.

- It appears whole or not at all, and only its owner can read it.
- Who holds it may talk to the server; it never leaves the machine.
- A file whose process has died, or has another start time, is stale: no server runs.
"""

from __future__ import annotations

import json
import os
import secrets
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from gvm_client import __version__
from gvm_client.errors import ErrorCode, ServerError, ServerNotRunning
from gvm_client.folders import check_private
from gvm_client.limits import MAX_CONNECTION_BYTES
from gvm_client.platform import remove_file, replace_file
from gvm_client.process import is_alive
from gvm_client.protocol import PROTOCOL_VERSION

CONNECTION_NAME = "connection.json"

_START = "Start one with `gvm serve`."


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectionFile:
    """Where a server listens and who it is.

    Attributes:
        protocol: the protocol version that it speaks.
        version: its package's version.
        pid: its process.
        started: that process's start time (see `process.start_ticks`); 0 where it is unknown.
        work: the ZeroMQ endpoint for jobs.
        control: the ZeroMQ endpoint for everything that must not queue behind work.
        server_public_key: CURVE, Z85 text.
        client_public_key: CURVE, Z85 text; the only one that the server admits.
        client_secret_key: CURVE, Z85 text; never shown.
        log: the path of its log.
    """

    protocol: int
    version: str
    pid: int
    started: int
    work: str
    control: str
    server_public_key: str
    client_public_key: str
    client_secret_key: str = field(repr=False)
    log: str = ""


def connection_path(folder: Path) -> Path:
    """Return where the connection file of a run-time folder is."""
    return folder / CONNECTION_NAME


def write_connection(folder: Path, connection: ConnectionFile) -> Path:
    """Write the connection file of a run-time folder, mode 0600, and return its path.

    Raises:
        OSError: the folder cannot be written.
    """
    path = connection_path(folder)
    temporary = path.with_name(f".{CONNECTION_NAME}.{secrets.token_hex(8)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(connection), file, indent=2)
        replace_file(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    return path


def read_connection(folder: Path) -> ConnectionFile:
    """Return the connection file of the server that runs in a run-time folder.

    Raises:
        ServerNotRunning: there is no file, it is stale, or it is no connection file.
        ServerError: code RUNTIME_UNSAFE (others can read it) or VERSION_MISMATCH (the server that
            runs speaks another protocol).
    """
    path = connection_path(folder)
    plain = _read_living(path)
    pid, protocol = plain["pid"], plain["protocol"]
    if protocol != PROTOCOL_VERSION:
        raise ServerError(
            f"The running server (process {pid}, release {plain.get('version')}) speaks protocol"
            f" version {protocol}; this client speaks {PROTOCOL_VERSION} (release {__version__}).",
            remedy="End it with `gvm stop`, or update the plug-in, so that both are of one"
            " release.",
            code=ErrorCode.VERSION_MISMATCH,
            path=str(path),
        )
    return _connection_of(plain, path)


def read_any_connection(folder: Path) -> ConnectionFile:
    """Return the connection file of the server that runs, of whatever protocol version.

    Only `releases` speaks to a server of another version. What such a file says besides is left
    out, and what it lacks is empty.

    Raises:
        ServerNotRunning: there is no file, it is stale, or it is no connection file.
        ServerError: code RUNTIME_UNSAFE; others can read it.
    """
    path = connection_path(folder)
    plain = _read_living(path)
    kinds = _kinds()
    known = {name: plain.get(name) for name in kinds}
    known = {
        name: value if type(value) is kinds[name] else kinds[name]()
        for name, value in known.items()
    }
    return ConnectionFile(**known)  # type: ignore[arg-type]


def remove_connection(folder: Path, connection: ConnectionFile) -> None:
    """Delete the connection file if it is this server's own; a missing one is fine."""
    path = connection_path(folder)
    try:
        plain = _read_plain(path)
    except ServerError:
        return
    if plain.get("server_public_key") == connection.server_public_key:
        remove_file(path)


def _read_plain(path: Path) -> dict[str, object]:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        raise ServerNotRunning(
            f"No server runs: there is no {path}.", remedy=_START, path=str(path)
        ) from None
    except OSError as error:
        raise ServerError(
            f"The connection file {path} cannot be opened ({error.strerror}).",
            remedy="Delete it, then start the server again.",
            code=ErrorCode.RUNTIME_UNSAFE,
            path=str(path),
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        check_private(path, os.fstat(file.fileno()))
        text = file.read(MAX_CONNECTION_BYTES + 1)
    try:
        plain = json.loads(text) if len(text) <= MAX_CONNECTION_BYTES else None
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise _damaged(path)
    return plain


def _read_living(path: Path) -> dict[str, object]:
    """Return what the file of a server that lives says; `pid`, `started` and `protocol` are int."""
    plain = _read_plain(path)
    pid, started, protocol = (plain.get(name) for name in ("pid", "started", "protocol"))
    if type(pid) is not int or type(started) is not int or type(protocol) is not int:
        raise _damaged(path)
    if not is_alive(pid, started):
        raise ServerNotRunning(
            f"No server runs: {path} is left over from process {pid}, which has ended.",
            remedy=_START,
            path=str(path),
        )
    return plain


def _kinds() -> dict[str, type[int | str]]:
    return {item.name: {"int": int, "str": str}[str(item.type)] for item in fields(ConnectionFile)}


def _connection_of(plain: dict[str, object], path: Path) -> ConnectionFile:
    kinds = _kinds()
    if set(plain) != set(kinds) or any(type(plain[name]) is not kinds[name] for name in kinds):
        raise _damaged(path)
    return ConnectionFile(**plain)  # type: ignore[arg-type]


def _damaged(path: Path) -> ServerNotRunning:
    return ServerNotRunning(
        f"No server can be found: {path} is not a connection file of this program.",
        remedy=f"Delete it. {_START}",
        path=str(path),
    )
