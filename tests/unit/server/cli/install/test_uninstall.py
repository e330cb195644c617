"""`gvm uninstall`: nothing of ours is left, and nothing of others' is taken."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from gvm_client.process import Exit
from gvm_server.cli.install import options
from gvm_server.cli.install.bundle import BUNDLE_NAME, IDENTIFIER
from gvm_server.cli.main import main

SCRIPTS = ("resolve", "fusion", "natron")
OURS = [sys.executable, "-m", "gvm_server", "serve"]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with an empty home folder."""
    for name in list(os.environ):
        if name.startswith(("XDG_", "GVM", "OFX")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def bundle(tmp_path: Path) -> str:
    """The files of a plug-in that was built elsewhere."""
    contents = tmp_path / BUNDLE_NAME / "Contents"
    contents.mkdir(parents=True)
    (contents / "Info.plist").write_text(
        '<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleIdentifier</key>'
        f"<string>{IDENTIFIER}</string></dict></plist>"
    )
    return str(tmp_path / BUNDLE_NAME)


@pytest.mark.parametrize("kind", ["nothing", "a file", "the folder that it is in", "another's"])
def test_what_is_no_plug_in_of_ours_is_not_installed_as_it(
    home: Path, bundle: str, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any folder was, and then nothing took it away again."""
    named = {"the folder that it is in": Path(bundle).parent}.get(kind, tmp_path / "named")
    if kind == "a file":
        named.write_text("")
    if kind == "another's":
        (named / "Contents").mkdir(parents=True)
        (named / "Contents" / "Info.plist").write_text("<plist version='1.0'><dict></dict></plist>")
    to = home / "ofx"
    words = ["install", "ofx", "--to", str(to), "--bundle", str(named)]
    assert main(words) == Exit.USAGE
    assert "is not the OpenFX plug-in of this program" in capsys.readouterr().err
    assert not to.exists()
    assert main([*words[:-1], bundle]) == Exit.DONE
    assert "no binary for this system" in capsys.readouterr().out


@pytest.mark.parametrize("host", ["ofx", "nuke", *SCRIPTS])
def test_where_the_server_s_file_is_damaged_nothing_is_installed(
    home: Path, bundle: str, host: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first of a host's scripts stood there, or all of a plug-in, and no record knew of it."""
    config = home / ".config" / "gvm"
    config.mkdir(parents=True)
    (config / "server.json").write_text('{"command": "x"}')
    to = home / "there"
    more = ("--bundle", bundle) if host == "ofx" else ()
    assert main(["install", host, *more, "--to", str(to)]) == Exit.SERVER
    assert "names no server command" in capsys.readouterr().err
    assert not to.exists()


def install(host: str, bundle: str, *words: str) -> None:
    """Install as the command line does."""
    more = ("--bundle", bundle) if host == "ofx" else ()
    assert main(["install", host, *more, *words]) == Exit.DONE


def server_of(home: Path) -> dict:
    """Return what server.json says."""
    return json.loads((home / ".config" / "gvm" / "server.json").read_text())


@pytest.mark.parametrize("host", [*SCRIPTS, "ofx"])
def test_an_empty_home_folder_is_empty_again(host: str, home: Path, bundle: str):
    """No folder, no server.json; installed twice, uninstalled twice."""
    for _ in range(2):
        install(host, bundle)
        assert server_of(home) == {"command": OURS}
    for _ in range(2):
        assert main(["uninstall", host]) == Exit.DONE
        assert list(home.iterdir()) == []


@pytest.mark.parametrize("host", [*SCRIPTS, "ofx"])
def test_folders_that_stood_before_stay(host: str, home: Path, bundle: str):
    """Empty ones too, and what lies in those that were made meanwhile."""
    (home / ".config").mkdir()
    to = home / "studio" / "plugins"
    to.parent.mkdir()
    install(host, bundle, "--to", str(to))
    (to / "mine.txt").write_text("")
    assert main(["uninstall", host, "--to", str(to)]) == Exit.DONE
    assert sorted(home.rglob("*")) == [home / ".config", to.parent, to, to / "mine.txt"]


def test_the_server_stays_named_while_something_needs_it(home: Path, bundle: str):
    """It goes with the last place; one that was deleted by hand does not count."""
    install("fusion", bundle)
    install("ofx", bundle, "--to", str(home / "ofx"))
    install("natron", bundle)
    assert main(["uninstall", "fusion"]) == Exit.DONE
    assert server_of(home) == {"command": OURS}
    for script in (home / ".Natron").iterdir():
        script.unlink()
    assert server_of(home) == {"command": OURS}
    assert main(["uninstall", "ofx", "--to", str(home / "ofx")]) == Exit.DONE
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ({"command": ["/opt/gvm"]}, {"command": ["/opt/gvm"]}),
        ({"command": OURS}, {"command": OURS}),
        ({"env": {"A": "1"}}, {"env": {"A": "1"}}),
    ],
)
def test_what_the_studio_wrote_into_server_json_stays(said, left, home: Path, bundle: str):
    """Also the very command that would have been written."""
    path = home / ".config" / "gvm" / "server.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(said))
    install("fusion", bundle)
    assert main(["uninstall", "fusion"]) == Exit.DONE
    assert server_of(home) == left
    assert [entry.name for entry in home.iterdir()] == [".config"]


