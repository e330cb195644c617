"""`gvm doctor --hosts`: what hosts start and load, what they remember of it, and their nodes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from gvm_client import __version__
from gvm_client.folders import home
from gvm_client.launcher import SERVER_VARIABLE, chosen_command
from gvm_client.platform import split_command
from gvm_client.server_config import read_server_file, server_file
from gvm_client.text import counted
from gvm_nodes.core.transport import PYTHON_FILE, PYTHON_VARIABLE
from gvm_server.cli.doctor import caches
from gvm_server.cli.doctor.finding import Finding, Health, Look
from gvm_server.cli.doctor.ofx_scan import scan
from gvm_server.cli.doctor.programs import (
    ask_program,
    ask_python,
    called,
    package_version,
    side_python,
)
from gvm_server.cli.install import script_hosts
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
from gvm_server.cli.install.nuke import FOLDER, LINE, NEEDS, SIGN
from gvm_server.cli.install.record import recorded_places
from gvm_server.cli.install.script_hosts import COMP_SCRIPTS
from gvm_server.cli.install.scripts import OURS, HostScripts


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
    said = read_server_file(server_file())
    own = ", ".join(sorted(said.environment)) if said else ""
    where = f"${SERVER_VARIABLE}" if chosen_command() else str(server_file())
    words = split_command(command)
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


def nuke() -> Iterator[Finding]:
    """Yield how each Nuke node is, and what it runs with.

    Raises:
        SettingsError: there is no home folder.
    """
    named = [Path(part) for part in os.environ.get("NUKE_PATH", "").split(os.pathsep) if part]
    recorded = [place.parent for place in recorded_places() if (place / SIGN).is_file()]
    places = dict.fromkeys([home() / ".nuke", *named, *recorded])
    found = [plugins for plugins in places if (plugins / FOLDER / SIGN).is_file()]
    if not found:
        yield _not_installed("Nuke")
    for plugins in found:
        folder = plugins / FOLDER
        yield _nuke_node(plugins, folder, is_named=plugins in (home() / ".nuke", *named))
        side = _text(folder / PYTHON_FILE).strip()
        yield from _side("Nuke", side)


def _nuke_node(plugins: Path, folder: Path, *, is_named: bool) -> Finding:
    version = package_version(folder)
    vendored = [place for place in sorted((folder / "vendor").glob("cp*")) if place.is_dir()]
    whole = [place.name for place in vendored if _has_needs(place)]
    broken = [place.name for place in vendored if not _has_needs(place)]
    says = f"{folder}, {version or 'no package'}, pyzmq for {', '.join(whole) or 'no Python'}"
    health, remedy = Health.GOOD, ""
    if LINE.decode() not in _text(plugins / "init.py"):
        says += f"; {plugins / 'init.py'} does not name the folder, so Nuke does not see it"
        health, remedy = Health.BAD, _again("Nuke")
    elif not version:
        health, remedy = Health.BAD, _again("Nuke")
    elif broken:
        says += f"; not whole: {', '.join(broken)}"
        health, remedy = Health.NOTE, f"{_again('Nuke')} Name that Python with --nuke-python."
    elif not is_named:
        health = Health.NOTE
        remedy = f"Nuke looks there only with NUKE_PATH={plugins}, which this shell does not have."
    elif version != __version__:
        says += f"; this command is {__version__}"
        health, remedy = Health.NOTE, _again("Nuke")
    return Finding(name="Nuke", health=health, says=says, remedy=remedy)


def _has_needs(vendored: Path) -> bool:
    modules = {"pyzmq": "zmq"}
    names = [need.partition(">")[0] for need in NEEDS]
    return all((vendored / modules.get(name, name)).is_dir() for name in names)


def scripts(name: str, host: HostScripts) -> Iterator[Finding]:
    """Yield how the scripts of one host are in each folder that has some.

    Raises:
        SettingsError: there is no home folder.
    """
    found = {folder: texts for folder in _folders(host) if (texts := _there(host, folder))}
    if not found:
        yield _not_installed(name)
    for folder, texts in found.items():
        yield _scripts(name, host, folder, texts)
        calls = (called(text, "os.environ.setdefault")[1:2] for text in texts.values())
        for side in dict.fromkeys(side for call in calls for side in call):
            yield from _side(name, side)


def _scripts(name: str, host: HostScripts, folder: Path, texts: Mapping[str, str]) -> Finding:
    missing = [script.path for script in host.scripts if script.path not in texts]
    older = [
        script.path
        for script in host.scripts
        if script.path in texts and not texts[script.path].endswith(script.body)
    ]
    packages = [(called(text, "sys.path.append") or [""])[0] for text in texts.values()]
    versions = {each: package_version(Path(each)) if each else "" for each in packages}
    package = next((each for each in packages if not versions[each]), packages[0])
    version = versions[package]
    from_where = f"package {version or 'missing'} of {package or 'nowhere'}"
    says = f"{counted(len(texts), 'script')} in {folder}, {from_where}"
    health, remedy = Health.GOOD, ""
    if not version:
        says += "; the scripts cannot load it"
        health, remedy = Health.BAD, _again(name)
    elif missing or older:
        says += f"; {'missing' if missing else 'of another release'}: {', '.join(missing or older)}"
        health, remedy = Health.NOTE, _again(name)
    return Finding(name=name, health=health, says=says, remedy=remedy)


def _folders(host: HostScripts) -> list[Path]:
    """Return the host's own folder, and those that an install was told of.

    Scripts that two hosts have do not say whose folder it is.
    """
    tails = [Path(script.path) for script in host.scripts if script not in COMP_SCRIPTS]
    recorded = [
        place.parents[len(tail.parts) - 1]
        for place in recorded_places()
        for tail in tails
        if place.parts[-len(tail.parts) :] == tail.parts
    ]
    return [*dict.fromkeys([host.folder(), *recorded])]


def _there(host: HostScripts, folder: Path) -> Mapping[str, str]:
    """Return the texts of the scripts in a folder that an install wrote, by their paths."""
    texts = {script.path: _text(folder / script.path) for script in host.scripts}
    return {path: text for path, text in texts.items() if text.startswith(OURS)}


def _side(name: str, installed: str) -> Iterator[Finding]:
    """Yield how the Python of side processes is; a Python of the host's without pyzmq needs it."""
    python, who = side_python(installed)
    says = f"side processes run in {python or 'no Python'}, as {who}"
    again = f"Correct {PYTHON_VARIABLE}, or unset it." if python != installed else _again(name)
    answer = ask_python(python)
    yield Finding(
        name=f"{name}'s Python",
        health=Health.GOOD if answer.works else Health.BAD,
        says=f"{says}: {answer.says}",
        remedy="" if answer.works else again,
    )


def _not_installed(name: str) -> Finding:
    return Finding(
        name=name,
        health=Health.NOTE,
        says="nothing is installed",
        remedy=f"If it is wanted: `gvm install {name.lower()}`.",
    )


def _again(name: str) -> str:
    return f"Install it again: `gvm install {name.lower()}`."


def _text(file: Path) -> str:
    """Return a file's text; "" where there is none."""
    with suppress(OSError):
        return file.read_text(encoding="utf-8", errors="replace")
    return ""


def _look(name: str, host: HostScripts) -> Look:
    look = partial(scripts, name, host)
    look.__name__ = name  # type: ignore[attr-defined] # a finding that it cannot be done has it
    return look


NODE_LOOKS: tuple[Look, ...] = (
    nuke,
    _look("Natron", script_hosts.NATRON),
    _look("Resolve", script_hosts.RESOLVE),
    _look("Fusion", script_hosts.FUSION),
)

LOOKS: tuple[Look, ...] = (_server, _openfx, _caches, *NODE_LOOKS, _farms)
