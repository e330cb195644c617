"""Two shells and one warm server: each job means what its own shell says."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.colours import CONFIG
from tests.support.plates import read_alpha, write_plate
from tests.support.site import SMALL, Ran, Site


@pytest.fixture
def plate(tmp_path: Path) -> str:
    """Two frames."""
    return write_plate(tmp_path / "plate", range(1001, 1003))


def mode(path: Path) -> int:
    """Return a path's permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def matte_with_umask(site: Site, plate: str, out: Path, umask: int) -> None:
    """Matte from a shell with this umask."""
    words = [sys.executable, "-m", "gvm_server", "matte", plate, "-o", str(out), *SMALL]
    subprocess.run(
        words,
        check=True,
        capture_output=True,
        cwd=site.folder,
        env={**os.environ, **site.environment},
        umask=umask,
    )


def in_shell(site: Site, **variables: str) -> Site:
    """Return the same machine as another shell has it."""
    return Site(
        folder=site.folder,
        runtime=site.runtime,
        environment={**site.environment, **variables},
    )


def refusal(ran: Ran) -> str:
    """Return what a command that failed said."""
    assert ran.code != 0
    return ran.stdout + ran.stderr


def test_files_and_folders_have_the_modes_of_the_asking_shell(
    site: Site, plate: str, tmp_path: Path
):
    """New alphas and recalled ones, and each new folder, whoever started the server."""
    for umask, name in ((0o077, "private"), (0o002, "group"), (0o022, "all"), (0o027, "again")):
        out = tmp_path / name / "deep"
        matte_with_umask(site, plate, out, umask)
        assert mode(out) == mode(out.parent) == 0o777 & ~umask
        assert {mode(file) for file in out.iterdir()} == {0o666 & ~umask}


def test_a_folder_hands_its_group_down(site: Site, plate: str, tmp_path: Path):
    """The setgid bit that a new folder inherits stays."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2775)
    matte_with_umask(site, plate, shared / "new", 0o007)
    assert mode(shared / "new") == 0o2770


def test_the_server_belongs_to_nobodys_shell(site: Site, plate: str, tmp_path: Path):
    """It stands in its run-time folder, privately, without what changes programs and mattes."""
    del site.environment["GVM_SERVER"]  # a start of its own, for /proc tells what it began with
    (tmp_path / "usb").mkdir()
    shell = in_shell(
        site, LD_LIBRARY_PATH="/nowhere", GVM_WEIGHTS="/w", PWD="/here", KMP_AFFINITY="none"
    )
    shell.folder = tmp_path / "usb"
    assert shell.matte(plate, tmp_path / "out").code == 0
    server = site.server()
    assert server is not None
    assert Path(server.cwd()) == site.runtime
    assert not {"LD_LIBRARY_PATH", "GVM_WEIGHTS", "PWD", "KMP_AFFINITY"} & set(server.environ())
    status = Path(f"/proc/{server.pid}/status").read_text()
    assert "Umask:\t0077" in status


def test_each_shells_weights_are_looked_for(site: Site, plate: str, tmp_path: Path):
    """The server's own environment says nothing of them."""
    assert site.matte(plate, tmp_path / "warm").code == 0
    for name in ("one", "two"):
        folder = str(tmp_path / name)
        ran = in_shell(site, GVM_WEIGHTS=folder).matte(plate, tmp_path / "m", "--engine", "gvm")
        assert folder in refusal(ran)


def test_each_shells_colour_configuration_is_read(site: Site, plate: str, tmp_path: Path):
    """On one warm server a job gets what a server of its own shell would have made."""
    shells = [site]
    for gain in (1, 6):
        config = tmp_path / f"show{gain}.ocio"
        config.write_text(CONFIG.replace("GAIN", str(1 / gain)))
        shells.append(in_shell(site, OCIO=str(config)))
    digests = set()
    for number, shell in enumerate(shells):
        ran = shell.matte(plate, tmp_path / f"warm{number}")
        assert ran.code == 0, ran.stderr
        digests.add(ran.events[0]["ocio_digest"])
    assert len(digests) == len(shells)
    for number, shell in enumerate(shells):
        site.gvm("stop")
        alone = in_shell(shell, GVM_CACHE_DIR=str(tmp_path / f"cache{number}"))
        assert alone.matte(plate, tmp_path / f"alone{number}").code == 0
        warm, own = (
            read_alpha(tmp_path / f"{way}{number}" / "plate.1001.exr") for way in ("warm", "alone")
        )
        assert np.array_equal(warm, own)


