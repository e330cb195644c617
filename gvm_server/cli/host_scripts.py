"""Small scripts in a host's folder that load the nodes from where this command runs.

Laws:
1. A script only finds the package and calls it, so that an upgrade needs no new install.
2. Only files that begin with our line are replaced or deleted.
3. The host's own packages win: ours are looked for last.
4. A host's Python has no server: which one starts is written into the configuration folder.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import gvm_nodes
from gvm_client.errors import ErrorCode, OutputError
from gvm_server.cli.install_ofx import name_server

OURS = "# Written by `gvm install`; `gvm uninstall` deletes it."

_FIND = f"""{OURS}
import os
import sys

sys.path.append({{nodes!r}})
os.environ.setdefault("GVM_SIDE_PYTHON", {{python!r}})  # for a Python that has no pyzmq
"""


class Script(NamedTuple):
    """A file of a host: its path below the host's folder, and what it does."""

    path: str
    body: str


def install(scripts: Iterable[Script], folder: Path) -> Iterator[Path]:
    """Write scripts and yield where each is.

    Raises:
        OutputError: a file that is not ours stands there, or the folder cannot be written.
    """
    name_server()
    nodes = str(Path(gvm_nodes.__file__).parents[1])
    found = _FIND.format(nodes=nodes, python=sys.executable)
    for script in scripts:
        place = folder / script.path
        _refuse_foreign(place)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(found + script.body, encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"{place} cannot be written: {error.strerror or error}.",
                remedy="Choose another folder with --to.",
                path=str(place),
            ) from error
        yield place


def remove(scripts: Iterable[Script], folder: Path) -> Iterator[Path]:
    """Delete scripts that `install` wrote and yield where each was.

    Raises:
        OutputError: one of them is not ours.
    """
    for script in scripts:
        place = folder / script.path
        _refuse_foreign(place)
        if place.exists():
            place.unlink()
            yield place


def settings_folder(*, linux: str, mac: str, windows: str) -> Path:
    """Return the folder that a host looks in, on this system, of this user."""
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / mac
    if sys.platform == "win32":
        return Path(os.environ["APPDATA"]) / windows
    return Path.home() / linux


def _refuse_foreign(place: Path) -> None:
    if place.exists() and not place.read_text(encoding="utf-8").startswith(OURS):
        raise OutputError(
            f"{place} is there already, and `gvm install` did not write it.",
            remedy="Move it away.",
            code=ErrorCode.OUTPUT_NOT_OURS,
            path=str(place),
        )
