"""Scripts in a host's folder that load the nodes from where this command runs, and hosts' folders.

- A script only finds the package and calls it, so that an upgrade needs no new install.
- Only files that begin with our line are replaced or deleted.
- The host's own packages win: ours are looked for last.
- A host's Python has no server: which one starts is written into the configuration folder.
"""

from __future__ import annotations

import argparse
import glob
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import gvm_nodes
from gvm_client import platform
from gvm_client.errors import ErrorCode, OutputError
from gvm_client.folders import home, xdg_folder
from gvm_client.process import Exit
from gvm_server.cli.install.record import add_place, check_server, make_folder, remove_place

OURS = "# Written by `gvm install`; `gvm uninstall` deletes it."

_SIGN = OURS.encode()  # what is not ours may be of any encoding

_FIND = f"""{OURS}
import os
import sys

sys.path.append({{nodes!r}})
os.environ.setdefault("GVM_SIDE_PYTHON", {{python!r}})  # for a Python that has no pyzmq
"""


# Any Python parses it, from 2.7 on: a host may run the first that it finds.
_CALL = """if sys.version_info < (3, 10):
    print("GVM: the scripts need Python 3.10 or later, and this is {{}}.{{}}. {remedy}".format(
        *sys.version_info[:2]))
else:
    from {module} import main

    main([{what!r}], print, globals())
"""


class Script(NamedTuple):
    """A file of a host: its path below the host's folder, and what it does."""

    path: str
    body: str


@dataclass(frozen=True, kw_only=True, slots=True)
class HostScripts:
    """What `gvm install` puts into one host's folder, and takes away again.

    Attributes:
        scripts: the files.
        folder: where the host looks, of this user; `--to` names another.
        then: what the artist does next, a line each.
    """

    scripts: tuple[Script, ...]
    folder: Callable[[], Path]
    then: tuple[str, ...]

    def run(self, parsed: argparse.Namespace) -> int:
        """Write the scripts.

        Raises:
            OutputError: a file that is not ours stands there, or the folder cannot be written.
        """
        for place in _install(self.scripts, (parsed.to or self.folder()).absolute()):
            print(place)
        print("\n".join(self.then))
        return Exit.DONE

    def undo(self, parsed: argparse.Namespace) -> int:
        """Delete the scripts that `run` wrote.

        Raises:
            OutputError: one of them is not ours.
        """
        folder = parsed.to or self.folder()
        deleted = list(_remove(self.scripts, folder.absolute()))
        for place in deleted:
            print(f"Deleted {place}")
        if not deleted:
            print(f"Nothing is installed in {folder}.")
        return Exit.DONE


def calling(module: str, what: str, *, remedy: str) -> str:
    """Return a script's body that calls a module's `main` with one word.

    Args:
        module: of this project's.
        what: the word.
        remedy: what to do where the host's Python is too old; without quotes and braces.
    """
    return _CALL.format(module=module, what=what, remedy=remedy)


def _install(scripts: Iterable[Script], folder: Path) -> Iterator[Path]:
    """Write scripts and yield where each is."""
    nodes = str(Path(gvm_nodes.__file__).parents[1])
    found = _FIND.format(nodes=nodes, python=sys.executable)
    scripts = tuple(scripts)
    _refuse_foreign(scripts, folder)
    check_server()
    for script in scripts:
        place = folder / script.path
        try:
            make_folder(place.parent)
            place.write_text(found + script.body, encoding="utf-8")
        except OSError as error:
            raise OutputError(
                f"{place} cannot be written: {error.strerror or error}.",
                remedy="Choose another folder with --to.",
                path=str(place),
            ) from error
        add_place(place)
        yield place


def _remove(scripts: Iterable[Script], folder: Path) -> Iterator[Path]:
    """Delete scripts that `_install` wrote and yield where each was."""
    scripts = tuple(scripts)
    _refuse_foreign(scripts, folder)
    for script in scripts:
        place = folder / script.path
        if place.exists():
            place.unlink()
            yield place
        _forget_compiled(place)
        remove_place(place)


def _forget_compiled(script: Path) -> None:
    """Delete what a host's Python left of a script that it imported."""
    compiled = script.parent / "__pycache__"
    for file in compiled.glob(f"{glob.escape(script.stem)}.*.pyc"):
        file.unlink()
    with suppress(OSError):  # not there, or others' are in it
        compiled.rmdir()


def _refuse_foreign(scripts: Iterable[Script], folder: Path) -> None:
    """Refuse all where one is not ours, before anything is written or deleted."""
    for script in scripts:
        place = folder / script.path
        if not place.exists() or (place.is_file() and place.read_bytes().startswith(_SIGN)):
            continue
        raise OutputError(
            f"{place} is there already, and `gvm install` did not write it.",
            remedy="Move it away.",
            code=ErrorCode.OUTPUT_NOT_OURS,
            path=str(place),
        )


def settings_folder(*, linux: str, mac: str, windows: str) -> Path:
    """Return the folder that a host looks in, on this system, of this user."""
    return platform.settings_folder(home, linux=linux, mac=mac, windows=windows)


def natron_cache() -> Path:
    """Return the folder in which Natron keeps its scans.

    Raises:
        SettingsError: there is no home folder.
    """
    caches = platform.natron_cache_folder(home, xdg_folder("XDG_CACHE_HOME", ".cache"))
    return caches / "INRIA" / "Natron" / "OFXLoadCache"


def nuke_cache() -> Path:
    """Return the folder in which Nuke keeps its scans."""
    named = os.environ.get("NUKE_TEMP_DIR")
    return (Path(named) if named else platform.nuke_temporary_folder()) / "ofxplugincache"


def resolve_folder() -> Path:
    """Return the folder in which Resolve keeps its settings, its scan and its logs."""
    return settings_folder(
        linux=".local/share/DaVinciResolve",
        mac="Blackmagic Design/DaVinci Resolve",
        windows="Blackmagic Design/DaVinci Resolve/Support",
    )


def resolve_caches() -> list[Path]:
    """Return Resolve's scans of OpenFX plug-ins, of this user and of the machine."""
    name = Path("Blackmagic Design") / "DaVinci Resolve"
    shared = [base / name for base in platform.shared_settings_folders()]
    folders = [resolve_folder(), *shared, *(folder / "Support" for folder in shared)]
    return [path for folder in folders for path in sorted(folder.glob("OFXPluginCache*.xml"))]


def fusion_profiles() -> Path:
    """Return the folder of Fusion's profiles."""
    own = settings_folder(
        linux=".fusion/BlackmagicDesign/Fusion",
        mac="Blackmagic Design/Fusion",
        windows="Blackmagic Design/Fusion",
    )
    return Path(os.environ.get("FUSION_PROFILE_DIR") or own / "Profiles")
