"""How a client starts the server: the configuration folder's `server.json`, and the environment.

`gvm install` and a studio write the configuration folder; hosts only read it.

A host, a shell or a farm's task sets variables for itself. The server outlives it and serves
others, so nothing that changes how a program loads, or what a matte is, comes along; what a job
means travels with the job (`context`). A studio gives the server variables of its own by name, in
the `env` of `server.json`: no rule takes those away. The OpenFX plug-in follows the same table of
rules: `plugin_host/make_tables.py` writes it as a C++ header.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.folders import xdg_folder

OWNED_OPTION = "--owned"  # of `gvm serve`: it ends when its standard input does

# The loader's, on Linux and on macOS: a host's own libraries, preloads and audits.
LOADER_PREFIXES = ("LD_", "DYLD_")
# Taken away where a name begins so. Each line says whose they are.
SCRUBBED_PREFIXES = (
    *LOADER_PREFIXES,
    "QT_",  # a host's window system
    "QML",
    "KMP_",  # the conduct of a host's own OpenMP
    "GOMP_",
    "OCIO",  # colour: travels with each job
    "OPENIMAGEIO_",  # a host's own readers and their options
)
# Taken away where the name is just this.
SCRUBBED = (
    "GVM_WEIGHTS",  # travels with each job
    "OIIO_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PWD",  # the server stands in its run-time folder
    "OLDPWD",
    "NVIDIA_TF32_OVERRIDE",  # other pixels for everybody
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
)
# Taken away with them unless the server runs in the very Python that starts it.
PYTHON_PREFIX = "PYTHON"


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


def server_environment(
    environment: Mapping[str, str], own: Mapping[str, str], *, same_python: bool
) -> dict[str, str]:
    """Return what a server gets.

    Args:
        environment: of the process that starts it.
        own: what `server.json` says that the server has.
        same_python: whether it runs in the Python that starts it.
    """
    kept = {
        name: text
        for name, text in environment.items()
        if not is_scrubbed(name) and (same_python or not name.startswith(PYTHON_PREFIX))
    }
    return {**kept, **own}


def is_scrubbed(name: str) -> bool:
    """Return whether a variable stays behind, whatever Python the server runs in."""
    return name in SCRUBBED or name.startswith(SCRUBBED_PREFIXES)
