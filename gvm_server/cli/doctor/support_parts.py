"""What `gvm doctor --support` packs: a table of files, each a function that says it with all names.

The names are taken out by whoever packs (`anonymous`); a part that cannot be had says why.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import re
import sys
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gvm_client.folders import LOG_NAME, runtime_path
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.server_config import config_dir, server_file
from gvm_nodes import defaults
from gvm_server.cli.doctor.child import hear
from gvm_server.cli.doctor.tail import tail
from gvm_server.cli.install.host_folders import resolve_folder
from gvm_server.cli.install.installed import RECORD
from gvm_server.cli.running import log_path, running_status

VARIABLES = (
    *("GVM_CACHE_DIR", "GVM_CACHE_LIMIT_GB", "GVM_NODE_DEFAULTS", "GVM_RUNTIME_DIR"),
    *("GVM_SERVER", "GVM_SIDE_PYTHON", "GVM_WEIGHTS", "OCIO"),
    *("OFX_PLUGIN_PATH", "NUKE_PATH", "NUKE_TEMP_DIR", "FUSION_PROFILE_DIR"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR"),
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPATH"),
    *("CUDA_VISIBLE_DEVICES", "PYTORCH_CUDA_ALLOC_CONF", "OMP_NUM_THREADS"),
)
"""The variables that are packed; of all others not even the names."""
PACKAGES = (
    *("gvm-bridge", "pyzmq", "msgpack", "torch", "numpy", "av", "openimageio", "opencolorio"),
    *("opencv-python-headless", "pillow", "safetensors", "huggingface-hub"),
)
LOG_BYTES = 256 << 10  # of the end of the server's log
CRASH_BYTES = 1 << 20  # of the end of each log in which crashes are looked for
CRASHES = 10
HOST_BYTES = 16 << 10  # of the end of a host's own notes
CRASH_DAYS = 30  # how old those may be
DOCTOR_SECONDS = 180.0  # PyTorch may come from a slow server

_CRASH = re.compile(
    r"^(?:Traceback \(most recent call last\)|Fatal Python error|Current thread 0x).*$"
    r"(?:\n(?:[ \t].*|Thread 0x.*|Current thread 0x.*|Extension modules:.*|)$)*"
    r"(?:\n[A-Za-z_][\w.]*(?::.*)?$)?",
    re.MULTILINE,
)


def doctor(*words: str) -> str:
    """Return what `gvm doctor` says, from a process of its own: what it looks at may fault."""
    heard = hear([sys.executable, "-m", "gvm_server", "doctor", *words], seconds=DOCTOR_SECONDS)
    return f"{heard.out}{heard.err}({heard.ending()})\n"


def hosts() -> str:
    """Return what `gvm doctor --hosts` says."""
    return doctor("--hosts")


def versions() -> str:
    """Return the releases of what works together here."""
    lines = [
        f"protocol {PROTOCOL_VERSION}",
        f"Python {sys.version}",
        f"{platform.platform()}, {platform.machine()}",
        " ".join(platform.libc_ver()),
    ]
    found = {one.metadata["Name"].lower(): one.version for one in metadata.distributions()}
    lines += [f"{package} {found.get(package, 'is not installed')}" for package in PACKAGES]
    driver = Path("/proc/driver/nvidia/version")
    lines.append(tail(driver, 4096).strip() if driver.exists() else "no NVIDIA driver")
    return "\n".join(lines) + "\n"


def environment() -> str:
    """Return the variables of the table that are set."""
    said = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    return "\n".join(said or ["None of the variables in the table is set."]) + "\n"


def server_json() -> object:
    """Return how hosts start a server; values of variables outside the table stay here."""
    said = _json(server_file())
    if isinstance(said, dict) and isinstance(said.get("env"), Mapping):
        own = {
            name: value if name in VARIABLES else "<not packed>"
            for name, value in said["env"].items()
        }
        said = {**said, "env": own}
    return said


def installed() -> object:
    """Return what `gvm install` put where."""
    return _json(config_dir() / RECORD)


def node_defaults() -> object:
    """Return what a studio sets and locks in nodes."""
    named = os.environ.get(defaults.VARIABLE)
    return _json(Path(named) if named else config_dir() / "node_defaults.json")


def status() -> object:
    """Return what the server does."""
    found = running_status()
    return "No server answers." if found is None else dataclasses.asdict(found)


def log() -> str:
    """Return the end of the server's log."""
    return tail(log_path(), LOG_BYTES)


def crashes() -> str:
    """Return the latest traces in the server's logs, and a host's notes of its own crashes."""
    notes = []
    for file in (runtime_path() / f"{LOG_NAME}.1", log_path()):
        text = tail(file, CRASH_BYTES) if file.exists() else ""
        notes += [f"-- in {file}\n{match[0].rstrip()}" for match in _CRASH.finditer(text)]
    notes = notes[-CRASHES:]
    host = resolve_folder() / "crash_archive.txt"
    if host.exists() and time.time() - host.stat().st_mtime < CRASH_DAYS * 86400:
        notes.append(f"-- the end of {host}\n{tail(host, HOST_BYTES)}")
    return "\n\n".join(notes or ["No crash is noted."]) + "\n"


def _json(path: Path) -> object:
    """Return a file's JSON; a sentence where there is none.

    Raises:
        ValueError: it is no JSON.
        OSError: it cannot be read.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return f"There is no {path}."
    return found


PARTS: Mapping[str, Callable[[], object]] = MappingProxyType(
    {
        "doctor.txt": doctor,
        "hosts.txt": hosts,
        "versions.txt": versions,
        "environment.txt": environment,
        "configuration/server.json": server_json,
        "configuration/installed.json": installed,
        "configuration/node_defaults.json": node_defaults,
        "status.json": status,
        "server.log": log,
        "crashes.txt": crashes,
    }
)
"""The files of the archive; one whose name ends with .json is written as such."""