SHOTS = """ocio_profile_version: 2
search_path: luts
roles: {scene_linear: lin, default: lin}
displays: {sRGB: [!<View> {name: Raw, colorspace: lin}]}
colorspaces:
  - !<ColorSpace>
    name: lin
    from_scene_reference: !<FileTransform> {src: $SHOT.spi1d, interpolation: linear}
  - !<ColorSpace>
    name: sRGB
    from_scene_reference: !<ExponentTransform> {value: [2.2, 2.2, 2.2, 1], direction: inverse}
"""


def test_each_shells_shot_is_graded_with_its_own_table(site: Site, plate: str, tmp_path: Path):
    """A configuration's context variables are the asker's; a farm's job brings them along."""
    (tmp_path / "luts").mkdir()
    for shot, white in (("a", 0.25), ("b", 1.0)):
        table = f"Version 1\nFrom 0.0 1.0\nLength 2\nComponents 1\n{{\n0.0\n{white}\n}}\n"
        (tmp_path / "luts" / f"{shot}.spi1d").write_text(table)
    config = tmp_path / "show.ocio"
    config.write_text(SHOTS)
    mattes = {}
    for shot in "abb":
        shell = in_shell(site, OCIO=str(config), SHOT=shot)
        ran = shell.matte(plate, tmp_path / f"out{len(mattes)}")
        assert ran.code == 0, ran.stderr
        mattes[shot] = ran.events[0]["ocio_digest"], tmp_path / f"out{len(mattes)}"
    first, second = (read_alpha(out / "plate.1001.exr") for _, out in mattes.values())
    assert not np.array_equal(first, second)
    worker = in_shell(site, OCIO=str(config))
    words = ("--ocio-variable=SHOT=b", f"--ocio-digest={mattes['b'][0]}")
    assert worker.matte(plate, tmp_path / "farm", *words).code == 0
    assert np.array_equal(read_alpha(tmp_path / "farm" / "plate.1001.exr"), second)
    assert "was made for" in refusal(worker.matte(plate, tmp_path / "farm2", words[1]))
    says = refusal(worker.matte(plate, tmp_path / "farm3", "--ocio-variable=SHOT"))
    assert "NAME=value" in says


def test_a_pinned_configuration_is_demanded(site: Site, plate: str, tmp_path: Path):
    """Another content is refused with both hashes; the one that a job told of is taken."""
    accepted = site.matte(plate, tmp_path / "out").events[0]
    digest = accepted["ocio_digest"]
    assert site.matte(plate, tmp_path / "same", "--ocio-digest", digest).code == 0
    says = refusal(site.matte(plate, tmp_path / "other", "--ocio-digest", "00ff"))
    assert "00ff" in says
    assert digest in says


def test_demands_are_met_or_refused_with_both_values(site: Site, plate: str, tmp_path: Path):
    """Device, precision and compilation are the server's, told to every job."""
    accepted = site.matte(plate, tmp_path / "out").events[0]
    told = {name: accepted[name] for name in ("device", "precision", "compilation")}
    assert told == {"device": "cpu", "precision": "float32", "compilation": "none"}
    for flag, other in (("device", "cuda"), ("precision", "float16"), ("compile", "inductor")):
        says = refusal(site.matte(plate, tmp_path / "no", f"--demand-{flag}", other))
        assert other in says
        assert any(value in says for value in told.values())
    assert site.matte(plate, tmp_path / "yes", "--demand-device", "cpu").code == 0


def test_the_cache_that_is_spoken_of_is_the_servers(site: Site, plate: str, tmp_path: Path):
    """From a shell with another cache folder, matte and cache name the one that is used."""
    assert site.matte(plate, tmp_path / "out").code == 0
    other = in_shell(site, GVM_CACHE_DIR=str(tmp_path / "mine"))
    shown = other.gvm("cache", "show", "--json")
    assert json.loads(shown.stdout)["path"] == site.environment["GVM_CACHE_DIR"]
    assert str(tmp_path / "mine") in shown.stderr
    ran = other.matte(plate, tmp_path / "out2")
    assert str(tmp_path / "mine") in ran.stdout + ran.stderr
    assert not (tmp_path / "mine").exists()


def test_a_shell_whose_umask_is_0_opens_nothing_of_the_cache(
    site: Site, plate: str, tmp_path: Path
):
    """Whoever starts the server: plates' mattes of a show are nobody else's to read or change."""
    matte_with_umask(site, plate, tmp_path / "open", 0)
    cache = Path(site.environment["GVM_CACHE_DIR"])
    kept = [cache, *cache.rglob("*")]
    assert sum(path.is_file() for path in kept) >= 4
    assert {mode(path) & 0o077 for path in kept} == {0}
    assert {mode(path) & 0o077 for path in (site.runtime, *site.runtime.iterdir())} == {0}
