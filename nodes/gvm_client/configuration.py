"""The configuration folder: what `gvm install` and a studio write, and hosts only read."""

from __future__ import annotations

import os
from pathlib import Path


def config_dir() -> Path:
    """Return `$XDG_CONFIG_HOME/gvm`, else `~/.config/gvm`, whether it exists or not."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "gvm"


def server_file() -> Path:
    """Return the file that names the server's command: `{"command": ["/path/python", ...]}`."""
    return config_dir() / "server.json"
