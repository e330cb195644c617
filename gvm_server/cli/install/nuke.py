"""`gvm install nuke`: the node's package in a folder of Nuke's plug-in path, and what it needs.

    ~/.nuke/gvm/                   our folder, known by its sign
        gvm_client/  gvm_nodes/    the package
        side_python.txt            the Python that speaks for a Nuke that cannot load pyzmq
        vendor/cp311-linux/        pyzmq and msgpack, a folder for each Python and platform
        init.py  menu.py           register, and nothing else
    ~/.nuke/init.py                one line of ours: the folder is a plug-in path

Only a folder that carries our sign is replaced or deleted, and only our line is taken out: a whole
one, however it ends. Where the artist has put something before it, that line is the artist's.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gvm_client
import gvm_nodes
from gvm_client.errors import ErrorCode, OutputError, ServerError, SettingsError
from gvm_client.folders import home
from gvm_client.platform import SYSTEM
from gvm_client.process import Exit
from gvm_nodes.core.transport import PYTHON_FILE
from gvm_server.cli.install.bundle import hosts_server
from gvm_server.cli.install.record import add_place, check_server, make_folder, remove_place

FOLDER, SIGN = "gvm", "installed_by_gvm.txt"
LINE = b"import nuke; nuke.pluginAddPath('./gvm')  # written by `gvm install nuke`\n"
NEEDS = ("pyzmq>=25", "msgpack>=1.0.5")
OLDEST = (3, 10)  # Nuke 15
PYTHONS = (OLDEST, (3, 11), (3, 12))  # what is built for 3.12 is loaded by later ones too

# Any Nuke that reads the folder runs these two, and one whose init.py ends in an error may not
# open: so they are Python 2's and 3's, do nothing in a Nuke that is too old, and never raise.
_INIT = """\
import os
import sys


def _register():
    here = os.path.dirname(os.path.abspath(__file__))
    python = "cp%d%d-%s" % (sys.version_info[0], sys.version_info[1], sys.platform)
    stable = "cp312-%s" % sys.platform
    # Last: what Nuke or the studio ships wins.
    for folder in ("", os.path.join("vendor", python), os.path.join("vendor", stable)):
        place = os.path.join(here, folder) if folder else here
        if place not in sys.path:
            sys.path.append(place)
    from gvm_nodes.nuke import callbacks

    callbacks.register()


if sys.version_info >= (3, 10):  # an older Nuke has the OpenFX node
    try:
        _register()
    except Exception as error:
        import nuke

        nuke.tprint("GVM is not loaded: %s: %s" % (type(error).__name__, error))
"""
_MENU = """\
import sys

_callbacks = sys.modules.get("gvm_nodes.nuke.callbacks")  # what init.py could load
if _callbacks is not None:
    try:
        _callbacks.register_menu()
    except Exception as error:
        import nuke

        nuke.tprint("GVM has no menu: %s: %s" % (type(error).__name__, error))
"""


def run(parsed: argparse.Namespace) -> int:
    """Install the node and say for which Nuke.

    Raises:
        SettingsError: the Python is too old, or is no version.
        ServerError: pip cannot get pyzmq and msgpack for it, or the configured server is none.
        OutputError: a folder that is not ours stands there, or it cannot be written.
    """
    pythons = (_version(parsed.nuke_python),) if parsed.nuke_python else PYTHONS
    plugins = (parsed.to or home() / ".nuke").absolute()
    folder = plugins / FOLDER
    _refuse_foreign(folder)
    check_server()
    try:
        _copy(folder)
        served = _vendor_all(folder, pythons)
        _register(plugins)
    except OSError as error:
        raise OutputError(
            f"The node cannot be put into {plugins}: {error.strerror or error}.",
            remedy="Choose a folder of your own with --to.",
            path=str(plugins),
        ) from error
    add_place(folder)  # Nuke's own Python has no server to start: one is named
    print(f"Nuke starts a server with:  {hosts_server()}")
    print(f"{folder}, for Nukes with Python {', '.join(map(_text, served))}")
    if parsed.to:
        print(f"Tell Nuke to look there:  export NUKE_PATH={plugins}")
    print("In Nuke: the toolbar, GVM, GVM Matte. Any other Python speaks through a side process.")
    return Exit.DONE


def undo(parsed: argparse.Namespace) -> int:
    """Delete the node and its line; scripts keep their mattes.

    Raises:
        OutputError: the folder is not ours, or cannot be deleted.
    """
    plugins = (parsed.to or home() / ".nuke").absolute()
    folder, init = plugins / FOLDER, plugins / "init.py"
    _refuse_foreign(folder)
    try:
        if folder.exists():
            _delete(folder)
            print(f"Deleted {folder}")
        else:
            print(f"Nothing is installed in {plugins}.")
        if init.exists():
            _unregister(init)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be deleted: {error.strerror or error}.",
            remedy="Close Nuke, and make the folder writable.",
            path=str(folder),
        ) from error
    remove_place(folder)
    return Exit.DONE


def _version(text: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    if not (major.isdigit() and minor.isdigit()):
        raise SettingsError(f"{text!r} is no Python version.", remedy="Write one such as 3.11.")
    version = (int(major), int(minor))
    if version < OLDEST:
        raise SettingsError(
            f"The node needs Python 3.10 or later, and this Nuke has {text}.",
            remedy="Nuke 15 and later have it; for older ones there is `gvm install ofx`.",
        )
    return version


def _delete(folder: Path) -> None:
    """Delete our folder; of a link to one, such as a studio's own, the link alone."""
    if folder.is_symlink():
        folder.unlink()
    else:
        shutil.rmtree(folder)


