"""`gvm doctor --hosts` loads the plug-in: the real one, and some that do what none should."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gvm_server.cli.doctor.ofx_scan import Scan, scan
from tests.ofx.fakehost import Build
from tests.ofx.wine import linux_only
from tests.support.site import Site
from tests.support.tree import ROOT

HEADERS = ROOT / "plugin_host" / "src"
SOURCE = Path(__file__).parent / "faulty_plugin.cpp"
DESCRIBE = "OfxActionDescribe"

# The doctor loads the library of the system that it runs on: no Python of ours runs under Wine.
pytestmark = linux_only


def faulty(folder: Path, fault: str) -> Path:
    """Build a plug-in with a fault, and return its file."""
    file = folder / "GVM.ofx"
    words = ["g++", "-std=c++17", "-w", "-shared", "-fPIC", f"-DFAULT={fault}", f"-I{HEADERS}"]
    file.unlink(missing_ok=True)
    subprocess.run([*words, SOURCE, "-o", file], check=True, timeout=300)
    return file


def scanned(build: Build, folder: Path, fault: str, seconds: float = 30) -> Scan:
    """Scan a plug-in with a fault."""
    return scan(faulty(folder, fault), seconds)


def test_the_real_plug_in_loads_and_describes_itself(build: Build):
    """As every host's scan has it, and in no time."""
    began = time.monotonic()
    found = scan(build.plugin)
    assert found.loads, found
    assert found.identifier == "org.gvmbridge.matte"
    assert "1.5 for Filter and General" in found.says
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("fault", ["kNone", "kPrints", "kStrange"])
def test_what_is_no_fault(build: Build, tmp_path: Path, fault: str):
    """A plug-in may print, and ask for what is not there."""
    found = scanned(build, tmp_path, fault)
    assert found.loads, found
    assert found.identifier == "org.gvmbridge.matte"


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("kDies", f"SIGSEGV in {DESCRIBE}"),
        ("kAborts", f"SIGABRT in {DESCRIBE}"),
        ("kDiesOnLoading", "SIGSEGV in loading the file"),
        ("kDiesOnUnloading", "SIGSEGV in OfxActionUnload"),
        ("kLeaves", f"exit code 0 in {DESCRIBE}"),
        ("kRefuses", f"fails in {DESCRIBE}: it answers with status 4"),
        ("kNoContext", "names no context"),
        ("kNoOutput", "0 clips, 1 parameters and no output"),
        ("kNoPlugin", "fails in OfxGetPlugin"),
        ("kNoneHeld", "holds 0 plug-ins"),
    ],
)
def test_a_fault_is_a_sentence_with_the_step_and_a_remedy(
    build: Build, tmp_path: Path, fault: str, says: str
):
    """Whatever happens to the process that loads it."""
    found = scanned(build, tmp_path, fault)
    assert not found.loads
    assert says in found.says
    assert "gvm" in found.remedy
    assert not list(Path.cwd().glob("core*"))


def test_a_plug_in_that_hangs_is_ended(build: Build, tmp_path: Path):
    """After the time that it may take."""
    found = scanned(build, tmp_path, "kHangs", 2)
    assert f"hangs in {DESCRIBE}, for 2 s" in found.says


def test_an_heir_of_the_plug_in_keeps_nobody_waiting(build: Build, tmp_path: Path):
    """It sleeps on with all that it inherited."""
    file = faulty(tmp_path, "kHeir")
    began = time.monotonic()
    assert scan(file).loads
    assert time.monotonic() - began < 20


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"", "file too short"), (b"no program" * 99, "invalid ELF header"), (None, "there is no")],
)
def test_a_file_that_is_no_library(tmp_path: Path, content: bytes | None, says: str):
    """In the loader's own words."""
    file = tmp_path / "GVM.ofx"
    if content is not None:
        file.write_bytes(content)
    found = scan(file)
    assert says in found.says
    assert "gvm install ofx" in found.remedy


def test_a_bundle_without_its_libraries_is_told(build: Build, tmp_path: Path):
    """Somebody copied the one file."""
    file = tmp_path / "GVM.ofx"
    shutil.copy(build.plugin, file)
    found = scan(file)
    assert "cannot open shared object file" in found.says
    assert "not whole" in found.remedy


@pytest.fixture
def artist(site: Site, tmp_path: Path) -> Site:
    """A machine whose user has a home folder of her own."""
    del site.environment["GVM_SERVER"]
    site.environment |= {
        "HOME": str(tmp_path / "home"),
        "XDG_DATA_HOME": "",
        "XDG_CACHE_HOME": "",
        "NUKE_TEMP_DIR": str(tmp_path / "nuke"),
        "OFX_PLUGIN_PATH": str(tmp_path / "ofx"),
    }
    (tmp_path / "home").mkdir()
    return site


def said(artist: Site, code: int) -> dict[str, dict[str, str]]:
    """Return what the command says, by the thing's name."""
    ran = artist.gvm("doctor", "--hosts", "--json")
    assert ran.code == code, ran.stderr
    return {finding["name"]: finding for finding in json.loads(ran.stdout)}


def test_an_installed_plug_in_is_loaded_and_its_server_named(
    build: Build, artist: Site, tmp_path: Path
):
    """From the install to the doctor, with exit code 0."""
    words = ("--to", str(tmp_path / "ofx"), "--bundle", str(build.bundle))
    assert artist.gvm("install", "ofx", *words).code == 0
    found = said(artist, 0)
    assert found["OpenFX plug-in"]["health"] == "good"
    assert "version 0.1.0, needs glibc 2." in found["OpenFX plug-in"]["says"]
    assert "loads, and describes itself" in found["OpenFX plug-in"]["says"]
    assert f"{sys.executable} -m gvm_server serve" in found["server of hosts"]["says"]
    artist.environment["OFX_PLUGIN_PATH"] = ""
    assert f"OFX_PLUGIN_PATH={tmp_path / 'ofx'}" in said(artist, 0)["OpenFX plug-in"]["remedy"]


def test_a_plug_in_that_takes_its_host_down_does_not_end_the_doctor(
    build: Build, artist: Site, tmp_path: Path
):
    """Exit code 4, and everything else is said."""
    words = ("--to", str(tmp_path / "ofx"), "--bundle", str(build.bundle))
    assert artist.gvm("install", "ofx", *words).code == 0
    installed = tmp_path / "ofx" / "GVM.ofx.bundle" / "Contents" / "Linux-x86-64"
    faulty(installed, "kDies")
    found = said(artist, 4)
    assert found["OpenFX plug-in"]["health"] == "bad"
    assert "SIGSEGV" in found["OpenFX plug-in"]["says"]
    assert "gvm uninstall ofx" in found["OpenFX plug-in"]["remedy"]
    assert "farms" in found
    faulty(installed, "kForeign")
    assert "not ours" in said(artist, 4)["OpenFX plug-in"]["remedy"]
