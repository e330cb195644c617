"""Builds the plug-in once, and gives tests a server, a plate and the command line's alphas."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from numpy.typing import NDArray

from tests.ofx import wine
from tests.ofx.fakehost import Build, HostPlate, Open, opening
from tests.support.plates import moving_disc, read_alpha, write_plate
from tests.support.site import Site, machine_for_hosts
from tests.support.tree import ROOT

WIDTH, HEIGHT, FIRST, LAST = 96, 64, 1001, 1020


BUILD_SECONDS = 900  # a test that comes first waits for the compiler, which may share its machine


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of this folder the time that a build may take."""
    for item in items:
        if item.path.is_relative_to(ROOT / "tests" / "ofx"):
            item.add_marker(pytest.mark.timeout(BUILD_SECONDS))


def build_plugin(folder: Path, *options: str) -> Build:
    """Build the plug-in and the test programs; skip where that cannot be, fail where it must."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    setup = subprocess.run([ROOT / "plugin_host" / "setup.sh"], capture_output=True, text=True)
    if setup.returncode != 0:
        if os.environ.get("CI") == "true":
            pytest.fail(setup.stderr.strip())
        pytest.skip(setup.stderr.strip())
    with FileLock(f"{folder}.lock"):  # several workers of one test run want it
        ran = subprocess.run(
            [ROOT / "plugin_host" / "build.sh", folder, "-DGVM_TESTS=ON", *options],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHON": sys.executable},
        )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return Build(folder=folder)


@pytest.fixture(scope="session")
def build() -> Build:
    """The plug-in as `make plugin` builds it, or for Windows."""
    if wine.CHOSEN:
        return wine.build_for_windows()
    return build_plugin(ROOT / "build" / "plugin")


@pytest.fixture(scope="session")
def plate(tmp_path_factory: pytest.TempPathFactory) -> HostPlate:
    """A clip whose pixels half floats hold, as the fake host's files."""
    pictures = {
        frame: moving_disc(frame, WIDTH, HEIGHT).astype(np.float16).astype(np.float32)
        for frame in range(FIRST, LAST + 1)
    }
    return HostPlate.of(tmp_path_factory.mktemp("plate"), pictures)


@pytest.fixture(scope="session")
def exr_plate(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same clip as EXR files."""
    folder = tmp_path_factory.mktemp("exr")
    return write_plate(folder, range(FIRST, LAST + 1), width=WIDTH, height=HEIGHT)


@contextmanager
def _machine(folder: Path) -> Iterator[Site]:
    with machine_for_hosts(folder) as site:
        if wine.CHOSEN:
            wine.prepare(site)
        yield site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A machine of its own, whose hosts may start this Python's server."""
    with _machine(tmp_path) as site:
        yield site


@pytest.fixture(scope="module")
def warm_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all tests of a file: its server stays warm, as an artist's does."""
    with _machine(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture
def host_like(build: Build, tmp_path: Path, plate: HostPlate, warm_site: Site) -> Open:
    """Hosts on the machine with the warm server."""
    return opening(build, tmp_path, plate, warm_site.environment)


@pytest.fixture(scope="module")
def alphas(warm_site: Site, exr_plate: str) -> dict[int, NDArray[np.float32]]:
    """The command line's alphas of the clip, made there."""
    out = warm_site.folder / "alphas"
    assert warm_site.matte(exr_plate, out, "--depth", "float").code == 0
    return {frame: read_alpha(out / f"plate.{frame}.exr") for frame in range(FIRST, LAST + 1)}
