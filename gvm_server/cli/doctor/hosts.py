"""`gvm doctor --hosts`: what hosts start and load, and what they remember of it."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

from gvm_client import __version__
from gvm_client.launcher import SERVER_VARIABLE
from gvm_client.server_config import read_server_file, server_file
from gvm_client.text import counted
from gvm_server.cli.doctor import caches, nodes
from gvm_server.cli.doctor.finding import Finding, Health, Look
from gvm_server.cli.doctor.ofx_scan import scan
from gvm_server.cli.doctor.python import ask_program
from gvm_server.cli.install.bundle import (
    BUNDLE_NAME,
    IDENTIFIER,
    InstalledBundle,
    binary_of,
    hosts_server,
    installed_places,
    is_found_by_hosts,
    read_bundle,
)
from gvm_server.cli.install.installed import recorded_places


def _server() -> Iterator[Finding]:
    """Yield what hosts start, and whether it is a server.

    Raises:
        ServerError: what is configured is no command.
    """
    command = hosts_server()
    if not command:
        yield Finding(
            name="server of hosts",
            health=Health.NOTE,
            says=f"{server_file()} names none",
            remedy="`gvm install` of any host writes it; hosts cannot start a server without it.",
        )
        return
    chosen = os.environ.get(SERVER_VARIABLE)
    said = read_server_file(server_file())
    own = ", ".join(sorted(said.environment)) if said else ""
    where = f"${SERVER_VARIABLE}" if chosen else str(server_file())
    words = shlex.split(command)
    if "serve" in words:
        answer = ask_program((*words[: words.index("serve")], "--version"))
        works, says = answer.works, answer.says
    else:
        works = shutil.which(words[0]) is not None
        says = "its program is there" if works else f"there is no {words[0]}"
    yield Finding(
        name="server of hosts",
        health=Health.GOOD if works else Health.BAD,
        says=f"`{command}`, from {where}: {says}" + (f"; it gets {own} besides" if own else ""),
        remedy="" if works else f"Correct {where}, or delete it and run `gvm install` again.",
    )


def places() -> list[Path]:
    """Return the plug-ins' bundles where hosts look, then those that an install put elsewhere."""
    recorded = (place for place in recorded_places() if place.name == BUNDLE_NAME)
    return [*dict.fromkeys([*installed_places(), *recorded])]


def _openfx() -> Iterator[Finding]:
    """Yield how each plug-in is, and whether it loads."""
    found = [read_bundle(place) for place in places()]
    if not found:
        yield Finding(
            name="OpenFX plug-in",
            health=Health.NOTE,
            says=f"no {BUNDLE_NAME} where hosts look",
            remedy="If an OpenFX host is used: `gvm install ofx`.",
        )
    for bundle in found:
        yield _bundle(bundle)
    heard = [bundle for bundle in found if is_found_by_hosts(bundle)]
    if len(heard) > 1:
        yield Finding(
            name="OpenFX plug-in",
            health=Health.NOTE,
            says=f"hosts meet {counted(len(heard), 'bundle')}; which one they take is theirs",
            remedy="Take all but one away with `gvm uninstall ofx`, --system or --to.",
        )


def _bundle(bundle: InstalledBundle) -> Finding:
    looked = scan(bundle.binary)
    says = (
        f"{bundle.path}, version {bundle.version or 'unknown'}, needs glibc {bundle.glibc or '?'}"
    )
    health, remedy = Health.GOOD, ""
    if not looked.loads:
        health, remedy = Health.BAD, looked.remedy
    elif looked.identifier != IDENTIFIER:
        health, remedy = Health.BAD, f"It is not ours, which is {IDENTIFIER}: move it away."
    elif not is_found_by_hosts(bundle):
        health = Health.NOTE
        remedy = f"Hosts look there only with OFX_PLUGIN_PATH={bundle.path.parent} set."
    elif bundle.version != __version__:
        says += f"; this command is {__version__}"
        health, remedy = Health.NOTE, "Install it again: `gvm install ofx`."
    return Finding(
        name="OpenFX plug-in", health=health, says=f"{says}: {looked.says}", remedy=remedy
    )


def _caches() -> Iterator[Finding]:
    """Yield what OpenFX hosts remember of the plug-ins.

    Raises:
        SettingsError: there is no home folder.
    """
    yield from caches.examine([binary_of(place) for place in places()])


def _farms() -> Iterator[Finding]:
    """Yield what a farm's worker would run; nothing is installed for farms."""
    gvm, openjd = shutil.which("gvm"), shutil.which("openjd")
    tool = f"openjd is {openjd}" if openjd else "no openjd is on PATH, which only dry runs need"
    if gvm is None:
        yield Finding(
            name="farms",
            health=Health.NOTE,
            says=f"no gvm is on PATH, as jobs call it; {tool}",
            remedy="Give its path in jobs: `gvm farm submit-template --gvm PATH`.",
        )
        return
    answer = ask_program((gvm, "--version"))
    yield Finding(
        name="farms",
        health=Health.GOOD if answer.works else Health.BAD,
        says=f"jobs that call `gvm` run {gvm}: {answer.says}; {tool}",
        remedy="" if answer.works else 'Install it again: pip install "gvm-bridge[server]".',
    )


LOOKS: tuple[Look, ...] = (_server, _openfx, _caches, *nodes.LOOKS, _farms)
