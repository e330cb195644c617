"""What OpenFX hosts remember of the plug-in: their caches of scans, lists of blocked ones, logs.

What is known, and from where:

- Natron and Resolve write what they found in a scan into XML files of the shape that OpenFX's own
  HostSupport library writes, and Nuke's are taken for such if they look so: a `bundle` with a
  `binary` (path, `mtime`, `size`) and a `plugin` for each that it has. A file that did not load
  stays in it without one, and is not tried again until its time or size changes.
- Resolve's adds a `status`: 0 is loaded, anything else failed; it stays so until the file is
  deleted (told by other plug-ins' authors, not tried here).
- Natron leaves out what its settings switch off (`~/.config/INRIA/Natron.conf`).
- Fusion skips what its profile's `FusionOFX.blocklist` names; `.blacklist` before version 18.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# These files are the user's own, written by the user's own programs.
from xml.etree import ElementTree as ET

from gvm_client.folders import xdg_folder
from gvm_client.text import one_line
from gvm_server.cli.doctor.finding import Finding, Health
from gvm_server.cli.doctor.programs import tail
from gvm_server.cli.install.bundle import BUNDLE_NAME, IDENTIFIER
from gvm_server.cli.install.scripts import (
    fusion_profiles,
    natron_cache,
    nuke_cache,
    resolve_caches,
    resolve_folder,
)

LOG_BYTES = 4 << 20  # of the end of a host's log
_FILE = "GVM.ofx"  # of the bundle's name and of the file in it
_TROUBLE = re.compile("error|fail|skip|not supported|crash|black ?list|block", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remembered:
    """What a host's cache says of one file of the plug-in.

    Attributes:
        path: the `.ofx` file.
        mtime: its time when the host looked, seconds since 1970.
        size: its size then, bytes.
        status: what Resolve says of it; "" of other hosts.
        plugins: the identifiers that it had.
    """

    path: Path
    mtime: int
    size: int
    status: str
    plugins: tuple[str, ...]

    @property
    def failed(self) -> bool:
        """Whether the host could not load it."""
        return self.status != "0" if self.status else IDENTIFIER not in self.plugins


def cache_files() -> Mapping[str, list[Path]]:
    """Return the caches that are there, by their host."""
    return {
        "Natron": sorted(natron_cache().glob("*.xml")),
        "Nuke": sorted(nuke_cache().glob("*.xml")),
        "Resolve": resolve_caches(),
    }


def read_cache(file: Path) -> list[Remembered] | None:
    """Return what a cache says of the plug-in; None where it is of a shape that is not known here.

    Raises:
        OSError: it cannot be read.
        ET.ParseError: it is cut off, or no XML.
    """
    found, bundles = [], 0
    for _, element in ET.iterparse(file):  # noqa: S314
        if element.tag == "bundle":
            bundles += 1
            binary = element.find("binary")
            if binary is not None and BUNDLE_NAME in "".join(binary.attrib.values()):
                found.append(_remembered(element, binary))
            element.clear()
    return found if bundles else None


def _remembered(bundle: ET.Element, binary: ET.Element) -> Remembered:
    statuses = {element.get("status", "") for element in bundle.iter()} - {""}
    return Remembered(
        path=Path(binary.get("path", "")),
        mtime=_number(binary.get("mtime", "")),
        size=_number(binary.get("size", "")),
        status=next(iter(sorted(statuses - {"0"} or statuses)), ""),
        plugins=tuple(plugin.get("name", "") for plugin in bundle.iter("plugin")),
    )


def _number(text: str) -> int:
    with suppress(ValueError):
        return int(float(text))
    return -1


def examine(binaries: list[Path]) -> Iterator[Finding]:
    """Yield what each host that has run here remembers of the plug-in's files.

    Args:
        binaries: the `.ofx` files that are installed.

    Raises:
        SettingsError: there is no home folder.
    """
    if not binaries:
        return
    for host, files in cache_files().items():
        for file in files:
            yield from _examine_cache(host, file, binaries)
    yield from _natron_settings()
    yield from _fusion_lists()
    yield from _resolve_log()


def _examine_cache(host: str, file: Path, binaries: list[Path]) -> Iterator[Finding]:
    name = f"{host}'s plug-in cache"
    try:
        said = read_cache(file)
    except (OSError, ET.ParseError) as error:
        yield Finding(
            name=name,
            health=Health.NOTE,
            says=f"{file} cannot be read ({error}); {host} may miss plug-ins by it",
            remedy=_delete(host, file),
        )
        return
    if said is None:
        return
    found = {one.path.resolve(): one for one in said}
    for binary in binaries:
        yield _judged(name, host, file, binary, found.get(binary.resolve()))


def _judged(name: str, host: str, file: Path, binary: Path, said: Remembered | None) -> Finding:
    """Return what a cache's word on one file of the plug-in means for an artist."""
    try:
        now = binary.stat()
        looked = file.stat().st_mtime
    except OSError as error:
        return Finding(name=name, health=Health.NOTE, says=f"{error.filename}: {error.strerror}")
    again = f"{host} looks again when it starts"
    if said is None and looked < now.st_ctime:
        says, health, remedy = f"{host} was not started since {binary} came", Health.GOOD, ""
    elif said is None:
        says = f"{file} does not have {binary}: {host} did not find it when it scanned"
        health = Health.NOTE
        remedy = f"Where {host} is started, set OFX_PLUGIN_PATH={binary.parents[3]}, then start it."
    elif (said.mtime, said.size) != (int(now.st_mtime), now.st_size):
        says, health, remedy = f"{file} has another build of {binary}; {again}", Health.GOOD, ""
    elif said.failed:
        why = f"status {said.status}" if said.status else "no plug-in was found in it"
        says = f"{file} has {binary} as one that failed ({why}); {host} does not try it again"
        health, remedy = Health.BAD, _delete(host, file)
    else:
        says, health, remedy = f"{file} has {binary}, and it loaded", Health.GOOD, ""
    return Finding(name=name, health=health, says=says, remedy=remedy)


