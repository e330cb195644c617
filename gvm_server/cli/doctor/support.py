"""`gvm doctor --support FILE`: one archive of what a studio sends with a question.

- No pixels, no keys, and no names that the question does not need (`anonymous`).
- A file that is there is never written over; the archive appears whole or not at all.
- A part that cannot be had does not keep the others back: it says why.
"""

from __future__ import annotations

import argparse
import dataclasses
import errno
import io
import json
import os
import platform
import re
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gvm_client
import gvm_server
from gvm_client.connection import connection_path
from gvm_client.errors import GvmError, OutputError, SettingsError
from gvm_client.folders import LOG_NAME, home, runtime_path
from gvm_client.limits import MAX_CONNECTION_BYTES
from gvm_client.process import Exit
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.server_config import config_dir, server_file
from gvm_nodes.core import defaults
from gvm_server.cli.doctor import hosts
from gvm_server.cli.doctor.anonymous import Anonymous
from gvm_server.cli.doctor.programs import hear, tail
from gvm_server.cli.install.record import RECORD, recorded_places
from gvm_server.cli.install.scripts import (
    fusion_profiles,
    natron_cache,
    nuke_cache,
    resolve_folder,
)
from gvm_server.cli.running_server import log_path, running_status
from gvm_server.cli.terminal import as_json
from gvm_server.matting.engines.gvm.weights_folder import weights_dir
from gvm_server.settings import ServerSettings

_ABOUT = """\
Packed by `gvm doctor --support`. No pixels, no keys of the connection; of the environment only the
variables of a table. In every file stand for names:
  <home> <user> <machine>   the home folder, the user, this machine
  <path-N>.exr <name-N>.exr a file or folder that is no part of the program, of a host or of the
                            system; one number is one path
  <secret> <address>        what looks like a password or a token; a server elsewhere
docs/guide.md, section 7.6, lists what is in each file.
"""
_NO_NAMES = ("root", "home", "users")  # of folders and accounts: nobody's own

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
    *("opencv-python-headless", "pillow", "onnxruntime", "huggingface-hub"),
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


def run(parsed: argparse.Namespace) -> int:
    """Write the archive; exit code 0 where it is written, whatever is in it.

    Raises:
        OutputError: the file is there already, or cannot be written.
    """
    file: Path = parsed.support.absolute()
    _check_place(file)
    packed = _archive()
    _write(file, packed)
    names = ["README.txt", *PARTS]
    if parsed.json:
        print(as_json({"file": str(file), "bytes": len(packed), "parts": names}))
    else:
        print(f"{file}, {len(packed) / 1024:.0f} KiB: {', '.join(names)}")
        print("User, machine, shots and keys were taken out. Look through it before you send it.")
    return Exit.DONE


def _archive() -> bytes:
    names = anonymous()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _ABOUT)
        for name in PARTS:
            archive.writestr(name, _part(name, names))
    return packed.getvalue()


def _part(name: str, names: Anonymous) -> str:
    """Return a part's text without names; why, where it cannot be had."""
    try:
        said = PARTS[name]()
    except GvmError as error:
        said = f"This cannot be had: {error.message}"
    except (OSError, ValueError) as error:
        said = f"This cannot be had: {type(error).__name__}: {error}"
    if isinstance(said, str) and not name.endswith(".json"):
        return f"{names.text(said).rstrip()}\n"
    if isinstance(said, str):
        said = {"says": said}
    return json.dumps(names.value(said), indent=2) + "\n"


def anonymous() -> Anonymous:
    """Return what takes this user's, this machine's and this server's names out of texts."""
    folder = None
    with suppress(SettingsError):
        folder = home()
    return Anonymous(
        home=folder,
        places=frozenset(_narrow(_places(), folder)),
        users=frozenset(_users(folder)),
        machines=frozenset({platform.node(), platform.node().split(".")[0]} - {"localhost"}),
        secrets=frozenset(_keys()),
    )


def _places() -> Iterator[Path]:
    """Yield the folders whose paths a question needs: this program's and hosts' settings."""
    yield from (Path(module.__file__ or "").parents[1] for module in (gvm_server, gvm_client))
    yield from map(Path, (sys.prefix, sys.base_prefix))
    yield from (runtime_path(), config_dir(), *recorded_places())
    yield from (place.parent for place in hosts.places())
    yield nuke_cache()
    status = running_status()
    if status is not None:
        yield Path(status.cache_path)
    with suppress(GvmError):
        settings = ServerSettings.from_environment()
        yield settings.cache_dir
        yield weights_dir(settings.weights)
    with suppress(GvmError):
        yield from (home() / name for name in (".nuke", ".Natron", ".fusion"))
        yield from (natron_cache(), resolve_folder())
        yield from (home() / ".config" / "INRIA", fusion_profiles())


def _narrow(places: Iterator[Path], folder: Path | None) -> Iterator[Path]:
    """Yield the places in which no other file of the user's lies."""
    wide = {Path("/"), Path(tempfile.gettempdir()), *([folder, *folder.parents] if folder else [])}
    for place in places:
        for spelled in (place.absolute(), place.resolve()):
            if spelled not in wide:
                yield spelled


def _users(folder: Path | None) -> Iterator[str]:
    """Yield what the user is called: the account, its owner's full name, the home folder's name."""
    found = [os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")]
    with suppress(ImportError, KeyError):  # Windows, and a container's user without an account
        import pwd  # noqa: PLC0415

        account = pwd.getpwuid(os.getuid())
        found += [account.pw_name, account.pw_gecos.split(",")[0]]
    if folder is not None:
        found.append(folder.name)
    for name in found:
        if len(name) > 1 and name.lower() not in _NO_NAMES:
            yield name


def _keys() -> Iterator[str]:
    """Yield the keys of the connection file, of a server that has ended too."""
    with suppress(OSError, ValueError):
        said = json.loads(tail(connection_path(runtime_path()), MAX_CONNECTION_BYTES))
        for name, value in said.items() if isinstance(said, dict) else ():
            if name.endswith("_key") and isinstance(value, str):
                yield value


def _check_place(file: Path) -> None:
    """Refuse what would be refused after the work is done."""
    _refuse_to_replace(file)
    if not file.parent.is_dir():
        raise _unwritable(file, FileNotFoundError(errno.ENOENT, f"there is no {file.parent}"))


def _refuse_to_replace(file: Path) -> None:
    if file.is_symlink() or file.exists():
        raise OutputError(
            f"{file} is there already, and is not written over.",
            remedy="Name another file, or delete this one.",
            path=str(file),
        )


def _write(file: Path, packed: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        descriptor = os.open(file, flags, 0o600)
    except FileExistsError:  # it came meanwhile
        _refuse_to_replace(file)
        raise
    except OSError as error:
        raise _unwritable(file, error) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(packed)
    except OSError as error:
        file.unlink(missing_ok=True)
        raise _unwritable(file, error) from error


def _unwritable(file: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{file} cannot be written: {error.strerror or error}.",
        remedy="Name a file in a folder of your own.",
        path=str(file),
    )


def doctor(*words: str) -> str:
    """Return what `gvm doctor` says, from a process of its own: what it looks at may fault."""
    heard = hear([sys.executable, "-m", "gvm_server", "doctor", *words], seconds=DOCTOR_SECONDS)
    return f"{heard.out}{heard.err}({heard.ending()})\n"


def hosts_report() -> str:
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
        "hosts.txt": hosts_report,
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
