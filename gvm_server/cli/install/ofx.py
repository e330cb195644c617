"""`gvm install ofx`: build the OpenFX plug-in if need be, and put it where hosts look; its undo."""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gvm_server
from gvm_client import platform
from gvm_client.errors import ErrorCode, InputError, OutputError, ServerError, SettingsError
from gvm_client.process import Exit
from gvm_server.cli.install.bundle import (
    BUNDLE_NAME,
    IDENTIFIER,
    SEARCH_VARIABLE,
    hosts_server,
    own_folder,
    read_bundle,
    system_folder,
)
from gvm_server.cli.install.record import add_place, check_server, make_folder, remove_place
from gvm_server.cli.install.scripts import natron_cache, nuke_cache, resolve_caches

_ASIDE = ".gvm-aside-"
_SOURCE = Path(gvm_server.__file__).parents[1] / "plugin_host"


def run(parsed: argparse.Namespace) -> int:
    """Install the plug-in and say what is left to do.

    Raises:
        ServerError: code SERVER_START_FAILED; it cannot be built here, or what is configured as
            the server's command is none.
        InputError: what is to be installed is no bundle of this plug-in.
        OutputError: it cannot be copied.
    """
    folder = _folder(parsed)
    if parsed.bundle:
        _require_ours(parsed.bundle)
    check_server()
    place = _copy(parsed.bundle or _build(), folder)
    installed = read_bundle(place)
    needs = f", needs glibc {installed.glibc}" if installed.glibc else ""
    print(f"{place}, version {installed.version}{needs}")
    if not installed.binary.is_file():
        print("It has no binary for this system: hosts here do not load it.")
    if folder != system_folder():
        command = platform.setting_a_variable(SEARCH_VARIABLE, str(folder))
        print(f"Tell hosts to look there:  {command}")
    add_place(place)
    print(f"Hosts start a server with:  {hosts_server()}")
    for stale in clear_host_caches():
        print(f"Cleared {stale}")
    return Exit.DONE


def undo(parsed: argparse.Namespace) -> int:
    """Delete the plug-in; projects keep their mattes.

    Raises:
        OutputError: the bundle is not ours, or cannot be deleted.
    """
    folder = _folder(parsed)
    place = folder / BUNDLE_NAME
    old = folder / f".gvm-old-{secrets.token_hex(4)}"
    if place.exists():
        if read_bundle(place).identifier != IDENTIFIER:
            raise OutputError(
                f"{place} is not the OpenFX plug-in of this program.",
                remedy="Move it away yourself.",
                code=ErrorCode.OUTPUT_NOT_OURS,
                path=str(place),
            )
        try:
            place.rename(old)
        except OSError as error:
            raise OutputError(
                f"{place} cannot be deleted: {error.strerror or error}.",
                remedy=f"Close the hosts that use it. {platform.more_rights()} with --system.",
                path=str(place),
            ) from error
        print(f"Deleted {place}")
    else:
        print(f"Nothing is installed in {folder}.")
    for rest in folder.glob(".gvm-???-????????"):  # of an install that was killed too
        _delete(rest)
    remove_place(place)
    for stale in clear_host_caches():
        print(f"Cleared {stale}")
    return Exit.DONE


def _require_ours(bundle: Path) -> None:
    if read_bundle(bundle).identifier != IDENTIFIER:
        raise InputError(
            f"{bundle} is not the OpenFX plug-in of this program.",
            remedy=f"Name the {BUNDLE_NAME} that `make bundle` or `make plugin` has built, and not"
            " the folder that it is in.",
            code=ErrorCode.BAD_REQUEST,
            path=str(bundle),
        )


def _folder(parsed: argparse.Namespace) -> Path:
    folder: Path = system_folder() if parsed.system else parsed.to or own_folder()
    return folder.absolute()


