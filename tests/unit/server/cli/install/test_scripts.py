"""`gvm install resolve|fusion|natron`: scripts that find the package, and their uninstall."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from gvm_client.errors import ErrorCode, OutputError
from gvm_nodes.blackmagic.menu_entry import NO_WINDOWS
from gvm_nodes.natron.group import MODULE
from gvm_server.cli.install import script_hosts
from gvm_server.cli.main import build_parser
from tests.fakes import natron

HOSTS = {"resolve": 5, "fusion": 4, "natron": 2}


def scripts_of(host: str, folder: Path):
    """Return a host's scripts, and the parsed options of their install."""
    parsed = build_parser().parse_args(["install", host, "--to", str(folder)])
    return getattr(script_hosts, host.upper()), parsed


@pytest.mark.parametrize(("host", "count"), HOSTS.items())
def test_scripts_are_written_replaced_and_deleted(host, count, tmp_path):
    """Twice is as good as once; nothing of ours is left."""
    scripts, parsed = scripts_of(host, tmp_path)
    assert scripts.run(parsed) == scripts.run(parsed) == 0
    assert len(list(tmp_path.rglob("*.py"))) == count
    (tmp_path / "mine.py").write_text("print()\n")
    assert scripts.undo(parsed) == scripts.undo(parsed) == 0
    assert [path.name for path in tmp_path.rglob("*.py")] == ["mine.py"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_file_that_is_not_ours_stays(host, tmp_path):
    """Neither replaced nor deleted."""
    scripts, parsed = scripts_of(host, tmp_path)
    place = tmp_path / scripts.scripts[0].path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("print()\n")
    for act in (scripts.run, scripts.undo):
        with pytest.raises(OutputError) as caught:
            act(parsed)
        assert caught.value.code is ErrorCode.OUTPUT_NOT_OURS
    assert place.read_text() == "print()\n"


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("kind", ["folder", "of another encoding"])
def test_where_one_is_not_ours_none_is_written_or_deleted(host, kind, tmp_path):
    """Whatever it is; half of a host's scripts were, before a traceback."""
    scripts, parsed = scripts_of(host, tmp_path)
    place = tmp_path / scripts.scripts[-1].path
    for act, others in ((scripts.run, 0), (scripts.undo, HOSTS[host] - 1)):
        if act == scripts.undo:
            scripts.run(parsed)
            place.unlink()
        place.parent.mkdir(parents=True, exist_ok=True)
        if kind == "folder":
            place.mkdir()
        else:
            place.write_bytes(b"# fran\xe7ois\n")
        with pytest.raises(OutputError, match="did not write it"):
            act(parsed)
        files = [path for path in tmp_path.rglob("*.py") if path != place]
        assert len(files) == others
        if kind == "folder":
            place.rmdir()
        else:
            place.unlink()


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path):
    """With the way out."""
    (tmp_path / "Comp").write_text("")
    scripts, parsed = scripts_of("fusion", tmp_path)
    with pytest.raises(OutputError, match="cannot be written"):
        scripts.run(parsed)


@pytest.mark.parametrize("host", HOSTS)
def test_without_a_folder_the_user_s_own_is_taken(host, tmp_path, monkeypatch):
    """Below the home folder, where the host looks."""
    monkeypatch.setenv("HOME", str(tmp_path))
    scripts, _ = scripts_of(host, tmp_path)
    scripts.run(build_parser().parse_args(["install", host]))
    assert list(tmp_path.rglob(f"*/{scripts.scripts[-1].path}"))


@pytest.mark.parametrize("host", HOSTS)
def test_uninstall_runs_the_undo_of_the_host(host):
    """By the same table as install."""
    parsed = build_parser().parse_args(["uninstall", host])
    assert parsed.run == f"gvm_server.cli.install.script_hosts:{host.upper()}.undo"


def test_an_installed_script_runs_in_a_python_that_knows_nothing_of_us(tmp_path):
    """It finds the package and says its error, with no site-packages and another Python named."""
    scripts, parsed = scripts_of("resolve", tmp_path)
    scripts.run(parsed)
    script = tmp_path / "Utility" / "GVM" / "Matte Marked Range.py"
    host = (
        "class Nothing:\n"
        "    def __getattr__(self, name): return lambda *_: None if 'Timeline' in name else self\n"
        "    def GetVersion(self): return [21, 0, 0, 1, '']\n"
        f"exec(open({str(script)!r}).read(), {{'resolve': Nothing()}})\n"
        "import os; print(os.environ['GVM_SIDE_PYTHON'])\n"
    )
    environment = {name: text for name, text in os.environ.items() if "GVM" not in name}
    ran = subprocess.run(
        [sys.executable, "-S", "-c", host], env=environment, capture_output=True, text=True
    )
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == [NO_WINDOWS, sys.executable]


@pytest.mark.parametrize("host", ["resolve", "fusion"])
def test_a_python_that_is_too_old_is_told_in_one_sentence(host, tmp_path):
    """Resolve and Fusion run the first Python that they find, a system's 3.6 or 3.9 too."""
    scripts, parsed = scripts_of(host, tmp_path)
    scripts.run(parsed)
    for script in tmp_path.rglob("*.py"):
        text = script.read_text()
        ast.parse(text, feature_version=(3, 7))  # the oldest that is known here
        old = f"import sys; sys.version_info = (3, 6, 8); exec({text!r})"
        ran = subprocess.run([sys.executable, "-S", "-c", old], capture_output=True, text=True)
        assert ran.stderr == ""
        (sentence,) = ran.stdout.splitlines()
        assert sentence.startswith("GVM: the scripts need Python 3.10 or later, and this is 3.6.")
        assert "FUSION_PYTHON3_HOME" in sentence


def test_the_pyplug_is_one_for_natron_and_its_callbacks_are_the_ones_that_the_group_names(tmp_path):
    """Natron looks for a line of its own, and finds callbacks by the file's name."""
    scripts, parsed = scripts_of("natron", tmp_path)
    scripts.run(parsed)
    place = tmp_path / f"{MODULE}.py"
    app = natron.start(background=True)
    natron.install(place.read_text(), place.stem)
    group = app.createNode("org.gvmbridge.natron.matte")
    (pyplug,) = natron.session().pyplugs.values()
    for param in ("onParamChanged", "onInputChanged", "afterNodeCreated"):
        name, function = group.getParam(param).get().split(".")
        assert name == place.stem
        assert callable(getattr(pyplug, function))


def test_the_batch_script_of_natron_does_nothing_when_it_is_imported(tmp_path, monkeypatch):
    """It stands where an older Natron imports every file when it starts."""
    scripts, parsed = scripts_of("natron", tmp_path)
    scripts.run(parsed)
    monkeypatch.syspath_prepend(tmp_path)
    assert "# Natron PyPlug" not in (tmp_path / script_hosts.RENDER).read_text()
    import_module(Path(script_hosts.RENDER).stem)
