"""`gvm doctor --support FILE`: one archive of what a studio sends with a question.

- No pixels, no keys, and no names that the question does not need (`anonymous`).
- A file that is there is never written over; the archive appears whole or not at all.
- A part that cannot be had does not keep the others back: it says why.
"""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import platform
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gvm_client
import gvm_server
from gvm_client.connection import connection_path
from gvm_client.errors import GvmError, OutputError, SettingsError
from gvm_client.folders import home, runtime_path
from gvm_client.limits import MAX_CONNECTION_BYTES
from gvm_client.process import Exit
from gvm_client.server_config import config_dir
from gvm_server.cli.doctor import hosts
from gvm_server.cli.doctor.anonymous import Anonymous
from gvm_server.cli.doctor.support_parts import PARTS
from gvm_server.cli.doctor.tail import tail
from gvm_server.cli.install.host_folders import (
    fusion_profiles,
    natron_cache,
    nuke_cache,
    resolve_folder,
)
from gvm_server.cli.install.installed import recorded_places
from gvm_server.cli.running import running_status
from gvm_server.cli.words import as_json
from gvm_server.matting.engines.gvm.store import weights_dir
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
