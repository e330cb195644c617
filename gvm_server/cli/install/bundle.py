"""The OpenFX plug-in as files: where hosts look for it, what an installed one says of itself."""

from __future__ import annotations

import os
import plistlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from xml.parsers.expat import ExpatError

from gvm_client import platform
from gvm_client.errors import SettingsError
from gvm_client.folders import home, xdg_folder
from gvm_client.launcher import chosen_command, server_command
from gvm_client.server_config import read_server_file, server_file

BUNDLE_NAME = "GVM.ofx.bundle"
IDENTIFIER = "org.gvmbridge.matte"  # as plugin_host/resources/Info.plist.in has it
SEARCH_VARIABLE = "OFX_PLUGIN_PATH"

_GLIBC = re.compile(rb"GLIBC_2\.(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledBundle:
    """A bundle where a host finds it.

    Attributes:
        path: the bundle's folder.
        version: the package's version that it was built from; "" where it does not say.
        glibc: the C library that its binary for Linux needs, as `2.34`; "" elsewhere.
        identifier: whose bundle it is; `IDENTIFIER` is ours.
    """

    path: Path
    version: str
    glibc: str
    identifier: str

    @property
    def binary(self) -> Path:
        """The file in it that hosts load."""
        return binary_of(self.path)


def binary_of(place: Path) -> Path:
    """Return the file in a bundle that hosts of this system load."""
    return place / "Contents" / platform.ofx_binaries() / "GVM.ofx"


def system_folder() -> Path:
    """Return the folder in which every host of this system looks."""
    return platform.ofx_folder()


def own_folder() -> Path:
    """Return the folder for a user's own OpenFX plug-ins; the standard has none.

    Raises:
        SettingsError: there is no home folder.
    """
    if platform.is_linux():
        return xdg_folder("XDG_DATA_HOME", ".local/share") / "gvm" / "OFX"
    return platform.settings_folder(home, linux="", mac="gvm/OFX", windows="gvm/OFX")


def search_folders() -> list[Path]:
    """Return the folders in which hosts look, in their order, and then our own."""
    folders = [*_named_folders(), system_folder()]
    with suppress(SettingsError):  # without a home folder nothing is there
        folders.append(own_folder())
    return [*dict.fromkeys(folders)]


def _named_folders() -> list[Path]:
    """Return the folders that the variable names."""
    named = os.environ.get(SEARCH_VARIABLE, "")
    return [Path(part) for part in re.split(f"[{platform.ofx_search_separators()}]", named) if part]


def installed_places() -> list[Path]:
    """Return the bundles in the folders where hosts look, unread."""
    places = (folder / BUNDLE_NAME for folder in search_folders())
    return [place for place in places if place.is_dir()]


def installed_bundles() -> Iterator[InstalledBundle]:
    """Yield what the bundles in the folders where hosts look say of themselves."""
    return map(read_bundle, installed_places())


def read_bundle(path: Path) -> InstalledBundle:
    """Return what a bundle says of itself."""
    try:
        listed = plistlib.loads((path / "Contents" / "Info.plist").read_bytes())
        version = str(listed.get("CFBundleVersion", ""))
        identifier = str(listed.get("CFBundleIdentifier", ""))
    except (OSError, AttributeError, ValueError, ExpatError):  # plistlib's own are among these
        version = identifier = ""
    glibc = _needed_glibc(binary_of(path))
    return InstalledBundle(path=path, version=version, glibc=glibc, identifier=identifier)


def is_found_by_hosts(bundle: InstalledBundle) -> bool:
    """Return whether hosts look in the bundle's folder without being told."""
    return bundle.path.parent in (system_folder(), *_named_folders())


def hosts_server() -> str:
    """Return the command by which the plug-in starts a server, "" where none is named.

    The plug-in runs in hosts that have no Python of ours to fall back on.

    Raises:
        ServerError: the configured command is none.
    """
    said = read_server_file(server_file())
    if chosen_command() or said is None or said.command:
        return platform.join_command(server_command())
    return ""


def _needed_glibc(binary: Path) -> str:
    """Return the highest version of the C library that the binary's symbols name."""
    try:
        minors = {int(found) for found in _GLIBC.findall(binary.read_bytes())}
    except OSError:
        return ""
    return f"2.{max(minors)}" if minors else ""
