"""`gvm doctor --hosts`: what stands in hosts' folders, after a real install and after damage."""

from __future__ import annotations

import json
import shutil
import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path

import pytest

from gvm_server.cli.doctor import hosts
from gvm_server.cli.doctor import programs as host_python
from gvm_server.cli.doctor.finding import Finding, Health, look_at
from gvm_server.cli.install import script_hosts
from gvm_server.cli.install.nuke import FOLDER, LINE, SIGN
from gvm_server.cli.main import build_parser, load_function, main

HOSTS = ("natron", "resolve", "fusion")
NATRON_SCRIPTS = [script.path for script in script_hosts.NATRON.scripts]
# A Python says the same whose home folder it is: it is started once, not for each test.
ask_python = lru_cache(host_python.ask_python)


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user with an empty home folder."""
    for name in (
        *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "NUKE_PATH", "FUSION_PROFILE_DIR"),
        *("GVM_SERVER", "GVM_SIDE_PYTHON", "OFX_PLUGIN_PATH"),
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NUKE_TEMP_DIR", str(tmp_path / "nuke"))
    monkeypatch.setattr(hosts, "ask_python", ask_python)
    return tmp_path


def install(host: str, *words: str) -> None:
    """Install as the command line does."""
    parsed = build_parser().parse_args(["install", host, *words])
    assert load_function(parsed.run)(parsed) == 0


def findings(name: str) -> list[Finding]:
    """Return what is said of a thing."""
    return [found for found in look_at(hosts.LOOKS) if found.name == name]


def finding(name: str) -> Finding:
    """Return the one thing that is said."""
    (found,) = findings(name)
    return found


def test_nothing_is_installed_is_no_fault(capsys: pytest.CaptureFixture[str]):
    """Each host is named with the command that installs for it; exit code 0."""
    assert main(["doctor", "--hosts", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert {found["health"] for found in said} <= {"good", "note"}
    remedies = "".join(found["remedy"] for found in said)
    for host in ("ofx", "nuke", *HOSTS):
        assert f"gvm install {host}" in remedies


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("told", [False, True])
def test_what_is_installed_is_found_with_its_package_and_python(host: str, told, user: Path):
    """In the host's own folder, and in one that the install was told of; nobody else's scripts."""
    install(host, *(["--to", str(user / "studio")] if told else []))
    found, python = finding(host.title()), finding(f"{host.title()}'s Python")
    assert (found.health, python.health) == (Health.GOOD, Health.GOOD)
    assert ("studio" in found.says) == told
    assert sys.executable in python.says
    assert "gvm-bridge 0.1.0" in python.says
    for other in set(HOSTS) - {host}:
        assert "nothing is installed" in finding(other.title()).says


def test_a_missing_script_is_a_note(user: Path):
    """By its name."""
    install("resolve")
    next(user.rglob("Matte Marked Range.py")).unlink()
    found = finding("Resolve")
    assert found.health is Health.NOTE
    assert "missing: Utility/GVM/Matte Marked Range.py" in found.says
    assert "gvm install resolve" in found.remedy


@pytest.mark.parametrize("name", NATRON_SCRIPTS)
def test_a_script_of_another_release_is_a_note(name: str, user: Path):
    """It is not what this release writes."""
    install("natron")
    (script,) = user.rglob(name)
    script.write_text(script.read_text() + "\nold = True\n")
    assert "of another release" in finding("Natron").says


@pytest.mark.parametrize("name", NATRON_SCRIPTS)
@pytest.mark.parametrize("damage", ["gone", "cut off", "empty after our line"])
def test_a_package_that_cannot_be_loaded_is_bad(name: str, damage: str, user: Path):
    """Moved, or never whole: the node does nothing."""
    install("natron")
    (script,) = user.rglob(name)
    text = script.read_text()
    if damage == "gone":
        nodes = str(Path(import_module("gvm_nodes").__file__ or "").parents[1])
        script.write_text(text.replace(nodes, "/there/is/none"))
    else:
        end = text.index("\n") + 1 if "empty" in damage else len(text) // 2
        script.write_text(text[:end] + ("\nx = (" if damage == "cut off" else ""))
    found = finding("Natron")
    assert found.health is Health.BAD
    assert "cannot load it" in found.says
    assert "gvm install natron" in found.remedy


@pytest.mark.parametrize("python", ["/there/is/none", "/bin/false", ""])
def test_a_python_that_does_not_run_is_bad(user: Path, python: str):
    """The scripts name it, and it has gone, fails, or is nothing."""
    install("natron")
    for script in user.rglob("*.py"):
        script.write_text(script.read_text().replace(repr(sys.executable), repr(python)))
    found = finding("Natron's Python")
    assert found.health is Health.BAD
    assert "gvm install natron" in found.remedy


def test_a_variable_names_another_python(monkeypatch: pytest.MonkeyPatch):
    """And it is that one which has to be mended."""
    install("natron")
    monkeypatch.setenv("GVM_SIDE_PYTHON", "/there/is/none")
    found = finding("Natron's Python")
    assert found.health is Health.BAD
    assert "GVM_SIDE_PYTHON says" in found.says
    assert "GVM_SIDE_PYTHON" in found.remedy


@pytest.fixture
def nuke(user: Path) -> Path:
    """The node as `gvm install nuke` leaves it, pyzmq and msgpack only hinted at."""
    folder = user / ".nuke" / FOLDER
    folder.mkdir(parents=True)
    (folder / SIGN).write_text("")
    for package in ("gvm_client", "gvm_nodes"):
        source = Path(import_module(package).__file__ or "").parent
        shutil.copytree(source, folder / package)
    for module in ("zmq", "msgpack"):
        (folder / "vendor" / "cp311-linux" / module).mkdir(parents=True)
    (folder / "side_python.txt").write_text(f"{sys.executable}\n")
    (user / ".nuke" / "init.py").write_bytes(LINE)
    return folder


def test_a_whole_node_of_nuke_is_good(nuke: Path):
    """With the Pythons that it has pyzmq for."""
    assert finding("Nuke").health is Health.GOOD
    assert "0.1.0, pyzmq for cp311-linux" in finding("Nuke").says
    assert finding("Nuke's Python").health is Health.GOOD


def test_nuke_is_not_told_of_its_node(nuke: Path):
    """The line in init.py is what Nuke goes by."""
    (nuke.parent / "init.py").write_text("import nuke\n")
    found = finding("Nuke")
    assert found.health is Health.BAD
    assert str(nuke.parent / "init.py") in found.says


def test_nuke_s_package_is_gone(nuke: Path):
    """A copy that ended too early."""
    shutil.rmtree(nuke / "gvm_nodes")
    assert finding("Nuke").health is Health.BAD


def test_half_of_what_nuke_s_python_needs(nuke: Path):
    """The folder's name says which Python it is."""
    shutil.rmtree(nuke / "vendor" / "cp311-linux" / "msgpack")
    found = finding("Nuke")
    assert found.health is Health.NOTE
    assert "not whole: cp311-linux" in found.says


