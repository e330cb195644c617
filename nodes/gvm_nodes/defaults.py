"""A studio's own defaults of the knobs, and those that its artists may not change: one JSON file.

    {"defaults": {"colourspace": "acescg", "version": 2}, "locked": ["colourspace"]}

Laws:
1. Only new nodes take defaults; a node that stands keeps its values.
2. A file that cannot be used is an error with its path, not silence.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from gvm_client.errors import SettingsError
from gvm_client.server_config import config_dir
from gvm_nodes.knobs import Wishes, as_wishes, find_knob, with_preset

VARIABLE = "GVM_NODE_DEFAULTS"
_FILE = "node_defaults.json"  # beside the file that names the server


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What a new node begins with.

    Attributes:
        wishes: every knob's value.
        locked: the names of the knobs that an artist may not change.
    """

    wishes: Wishes
    locked: frozenset[str]


def studio_defaults(base: Wishes = Wishes()) -> Defaults:  # noqa: B008 - frozen
    """Return what new nodes begin with: the program's defaults, changed by the studio's file.

    Raises:
        SettingsError: the file that `$GVM_NODE_DEFAULTS` names is not there, or a file is not as
            this module says, or names a knob that does not exist.
    """
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else config_dir() / _FILE
    if not named and not path.exists():
        return Defaults(wishes=base, locked=frozenset())
    try:
        return _read(path, base)
    except (OSError, ValueError, TypeError, AttributeError, SettingsError) as error:
        raise SettingsError(
            f"The studio's defaults {path} cannot be used: {error}.",
            remedy=f"Mend the file, or unset {VARIABLE}.",
        ) from error


def _read(path: Path, base: Wishes) -> Defaults:
    content = json.loads(path.read_text(encoding="utf-8"))
    values, locked = content.get("defaults", {}), content.get("locked", [])
    filled = with_preset(base, str(values["preset"])) if "preset" in values else base
    return Defaults(
        wishes=as_wishes({**asdict(filled), **values}),
        locked=frozenset(find_knob(name).name for name in locked),
    )
