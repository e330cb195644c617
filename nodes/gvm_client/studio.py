"""The studio's file: what it sets and locks for the nodes, and what it demands of every matte.

It is the one that `$GVM_NODE_DEFAULTS` names, else `node_defaults.json` beside the file that names
the server. The nodes' part is read by `gvm_nodes.core.defaults`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gvm_client.errors import SettingsError
from gvm_client.server_config import config_dir

VARIABLE = "GVM_NODE_DEFAULTS"
COMMERCIAL_ONLY = "commercial_only"  # the demand's key: true refuses weights without such terms
_FILE = "node_defaults.json"
_KEYS = frozenset({"defaults", "locked", COMMERCIAL_ONLY})  # a misspelt one would demand nothing


def studio_file(environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the studio's file: one that is named must be there, the other need not."""
    named = environment.get(VARIABLE)
    path = Path(named) if named else config_dir() / _FILE
    return path if named or path.exists() else None


def unusable(path: Path, why: object) -> SettingsError:
    """Return the error of a studio's file that cannot be used."""
    says = why.strerror if isinstance(why, OSError) else why  # the path is said already
    return SettingsError(
        f"The studio's defaults {path} cannot be used: {str(says).removesuffix('.')}.",
        remedy=f"Mend the file, or unset {VARIABLE}.",
        path=str(path),
    )


def read_studio_file(path: Path) -> dict[str, Any]:
    """Return what the file says.

    Raises:
        SettingsError: it cannot be read, holds no JSON object, or has a key that is not known.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unusable(path, error) from error
    if not isinstance(content, dict):
        raise unusable(path, "it holds no object")
    if unknown := sorted(content.keys() - _KEYS):
        raise unusable(path, f"{', '.join(unknown)} is none of {', '.join(sorted(_KEYS))}")
    return content


def commercial_only(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the studio refuses weights without commercial terms.

    Raises:
        SettingsError: its file cannot be used; what it demands is not guessed.
    """
    path = studio_file(environment)
    demand = read_studio_file(path).get(COMMERCIAL_ONLY, False) if path else False
    if path and not isinstance(demand, bool):
        raise unusable(path, f"{COMMERCIAL_ONLY} is {demand!r}; it must be true or false")
    return bool(demand)