def clear_host_caches() -> Iterator[Path]:
    """Delete what hosts remember of the plug-in's last version, and yield each.

    Natron, Nuke and Resolve keep such files in known places; they write them anew when they start.
    """
    places, files = [nuke_cache()], []
    with suppress(SettingsError):  # there is no home folder
        places.append(natron_cache())
        files = resolve_caches()
    for folder in places:
        if folder.is_dir() and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)
            yield folder
    for file in files:
        with suppress(OSError):  # the machine's, and this user may not
            file.unlink()
            yield file


def _build() -> Path:
    """Build the bundle from the checkout that this command runs from."""
    if not (_SOURCE.is_dir() and platform.is_linux()):
        where = "This installation has no source of the OpenFX plug-in."
        raise ServerError(
            where if platform.is_linux() else "The OpenFX plug-in is built on Linux only.",
            remedy=f"Build it in a checkout there (`make bundle`) and name its {BUNDLE_NAME} with"
            " --bundle.",
            code=ErrorCode.SERVER_START_FAILED,
        )
    folder = _SOURCE.parent / "build" / "plugin"
    folder.parent.mkdir(parents=True, exist_ok=True)
    print("Building the plug-in.")
    built = subprocess.run(
        [_SOURCE / "build.sh", folder],
        env={**os.environ, "PYTHON": sys.executable},
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode != 0:
        raise ServerError(
            f"The OpenFX plug-in cannot be built: {built.stderr.strip()[-2000:]}",
            remedy="Install what it names, or name a bundle that was built elsewhere with"
            " --bundle.",
            code=ErrorCode.SERVER_START_FAILED,
        )
    return folder / BUNDLE_NAME


def _copy(bundle: Path, folder: Path) -> Path:
    """Put a whole bundle in place of the one that stands there.

    A host that has the old one loaded keeps it: its files are moved aside, not written over.
    """
    place = folder / BUNDLE_NAME
    name = secrets.token_hex(4)
    fresh, old = folder / f".gvm-new-{name}", folder / f".gvm-old-{name}"
    try:
        make_folder(folder)
        shutil.copytree(bundle, fresh)
        if place.exists() and platform.is_windows():
            _exchange_files(fresh, place)
        else:
            if place.exists():
                place.rename(old)
            fresh.rename(place)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise OutputError(
            f"{BUNDLE_NAME} cannot be put into {folder}: {error.strerror or error}.",
            remedy=f"{platform.more_rights()} with --system, or choose a folder of your own"
            " with --to.",
            path=str(folder),
        ) from error
    _delete(old)
    return place


def _exchange_files(fresh: Path, place: Path) -> None:
    """Put files in the places of others, each of which is moved aside in its folder.

    Windows renames no folder with a library that a host has loaded, but the library itself. What
    was moved aside is deleted by the next install that finds it unused.

    Raises:
        OSError: one cannot be moved; all stand where they stood.
    """
    for rest in [*place.rglob(f"{_ASIDE}*")]:
        with suppress(OSError):  # a host still has it
            rest.unlink()
    moved: list[tuple[Path, Path]] = []  # from, to

    def move(file: Path, target: Path) -> None:
        file.rename(target)
        moved.append((file, target))

    try:
        for file in [*place.rglob("*")]:
            if file.is_file() and not file.name.startswith(_ASIDE):
                move(file, file.with_name(f"{_ASIDE}{secrets.token_hex(4)}"))
        for file in [*fresh.rglob("*")]:
            target = place / file.relative_to(fresh)
            if file.is_dir():
                target.mkdir(parents=True, exist_ok=True)
            else:
                move(file, target)
    except OSError:
        for file, target in reversed(moved):
            target.rename(file)
        raise
    for rest in (*place.rglob(f"{_ASIDE}*"), fresh):
        with suppress(OSError):
            shutil.rmtree(rest) if rest.is_dir() else rest.unlink()


def _delete(bundle: Path) -> None:
    if bundle.is_symlink():  # of a developer's build
        bundle.unlink()
    else:
        shutil.rmtree(bundle, ignore_errors=True)
