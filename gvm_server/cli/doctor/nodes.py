"""`gvm doctor --hosts`: the nodes and scripts that `gvm install` put into hosts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path

from gvm_client import __version__
from gvm_client.folders import home
from gvm_client.text import counted
from gvm_nodes.side import PYTHON_FILE, PYTHON_VARIABLE
from gvm_server.cli.doctor.finding import Finding, Health, Look
from gvm_server.cli.doctor.python import ask_python, called, package_version, side_python
from gvm_server.cli.install import fusion, natron, resolve
from gvm_server.cli.install.fusion import COMP_SCRIPTS
from gvm_server.cli.install.host_scripts import OURS, HostScripts
from gvm_server.cli.install.installed import recorded_places
from gvm_server.cli.install.nuke import FOLDER, LINE, NEEDS, SIGN


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


LOOKS: tuple[Look, ...] = (
    nuke,
    _look("Natron", natron.HOST),
    _look("Resolve", resolve.HOST),
    _look("Fusion", fusion.HOST),
)
