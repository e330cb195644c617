"""The configuration folder: what `gvm install` and a studio write, and hosts only read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.home import xdg_folder


def config_dir() -> Path:
    """Return `$XDG_CONFIG_HOME/gvm`, else `~/.config/gvm`, whether it exists or not.

    A process without a home folder has the root as its own, as the OpenFX plug-in has it.
    """
    try:
        return xdg_folder("XDG_CONFIG_HOME", ".config") / "gvm"
    except SettingsError:
        return Path("/.config/gvm")


def server_file() -> Path:
    """Return the file that says how a server is started, whether it exists or not."""
    return config_dir() / "server.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerFile:
    """What `server.json` says: `{"command": ["/path/python", ...], "env": {"NAME": "text"}}`.

    Attributes:
        command: the words that start the server; empty where it names none.
        environment: variables that the server gets, whatever whoever starts it has.
    """

    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def read_server_file(path: Path) -> ServerFile | None:
    """Return what the file says, nothing where there is none; None where it says nothing."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        command, own = said.get("command", []), said.get("env", {})
    except (FileNotFoundError, NotADirectoryError):
        return ServerFile()
    except (OSError, ValueError, AttributeError):
        return None
    texts = isinstance(command, list) and isinstance(own, dict)
    if not texts or not all(isinstance(word, str) for word in (*command, *own.values())):
        return None
    if not command and ("command" in said or not own):
        return None
    return ServerFile(command=tuple(command), environment=own)
