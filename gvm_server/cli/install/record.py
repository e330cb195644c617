"""The record of what `gvm install` put where, so that `gvm uninstall` leaves nothing of it.

    ~/.config/gvm/installed.json
        places    what is installed: files and folders of hosts
        folders   the folders that had to be made for them
        command   what was written into server.json, where that named no server before

- A folder is removed only if an install made it and it is empty.
- The server's command is removed with the last place that is still there, and only if it is still
  the one that was written; what else server.json says stays.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from gvm_client.errors import OutputError
from gvm_client.folders import home
from gvm_client.server_config import config_dir, read_server_file, server_file
from gvm_server.cli.install.bundle import hosts_server

RECORD = "installed.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """What the record says; every path is absolute."""

    places: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    command: tuple[str, ...] = ()


def check_server() -> None:
    """Refuse, before anything is installed, what `add_place` would refuse after it.

    Raises:
        ServerError: what is configured as the server's command is none.
    """
    hosts_server()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, and record which were not there.

    Raises:
        OSError: it cannot be made.
        OutputError: the configuration cannot be written.
    """
    missing = _missing(folder)
    folder.mkdir(parents=True, exist_ok=True)
    if missing:
        record = _read()
        _write(replace(record, folders=(*record.folders, *missing)))


def add_place(place: Path) -> None:
    """Record a place where something is installed now, and name the server that hosts start.

    Raises:
        ServerError: what is configured as the server's command is none.
        OutputError: the configuration cannot be written.
    """
    record = _read()
    record = replace(record, places=(*record.places, str(place)))
    named = hosts_server()
    said = read_server_file(server_file())
    if not named or (said and said.command and said.command == record.command):
        record = replace(record, command=(sys.executable, "-m", "gvm_server", "serve"))
        _write(record)  # first: what it does not know is never removed
        _write_server(record.command)
    else:
        _write(record)


def recorded_places() -> list[Path]:
    """Return where something was installed, as far as it is still there."""
    return [Path(place) for place in _read().places if Path(place).exists()]


def remove_place(place: Path) -> None:
    """Forget a place that is empty now, and remove what only installs needed.

    Raises:
        OutputError: the configuration cannot be written.
    """
    record = _read()
    places = tuple(path for path in record.places if path != str(place) and not _is_gone(path))
    try:
        if not places:
            said = read_server_file(server_file())
            if record.command and said and said.command == record.command:
                _write_server(())
            _path().unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(error) from error
    folders = _remove_folders(record.folders)
    if places:
        _write(replace(record, places=places, folders=folders))


def _remove_folders(folders: tuple[str, ...]) -> tuple[str, ...]:
    """Remove the empty ones, the deepest first, and return those that stay."""
    for folder in sorted(map(Path, folders), key=lambda path: -len(path.parts)):
        with suppress(OSError):  # something lies in it
            folder.rmdir()
    return tuple(folder for folder in folders if Path(folder).is_dir())


def _is_gone(place: str) -> bool:
    """Return whether a place was deleted by hand, and not only its disk is away."""
    path = Path(place)
    return path.parent.is_dir() and not path.exists()


def _write_server(command: tuple[str, ...]) -> None:
    """Write the command into server.json, or out of it; the variables there stay.

    Raises:
        OutputError: it cannot be written.
    """
    path = server_file()
    said = read_server_file(path)
    own = {"env": dict(said.environment)} if said and said.environment else {}
    fields = {**({"command": list(command)} if command else {}), **own}
    try:
        if fields:
            path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
        else:
            path.unlink()
    except OSError as error:
        raise _unwritable(error) from error


def _path() -> Path:
    return config_dir() / RECORD


def _missing(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.parents) if not path.exists()]


def _read() -> Record:
    """Return the record; an empty one where there is none, or where it is damaged."""
    try:
        said = json.loads(_path().read_text(encoding="utf-8"))
        known = {name: tuple(map(str, said.get(name, ()))) for name in asdict(Record())}
    except (OSError, ValueError, AttributeError, TypeError):
        return Record()
    return Record(**known)


def _write(record: Record) -> None:
    if not os.environ.get("XDG_CONFIG_HOME"):
        home()  # without one the configuration would lie in the root folder
    path = _path()
    record = replace(record, folders=(*record.folders, *_missing(path.parent)))
    said = {name: list(dict.fromkeys(values)) for name, values in asdict(record).items()}
    said["command"] = list(record.command)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise _unwritable(error) from error


def _unwritable(error: OSError) -> OutputError:
    return OutputError(
        f"The configuration in {config_dir()} cannot be written: {error.strerror or error}.",
        remedy="Make the folder writable, or set XDG_CONFIG_HOME to a folder of your own.",
        path=str(config_dir()),
    )
