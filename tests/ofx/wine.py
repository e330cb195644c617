"""The Windows build under Wine, with a real Linux server behind it.

Chosen by GVM_OFX_ON=windows (`make test-windows`). Programs are run by `wine`, without a display,
in a prefix of the build; paths of Linux are Wine's drive Z:, which is current there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from gvm_client import connection
from tests.ofx.fakehost import Build
from tests.support.site import Site
from tests.support.tree import ROOT

CHOSEN = os.environ.get("GVM_OFX_ON", "linux") == "windows"
FOLDER = ROOT / "build" / "plugin-windows"
STAND_IN = f'"Z:{FOLDER / "server_stand_in.exe"}"'.replace("/", "\\")
PREFIX = ROOT / "build" / "wine"
SITE = ROOT / "tests" / "ofx" / "wine_site"
PYTHONPATH = os.pathsep.join([str(SITE), str(ROOT / "nodes")])

linux_only = pytest.mark.skipif(CHOSEN, reason="speaks of a fact of Linux")
windows_only = pytest.mark.skipif(not CHOSEN, reason="runs with `make test-windows`")


def environment() -> Mapping[str, str]:
    """Return what Wine is told: its own folder, no words of its own, no display, UTF-8."""
    return {
        "WINEPREFIX": str(PREFIX),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=;winemenubuilder.exe=d",
        "DISPLAY": "",
        "LC_ALL": "C.UTF-8",
    }


def build_for_windows() -> Build:
    """Build the plug-in and the test programs for Windows; skip where that cannot be."""
    if not (shutil.which("wine") and shutil.which("wineserver")):
        pytest.skip("There is no wine; run: sudo apt-get install wine wine64")
    cross = ROOT / "plugin_host" / "cross"
    ran = subprocess.run(
        [cross / "windows.sh", FOLDER, ROOT / "build" / "cross", "-DGVM_TESTS=ON"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": sys.executable},
        check=False,
    )
    if ran.returncode != 0 and "cannot be built here" in ran.stderr:
        pytest.skip(ran.stderr.strip())
    assert ran.returncode == 0, ran.stderr[-4000:]
    PREFIX.mkdir(parents=True, exist_ok=True)
    told = {**os.environ, **environment()}
    subprocess.run(["wine", "wineboot"], env=told, check=True, capture_output=True)
    connection.CONNECTION_NAME = "linux.json"  # of the servers that this process asks
    return Build(
        folder=FOLDER,
        binaries="Win64",
        runner=("wine",),
        environment=environment(),
        server=f'{STAND_IN} "{_serving()}"',
        stand_in=STAND_IN,
    )


def prepare(site: Site) -> None:
    """Let the site's servers and commands be ones that a host under Wine can talk to."""
    site.environment["PYTHONPATH"] = PYTHONPATH
    # The plain words, in whose place `Build.told` puts the stand-in: no host there can fork.
    site.environment["GVM_SERVER"] = f"{sys.executable} -m gvm_server serve"


def _serving() -> Path:
    """Write the script with which the stand-in starts this Python's server, and return it."""
    serve = PREFIX / "serve.sh"
    serve.write_text(
        f"""#!/bin/sh
GVM_RUNTIME_DIR=$(printf %s "$GVM_RUNTIME_DIR" | tr '\\\\' / | sed 's/^[Zz]://')
export GVM_RUNTIME_DIR PYTHONPATH='{PYTHONPATH}'
umask 077
eval "$GVM_TEST_BEFORE_SERVE"
# Wine shows an access list of the user alone as a mode with the group's bits too.
mkdir -p "$GVM_RUNTIME_DIR/pixels" && chmod 700 "$GVM_RUNTIME_DIR" "$GVM_RUNTIME_DIR/pixels"
'{sys.executable}' '{SITE / "speak_for.py"}' "$1" "$2" &
exec '{sys.executable}' -m gvm_server serve
""",
        encoding="utf-8",
    )
    return serve
