"""Whether every package that a user's machine needs has a wheel for Windows and macOS.

    python -m benchmarks.wheels

Takes the base, `server` and `compare` of this installation, with all that these need in turn where
a system's markers want it, and asks pip for the newest wheel of each that a system could take.
Nothing is downloaded. Exits with 1 where one has none, or none as new as is asked for.
"""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires

from packaging.requirements import Requirement

PYTHON = "3.11"
OWN, EXTRAS = "gvm-bridge", {"server", "compare"}
# Of each: what markers see there, and pip's names for it.
SYSTEMS = {
    "Windows x86-64": (
        {"sys_platform": "win32", "platform_system": "Windows", "platform_machine": "AMD64"},
        ("win_amd64",),
    ),
    "macOS arm64": (
        {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
        tuple(f"macosx_{major}_0_arm64" for major in range(11, 15)),
    ),
}


def main() -> int:
    """Print of each system its wheels, and what is missing."""
    missing = 0
    for system, (markers, tags) in SYSTEMS.items():
        wanted = _needed(OWN, EXTRAS, {**markers, "python_version": PYTHON}, {})
        found = {name: _newest(each, tags) for name, each in sorted(wanted.items())}
        lacking = [str(wanted[name]) for name, version in found.items() if not version]
        print(f"{system}, Python {PYTHON}: {len(found) - len(lacking)} of {len(found)} have wheels")
        print("  " + ", ".join(f"{name} {version}" for name, version in found.items() if version))
        print("".join(f"  missing: {each}\n" for each in lacking), end="")
        missing += len(lacking)
    return int(missing > 0)


def _needed(
    name: str, extras: set[str], markers: dict[str, str], found: dict[str, Requirement]
) -> dict[str, Requirement]:
    """Return what a distribution needs there, and what that needs, by name."""
    try:
        listed = requires(name) or []
    except PackageNotFoundError:  # needed there alone: not installed here
        listed = []
    for each in map(Requirement, listed):
        asked = ("", *extras)
        if each.marker and not any(each.marker.evaluate({**markers, "extra": x}) for x in asked):
            continue
        key = re.sub(r"[-_.]+", "-", each.name).lower()
        if key not in found:
            found[key] = each
            _needed(each.name, each.extras, markers, found)
    return found


def _newest(wanted: Requirement, tags: tuple[str, ...]) -> str:
    """Return the newest version that has a wheel there and is one of those asked for, or ""."""
    words = ["index", "versions", wanted.name, "--only-binary=:all:"]
    words += ["--implementation", "cp", "--python-version", PYTHON]
    words += [part for tag in tags for part in ("--platform", tag)]
    ran = subprocess.run(
        [sys.executable, "-m", "pip", *words], capture_output=True, text=True, check=False
    )
    said = re.search(r"^Available versions: (.*)$", ran.stdout, re.MULTILINE)  # the newest first
    return next(iter(wanted.specifier.filter(said[1].split(", ") if said else [])), "")


if __name__ == "__main__":
    sys.exit(main())