def _refuse_foreign(folder: Path) -> None:
    if (folder.exists() or folder.is_symlink()) and not (folder / SIGN).is_file():
        raise OutputError(
            f"{folder} was not made by `gvm install nuke`.",
            remedy="Move it away, or choose another folder with --to.",
            code=ErrorCode.OUTPUT_NOT_OURS,
            path=str(folder),
        )


def _copy(folder: Path) -> None:
    """Put the package in place; what was vendored for other Pythons stays."""
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    (folder / SIGN).write_text("`gvm uninstall nuke` deletes this folder.\n", encoding="utf-8")
    for package in (gvm_client, gvm_nodes):
        source = Path(str(package.__file__)).parent
        place = folder / source.name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(source, place, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / PYTHON_FILE).write_text(sys.executable + "\n", encoding="utf-8")
    (folder / "init.py").write_text(_INIT, encoding="utf-8")
    (folder / "menu.py").write_text(_MENU, encoding="utf-8")


def _vendor_all(folder: Path, pythons: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Put the wheels for each Python into its folder, and return for which there are some.

    Raises:
        ServerError: for none.
    """
    with ThreadPoolExecutor() as pool:
        waited = [(python, pool.submit(_vendor, folder, python)) for python in pythons]
    served = [python for python, done in waited if done.exception() is None]
    if not served:
        waited[0][1].result()
    return served


def _text(python: tuple[int, int]) -> str:
    return f"{python[0]}.{python[1]}"


def _vendor(folder: Path, python: tuple[int, int]) -> None:
    """Have pip put the wheels for Nuke's Python into a folder of their own.

    Raises:
        ServerError: it cannot.
    """
    abi = f"cp{python[0]}{python[1]}-{SYSTEM}"
    target = folder / "vendor" / abi
    fresh = target.with_name(abi + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--target", str(fresh), "--python-version", _text(python)]
    command += ["--only-binary", ":all:", *NEEDS]
    got = subprocess.run(command, capture_output=True, text=True, check=False)
    if got.returncode != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise ServerError(
            f"pip cannot get pyzmq and msgpack for Python {_text(python)}:"
            f" {got.stderr.strip()[-500:]}",
            remedy="Connect this machine to a package index, or name another --nuke-python.",
            code=ErrorCode.SERVER_START_FAILED,
        )
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)


def _register(plugins: Path) -> None:
    init = plugins / "init.py"
    text = init.read_bytes() if init.exists() else b""
    if not any(map(_is_ours, text.splitlines())):
        joint = b"" if not text or text.endswith(b"\n") else b"\n"
        init.write_bytes(text + joint + LINE)


def _unregister(init: Path) -> None:
    text = init.read_bytes()
    rest = b"".join(line for line in text.splitlines(keepends=True) if not _is_ours(line))
    if not rest.strip():
        init.unlink()
    elif rest != text:
        init.write_bytes(rest)


def _is_ours(line: bytes) -> bool:
    """Whether a line is ours, whole; an editor may have changed how it ends."""
    return line.rstrip() == LINE.rstrip()