def _delete(host: str, file: Path) -> str:
    return f"Leave {host}, delete {file}, and start {host}: it scans anew."


def _natron_settings() -> Iterator[Finding]:
    """Yield what Natron's settings switch off."""
    file = xdg_folder("XDG_CONFIG_HOME", ".config") / "INRIA" / "Natron.conf"
    text = _text(file)
    node_off = rf"^{re.escape(IDENTIFIER)}_\d+_\d+_enabled=false$"
    switches = (
        (node_off, "the node", "Preferences, Plug-ins: switch GVM Matte on"),
        (
            "^useStdOFXPluginsLocation=false$",
            "the standard OpenFX folders",
            "Preferences, Plug-ins: switch them on, or add the bundle's folder there",
        ),
    )
    for sign, what, remedy in switches:
        if re.search(sign, text, re.MULTILINE):
            yield Finding(
                name="Natron's settings",
                health=Health.NOTE,
                says=f"{file} switches {what} off",
                remedy=f"In Natron: {remedy}, then start Natron again.",
            )


def _fusion_lists() -> Iterator[Finding]:
    """Yield Fusion's lists that have the plug-in blocked."""
    for file in sorted(fusion_profiles().glob("*/FusionOFX.bl*list")):
        blocked = [line.strip() for line in _text(file).splitlines() if _FILE in line]
        if blocked:
            yield Finding(
                name="Fusion's list of blocked plug-ins",
                health=Health.BAD,
                says=f"{file} names {blocked[0]}; Fusion does not load it",
                remedy="Leave Fusion, take that line out, and start Fusion.",
            )


def _resolve_log() -> Iterator[Finding]:
    """Yield the last line of Resolve's log that has trouble with the plug-in."""
    logs = resolve_folder() / "logs"
    for file in (logs / "ResolveDebug.txt", logs / "davinci_resolve.log"):
        lines = _text(file, LOG_BYTES).splitlines()
        ours = [line for line in lines if _FILE in line or IDENTIFIER in line]
        troubled = [line for line in ours if _TROUBLE.search(line)]
        if troubled:
            yield Finding(
                name="Resolve's log",
                health=Health.NOTE,
                says=f"{file} says, the last time: {one_line(troubled[-1].strip()[:500])}",
                remedy="If the node is missing in Resolve, send this line with the question.",
            )


def _text(file: Path, last: int = 1 << 20) -> str:
    """Return the end of a file's text; "" where there is none."""
    try:
        return tail(file, last)
    except OSError:
        return ""
