"""The built wheel in an environment of its own: everything works without the source tree.

The environment has the packages that the tests run with, and of ours the wheel alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

import gvm_client
from gvm_server.cli.install.nuke import NEEDS
from tests.support.plates import write_exr
from tests.support.portrait import portrait
from tests.support.shots import write_shot
from tests.support.site import machine
from tests.support.tree import ROOT

SOURCES = (ROOT / "gvm_server", ROOT / "nodes" / "gvm_client", ROOT / "nodes" / "gvm_nodes")
PACKAGES = [source.name for source in SOURCES]
FRAMES = range(1001, 1004)
HOSTS = {
    "resolve": "Utility/GVM/Matte Marked Range.py",
    "fusion": "Comp/GVM/Render with Mattes.py",
    "natron": "GVMRender.py",
}


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A user's machine with the wheel, and nothing else of ours."""

    folder: Path
    packages: Path
    environment: dict[str, str]

    def run(self, program: str, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment to its end, in a folder with nothing of ours."""
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        return subprocess.run(
            [self.folder / "bin" / program, *words],
            env={**self.environment, **more},
            cwd=work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built by the backend that pyproject.toml names; without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-index", "--no-deps"]
    command += ["--no-build-isolation", "--wheel-dir", str(folder), str(ROOT)]
    built = subprocess.run(command, capture_output=True, text=True)
    assert built.returncode == 0, f"(`make setup` brings the backend.) {built.stderr}{built.stdout}"
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory) -> Iterator[Installed]:
    """The wheel, installed by pip; its server ends with the tests."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (packages,) = folder.glob("lib/python*/site-packages")
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install"]
    subprocess.run([*command, "--quiet", "--no-index", "--no-deps", wheel], check=True)
    # A folder that a .pth names gives its packages, but its own .pth files (the editable source)
    # are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    ours = ("PYTHON", "GVM_")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
    with machine(folder) as site:
        home = folder / "home"
        home.mkdir()
        yield Installed(
            folder=folder,
            packages=packages,
            environment={**kept, **site.environment, "HOME": str(home)},
        )


def metadata(wheel: Path) -> Message:
    """Return what a wheel says of itself."""
    with zipfile.ZipFile(wheel) as files:
        (name,) = [name for name in files.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_string(files.read(name).decode())


def test_it_says_the_package_s_version_needs_and_licences(wheel):
    """A base without an extra is what `gvm install nuke` gives to Nuke's own Python."""
    said = metadata(wheel)
    assert said["Version"] == gvm_client.__version__
    assert said.get_all("License-File") == ["LICENSE", "NOTICE"]
    assert said.get_all("Provides-Extra") == ["compare", "dev", "farms", "server"]
    needs = said.get_all("Requires-Dist")
    assert needs is not None
    assert {need for need in needs if "extra" not in need} == set(NEEDS)


def test_it_has_every_file_of_the_packages_and_nothing_else(wheel):
    """Weights of the preview engine and type markers too."""
    with zipfile.ZipFile(wheel) as files:
        packed = {name for name in files.namelist() if ".dist-info/" not in name}
    tree = {f"{package.name}/{file}" for package in SOURCES for file in _files(package)}
    assert packed == tree


def test_the_command_says_its_version_and_is_the_wheel_s(installed):
    """The script that pip wrote finds the environment's package, not the source tree's."""
    ran = installed.run("gvm", "--version")
    assert ran.stdout == f"gvm {gvm_client.__version__}\n", ran.stderr
    code = (
        f"import sys, {', '.join(PACKAGES)}; [print(sys.modules[n].__file__) for n in {PACKAGES}]"
    )
    where = installed.run("python", "-c", code)
    found = [Path(line).parent for line in where.stdout.splitlines()]
    assert found == [installed.packages / name for name in PACKAGES]
    path = installed.run("python", "-c", "import sys; print(*sys.path, sep='\\n')").stdout
    assert {str(ROOT), str(ROOT / "nodes")}.isdisjoint(path.splitlines())


def test_the_preview_engine_mattes_three_frames(installed):
    """Its weights are in the wheel, and the server that starts by itself is the wheel's."""
    plate = installed.folder / "plate"
    plate.mkdir()
    person = np.ascontiguousarray(portrait(180, 320).transpose(1, 2, 0))
    for frame in FRAMES:
        write_exr(plate / f"shot.{frame}.exr", person)
    words = ["--engine", "preview", "--input-colorspace", "srgb"]
    ran = installed.run("gvm", "matte", str(plate / "shot.%04d.exr"), "-o", "matte", *words)
    assert ran.returncode == 0, ran.stderr
    for frame in FRAMES:
        alpha = oiio.ImageBuf(str(installed.folder / "work" / "matte" / f"shot.{frame}.exr"))
        assert alpha.getpixel(160, 90)[0] > 0.9
        assert alpha.getpixel(5, 5)[0] < 0.1
        assert alpha.spec()["Software"] == f"GVM Bridge {gvm_client.__version__}"


def test_a_report_has_its_page_from_the_wheel(installed):
    """HTML, style and script are the package's data."""
    plate, matte = write_shot(installed.folder / "shot")
    ran = installed.run("gvm", "report", plate, matte, "-o", "report.html")
    assert ran.returncode == 0, ran.stderr
    page = (installed.folder / "work" / "report.html").read_text()
    for part in ("<style>", "@media print", "video.currentTime", "data:video/mp4;base64,"):
        assert part in page
    assert "{{" not in page


def test_doctor_finds_nothing_bad(installed):
    """Packages, colour, cache, folders."""
    ran = installed.run("gvm", "doctor", "--json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = {finding["name"]: finding for finding in json.loads(ran.stdout)}
    assert [name for name, finding in found.items() if finding["health"] == "bad"] == []


@pytest.mark.parametrize(("host", "script"), HOSTS.items())
def test_a_host_s_scripts_load_the_wheel_s_package(installed, tmp_path, host, script):
    """They name where the package lies and the Python beside it."""
    ran = installed.run("gvm", "install", host, "--to", str(tmp_path))
    assert ran.returncode == 0, ran.stderr
    text = (tmp_path / script).read_text()
    assert str(installed.packages) in text
    assert str(installed.folder / "bin" / "python") in text
    assert str(ROOT) not in text
    assert installed.run("gvm", "uninstall", host, "--to", str(tmp_path)).returncode == 0
    assert list(tmp_path.rglob("*.py")) == []


def test_nuke_s_folder_has_the_package_whole(installed, tmp_path, two_empty_wheels):
    """Every file of both packages, copied out of the environment."""
    plugins = tmp_path / "plugins"
    words = ["install", "nuke", "--nuke-python", "3.11", "--to", str(plugins)]
    index = {"PIP_FIND_LINKS": str(two_empty_wheels), "PIP_NO_INDEX": "1"}
    ran = installed.run("gvm", *words, **index)
    assert ran.returncode == 0, ran.stderr
    for package in ("gvm_client", "gvm_nodes"):
        copied, packed = plugins / "gvm" / package, installed.packages / package
        assert _files(copied) == _files(packed)
        assert "__init__.py" in _files(copied)
    assert installed.run("gvm", "uninstall", "nuke", "--to", str(plugins)).returncode == 0
    assert not (plugins / "gvm").exists()


@pytest.fixture
def two_empty_wheels(tmp_path: Path) -> Path:
    """A folder in which pip finds pyzmq and msgpack, of no content."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("pyzmq", "msgpack"):
        sign = f"{name}-99.0.dist-info"
        texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }
        with zipfile.ZipFile(folder / f"{name}-99.0-py3-none-any.whl", "w") as made:
            for file, text in texts.items():
                made.writestr(f"{sign}/{file}", text)
    return folder


def test_the_openfx_plug_in_without_its_source_says_what_to_do(installed, tmp_path):
    """It is built in a checkout; a bundle that was built there is installed as it is."""
    ran = installed.run("gvm", "install", "ofx", "--to", str(tmp_path))
    assert ran.returncode == 4
    assert "no source of the OpenFX plug-in" in ran.stderr
    assert "make bundle" in ran.stderr
    assert "--bundle" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def _files(package: Path) -> set[str]:
    return {
        str(path.relative_to(package))
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