def test_a_node_of_another_release(nuke: Path):
    """Server and node are to be of one."""
    package = nuke / "gvm_client" / "__init__.py"
    package.write_text(package.read_text().replace('"0.1.0"', '"0.0.9"'))
    found = finding("Nuke")
    assert found.health is Health.NOTE
    assert "0.0.9" in found.says
    assert "this command is 0.1.0" in found.says


def test_a_node_in_nuke_path(nuke: Path, user: Path, monkeypatch: pytest.MonkeyPatch):
    """A studio's folder; a folder of another's name `gvm` is not ours."""
    (user / ".nuke").rename(user / "studio")
    assert "nothing is installed" in finding("Nuke").says
    (user / ".nuke" / "gvm").mkdir(parents=True)
    monkeypatch.setenv("NUKE_PATH", f"/there/is/none:{user / 'studio'}")
    assert str(user / "studio") in finding("Nuke").says


@pytest.mark.parametrize(
    ("command", "health", "says"),
    [
        ([sys.executable, "-m", "gvm_server", "serve"], Health.GOOD, "gvm 0.1.0"),
        (["/there/is/none", "serve"], Health.BAD, "No such file"),
        ([sys.executable, "-m", "no_such_module", "serve"], Health.BAD, "no_such_module"),
        (["/bin/sh"], Health.GOOD, "its program is there"),
        (["/there/is/none"], Health.BAD, "there is no /there/is/none"),
    ],
)
def test_the_server_that_hosts_start_is_tried(user: Path, command, health: Health, says: str):
    """Without starting one."""
    file = user / ".config" / "gvm" / "server.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps({"command": command, "env": {"HF_TOKEN": "hidden"}}))
    found = finding("server of hosts")
    assert found.health is health
    assert says in found.says
    assert str(file) in found.says
    assert "HF_TOKEN" in found.says
    assert "hidden" not in found.says


def test_a_damaged_server_json_is_bad_and_the_rest_is_looked_at(user: Path, capsys):
    """Exit code 4, and every other thing is still said."""
    file = user / ".config" / "gvm" / "server.json"
    file.parent.mkdir(parents=True)
    file.write_text("{")
    assert main(["doctor", "--hosts"]) == 4
    said = capsys.readouterr().out
    assert f"[ bad] server: {file}" in said
    assert "] farms:" in said


def test_a_folder_that_may_not_be_read_is_a_finding(user: Path, capsys):
    """A file stands where a host's folder should be."""
    (user / ".nuke").write_text("")
    (user / ".fusion").write_text("")
    assert main(["doctor", "--hosts"]) == 0
    assert "] farms:" in capsys.readouterr().out


def test_one_thing_at_a_time():
    """What `--plan`, `--hosts` and `--support` say does not go together."""
    for words in (["--hosts", "--plan", "1x1"], ["--hosts", "--support", "x"]):
        with pytest.raises(SystemExit) as caught:
            build_parser().parse_args(["doctor", *words])
        assert caught.value.code == 2


@pytest.mark.parametrize("there", [False, True])
def test_what_a_farm_s_jobs_would_call(there, user: Path, monkeypatch: pytest.MonkeyPatch):
    """The `gvm` on PATH, tried; or that there is none."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent if there else user))
    found = finding("farms")
    assert found.health is (Health.GOOD if there else Health.NOTE)
    assert ("gvm 0.1.0" in found.says) == there
    assert ("--gvm" in found.remedy) != there