def test_a_command_that_was_changed_since_stays(home: Path, bundle: str):
    """It is not the one that was written."""
    install("fusion", bundle)
    (home / ".config" / "gvm" / "server.json").write_text('{"command": ["/opt/gvm"]}')
    assert main(["uninstall", "fusion"]) == Exit.DONE
    assert server_of(home) == {"command": ["/opt/gvm"]}


def test_what_a_host_s_python_compiled_goes_too(home: Path, bundle: str):
    """Of our script only."""
    install("natron", bundle)
    script = min((home / ".Natron").iterdir())
    compiled = script.parent / "__pycache__"
    compiled.mkdir()
    (compiled / f"{script.stem}.cpython-310.pyc").write_text("")
    (compiled / "init.cpython-310.pyc").write_text("")
    assert main(["uninstall", "natron"]) == Exit.DONE
    assert [path.name for path in compiled.iterdir()] == ["init.cpython-310.pyc"]


def test_a_bundle_that_is_not_ours_stays(home: Path, bundle: str, capsys):
    """Another program may have the name."""
    folder = home / "ofx"
    install("ofx", bundle, "--to", str(folder))
    plist = folder / BUNDLE_NAME / "Contents" / "Info.plist"
    plist.write_text(plist.read_text().replace(IDENTIFIER, "org.other"))
    assert main(["uninstall", "ofx", "--to", str(folder)]) == Exit.OUTPUT
    assert "not the OpenFX plug-in of this program" in capsys.readouterr().err
    assert plist.exists()


def test_a_link_to_a_build_is_deleted_and_the_build_stays(home: Path, bundle: str):
    """As developers have it; remains of an install that was killed go as well."""
    folder = home / "ofx"
    folder.mkdir()
    (folder / BUNDLE_NAME).symlink_to(bundle)
    (folder / ".gvm-new-0123abcd").mkdir()
    assert main(["uninstall", "ofx", "--to", str(folder)]) == Exit.DONE
    assert list(folder.iterdir()) == []
    assert Path(bundle, "Contents", "Info.plist").exists()


def test_a_damaged_record_removes_no_more_than_what_is_named(home: Path, bundle: str):
    """The files go, the folders stay."""
    install("fusion", bundle)
    (home / ".config" / "gvm" / "installed.json").write_text('{"folders": 3}')
    assert main(["uninstall", "fusion"]) == Exit.DONE
    assert not list(home.rglob("*.py"))
    assert server_of(home) == {"command": OURS}


def test_nothing_to_uninstall_is_said(home: Path, capsys):
    """What was wanted is so."""
    for host in options.HOSTS:
        assert main(["uninstall", host.name]) == Exit.DONE
        assert "Nothing is installed" in capsys.readouterr().out
    assert list(home.iterdir()) == []


def test_a_new_install_names_the_new_server(home: Path, bundle: str, monkeypatch):
    """The environment that the last one was made from may be gone."""
    monkeypatch.setattr(sys, "executable", "/old/venv/bin/python")
    install("fusion", bundle)
    monkeypatch.setattr(sys, "executable", OURS[0])
    install("fusion", bundle)
    assert server_of(home) == {"command": OURS}


def test_without_a_home_folder_nothing_is_installed(home: Path, bundle: str, monkeypatch, capsys):
    """And nothing is written elsewhere."""
    monkeypatch.setenv("HOME", "home")
    for host in ("ofx", *SCRIPTS):
        more = ("--bundle", bundle) if host == "ofx" else ()
        assert main(["install", host, *more]) == Exit.USAGE
        assert "home folder" in capsys.readouterr().err
