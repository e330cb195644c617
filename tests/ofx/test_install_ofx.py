"""`gvm install ofx`: the bundle where hosts look, the server that they start, no stale caches."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from gvm_client.errors import OutputError
from gvm_server.cli.doctor import command as doctor
from gvm_server.cli.install import ofx as install_ofx
from gvm_server.cli.install.bundle import installed_bundles, is_found_by_hosts
from gvm_server.cli.main import build_parser
from tests.ofx.fakehost import Build
from tests.ofx.wine import linux_only


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with an empty home."""
    for name in (
        "XDG_DATA_HOME",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
        "OFX_PLUGIN_PATH",
        "GVM_SERVER",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def install(*words: str) -> int:
    """Run the command as the command line does."""
    return install_ofx.run(build_parser().parse_args(["install", "ofx", *words]))


@linux_only  # a bundle of this system, with its glibc
def test_the_bundle_goes_where_the_user_says_and_names_the_server(
    build: Build, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """What is printed is what an artist needs next; the plug-in finds this Python's server."""
    assert install("--to", str(home / "ofx"), "--bundle", str(build.bundle)) == 0
    assert (home / "ofx" / "GVM.ofx.bundle" / "Contents" / "Linux-x86-64" / "GVM.ofx").is_file()
    assert f"export OFX_PLUGIN_PATH={home / 'ofx'}" in capsys.readouterr().out
    command = json.loads((home / ".config" / "gvm" / "server.json").read_text())["command"]
    assert command == [sys.executable, "-m", "gvm_server", "serve"]
    monkeypatch.setenv("OFX_PLUGIN_PATH", str(home / "ofx"))
    found = next(installed_bundles())
    assert found.path == home / "ofx" / "GVM.ofx.bundle"
    assert found.version == "0.1.0"
    assert found.glibc.startswith("2.")
    assert is_found_by_hosts(found)


def test_installing_again_replaces_the_bundle_and_leaves_nothing_else(build: Build, home: Path):
    """An update; a server that was named already stays named."""
    configured = home / ".config" / "gvm" / "server.json"
    configured.parent.mkdir(parents=True)
    configured.write_text('{"command": ["/opt/gvm"]}')
    for _ in range(2):
        assert install("--bundle", str(build.bundle)) == 0
    folder = home / ".local" / "share" / "gvm" / "OFX"
    assert [path.name for path in folder.iterdir()] == ["GVM.ofx.bundle"]
    assert configured.read_text() == '{"command": ["/opt/gvm"]}'


def test_stale_host_caches_are_cleared(build: Build, home: Path):
    """Natron goes by its cache until it is gone."""
    cache = home / ".cache" / "INRIA" / "Natron" / "OFXLoadCache"
    cache.mkdir(parents=True)
    (cache / "entry.xml").write_text("old")
    assert install("--bundle", str(build.bundle)) == 0
    assert not cache.exists()


def test_a_folder_that_cannot_be_written_is_an_error_with_the_remedy(build: Build, home: Path):
    """A file stands where the folder should be."""
    (home / "taken").write_text("")
    with pytest.raises(OutputError, match="cannot be put") as caught:
        install("--to", str(home / "taken"), "--bundle", str(build.bundle))
    assert "--system" in caught.value.remedy


def test_the_doctor_knows_the_plug_in_its_version_and_its_server(build: Build, home: Path):
    """Not installed is a note; installed, it says where, which version and what it starts."""
    (none,) = doctor._openfx()
    assert none.health is doctor.Health.NOTE
    assert "gvm install ofx" in none.remedy
    assert install("--bundle", str(build.bundle)) == 0
    (found,) = doctor._openfx()
    assert "version 0.1.0" in found.says
    assert f"{sys.executable} -m gvm_server serve" in found.says
    assert "OFX_PLUGIN_PATH" in found.remedy
