"""`gvm install nuke`, with a package index of two empty wheels."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gvm_client.process import Exit
from gvm_server.cli.install import nuke
from gvm_server.cli.main import main


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find pyzmq and msgpack in a folder, and nothing anywhere else."""
    serve_index(tmp_path, monkeypatch)


def serve_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lay a package index into a folder, and have pip and our own settings stay in it."""
    wheels = folder / "wheels"
    wheels.mkdir()
    for name, module in (("pyzmq", "zmq"), ("msgpack", "msgpack")):
        sign = f"{name}-99.0.dist-info"
        with zipfile.ZipFile(wheels / f"{name}-99.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{module}/__init__.py", "")
            wheel.writestr(
                f"{sign}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 99.0\n"
            )
            wheel.writestr(
                f"{sign}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            wheel.writestr(f"{sign}/RECORD", "")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.delenv("GVM_SERVER", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


@pytest.fixture(scope="module")
def installed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the node for every Python, which tests copy: pip takes its time."""
    folder = tmp_path_factory.mktemp("installed")
    with pytest.MonkeyPatch.context() as patch:
        serve_index(folder, patch)
        assert main(["install", "nuke", "--to", str(folder)]) == Exit.DONE
    return folder / "gvm"


@pytest.fixture
def plugin(tmp_path: Path, installed_once: Path) -> Path:
    """Return a copy of the installed folder, to damage at will."""
    return Path(shutil.copytree(installed_once, tmp_path / "gvm"))


def test_it_is_installed_registers_and_is_undone(tmp_path: Path, index: None) -> None:
    """The artist's own init.py is kept, one line longer and then as it was; nothing else stays."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    own = b"# -*- coding: latin-1 -*- fran\xe7ois\r\nimport nuke\r\n"  # of any encoding
    (plugins / "init.py").write_bytes(own)
    for _ in range(2):  # again is an upgrade
        words = ["install", "nuke", "--nuke-python", "3.10", "--to", str(plugins)]
        assert main(words) == Exit.DONE
    text = (plugins / "init.py").read_bytes()
    assert text.startswith(own)
    assert text.count(b"pluginAddPath('./gvm')") == 1
    vendor = plugins / "gvm" / "vendor" / f"cp310-{sys.platform}"
    assert sys.executable in (tmp_path / "config" / "gvm" / "server.json").read_text()
    assert (vendor / "zmq" / "__init__.py").is_file()
    assert not list((plugins / "gvm").rglob("*.nk")) + list((plugins / "gvm").rglob("*.gizmo"))
    assert main(["uninstall", "nuke", "--to", str(plugins)]) == Exit.DONE
    assert (plugins / "init.py").read_bytes() == own
    assert not (plugins / "gvm").exists()


LINE = nuke.LINE.rstrip()


@pytest.mark.parametrize(
    ("edited", "again", "after"),
    [
        (LINE + b"\r\nimport mine\r\n", 1, b"import mine\r\n"),  # by an editor of Windows
        (b"import mine\n" + LINE, 1, b"import mine\n"),  # whose last line does not end
        (b"# " + LINE + b"\nimport mine\n", 2, b"# " + LINE + b"\nimport mine\n"),
        (b"if 1:\n    " + LINE + b"\n", 2, b"if 1:\n    " + LINE + b"\n"),
    ],
)
def test_a_line_that_an_artist_s_editor_changed_is_found_and_others_stay(
    tmp_path: Path, edited: bytes, again: int, after: bytes
) -> None:
    """One that was switched off was taken for ours, and the next line was switched off with it."""
    init = tmp_path / "init.py"
    init.write_bytes(edited)
    nuke._register(tmp_path)
    assert init.read_bytes().count(LINE) == again
    nuke._unregister(init)
    assert init.read_bytes() == after


def test_of_a_link_to_a_folder_of_ours_the_link_alone_is_deleted(
    tmp_path: Path, plugin: Path, index: None
) -> None:
    """It may be a studio's; it was an error about a folder that is not writable."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "gvm").symlink_to(plugin)
    (plugins / "init.py").write_bytes(nuke.LINE)
    assert main(["uninstall", "nuke", "--to", str(plugins)]) == Exit.DONE
    assert not list(plugins.iterdir())
    assert (plugin / "menu.py").is_file()
    (plugins / "gvm").symlink_to(tmp_path / "gone")
    for word in ("install", "uninstall"):
        assert main([word, "nuke", "--to", str(plugins)]) == Exit.OUTPUT


def test_what_is_installed_stands_alone(tmp_path: Path, plugin: Path) -> None:
    """The init.py finds the package beside it, with a Python that has nothing of ours."""
    code = """if True:
        import sys, types
        called = []
        fake = types.ModuleType("nuke")
        fake.__getattr__ = lambda name: lambda *words, **more: called.append(name)
        fake.env = {}
        sys.modules["nuke"] = fake
        init = sys.argv[1]
        exec(compile(open(init).read(), init, "exec"), {"__file__": init})
        import gvm_nodes.side, gvm_nodes.core.transport
        assert gvm_nodes.side.__file__.startswith(sys.argv[2]), gvm_nodes.side.__file__
        assert gvm_nodes.core.transport.side_python()
        assert sorted(called) == sorted(["addOnCreate", "addOnScriptLoad", "addKnobChanged",
            "addBeforeRender", "addBeforeFrameRender", "addAfterRender"]), called
    """
    bare = [sys.executable, "-S", "-I", "-W", "ignore", "-c", code]
    ran = subprocess.run(
        [*bare, str(plugin / "init.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


# What Nuke does with a folder of its path; it has run both files more than once in a process.
_NUKE = """if True:
    import sys, types
    said, folder = [], sys.argv[1]
    if sys.argv[2:]:
        sys.version_info = tuple(map(int, sys.argv[2].split(".")))
    nuke = sys.modules["nuke"] = types.ModuleType("nuke")
    nuke.tprint, nuke.GUI, nuke.env = said.append, True, {}
    for name in ("OnCreate", "OnScriptLoad", "KnobChanged",
                 "BeforeRender", "BeforeFrameRender", "AfterRender"):
        setattr(nuke, "add" + name, lambda *words, **more: None)
    for _ in range(2):
        for name in ("init.py", "menu.py"):
            path = folder + "/" + name
            with open(path) as file:
                exec(compile(file.read(), path, "exec"), {"__file__": path})
    assert len(sys.path) == len(set(sys.path)), sys.path
    sys.stdout.write("\\n".join(said))
"""


def started(folder: Path, *version: str, python: str = sys.executable) -> str:
    """Have a Python do with the folder what its Nuke does at start, and return what it printed.

    Another version is one that it only says that it has.
    """
    words = [python, "-S", "-E", "-W", "ignore", "-c", _NUKE, str(folder), *version]
    ran = subprocess.run(words, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.mark.parametrize("version", ["2.7", "3.7", "3.9"])
def test_a_nuke_that_is_too_old_opens_without_the_node(plugin: Path, version: str) -> None:
    """Nuke 12 to 14 read the same folder; an error in init.py would keep them from opening."""
    (plugin / "gvm_nodes" / "__init__.py").write_text("raise TypeError('kw_only')")
    assert started(plugin, version) == ""
    python = shutil.which(f"python{version}")
    if python and not subprocess.run([python, "--version"], capture_output=True).returncode:
        assert started(plugin, python=python) == ""


def test_a_nuke_opens_where_the_node_cannot_be_loaded(plugin: Path) -> None:
    """A damaged installation is one line in the terminal; the menu adds none."""
    actions = plugin / "gvm_nodes" / "core" / "actions.py"
    actions.write_text("raise TypeError('kw_only')")
    assert set(started(plugin).splitlines()) == {"GVM is not loaded: TypeError: kw_only"}


def test_a_nuke_without_the_toolbar_opens_without_the_menu(plugin: Path) -> None:
    """Nuke Studio and Hiero may lack it: `nuke.menu` is not there in this Nuke."""
    said = started(plugin).splitlines()
    assert said
    assert all(line.startswith("GVM has no menu: AttributeError") for line in said)


def test_every_python_that_a_nuke_has_is_served_at_once(plugin: Path) -> None:
    """Nobody need know which Python his Nuke has; the next one loads what is built for 3.12."""
    vendored = sorted(folder.name for folder in (plugin / "vendor").iterdir())
    assert vendored == [f"cp3{minor}-{sys.platform}" for minor in (10, 11, 12)]
    (plugin / "gvm_nodes" / "__init__.py").write_text("import zmq; raise OSError(zmq)")
    assert f"cp312-{sys.platform}" in started(plugin, "3.14")


def test_a_python_that_pip_has_nothing_for_does_no_harm(
    tmp_path: Path, index: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """There the node speaks through a side process."""
    wheel = tmp_path / "wheels" / "msgpack-99.0-py3-none-any.whl"
    wheel.rename(wheel.with_name("msgpack-99.0-cp311-none-any.whl"))
    assert main(["install", "nuke", "--to", str(tmp_path)]) == Exit.DONE
    vendored = [folder.name for folder in (tmp_path / "gvm" / "vendor").iterdir()]
    assert vendored == [f"cp311-{sys.platform}"]
    assert "for Nukes with Python 3.11\n" in capsys.readouterr().out


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    """Neither written into nor deleted."""
    (tmp_path / "gvm").mkdir()
    (tmp_path / "gvm" / "precious.py").write_text("")
    assert main(["install", "nuke", "--to", str(tmp_path)]) == Exit.OUTPUT
    assert main(["uninstall", "nuke", "--to", str(tmp_path)]) == Exit.OUTPUT
    assert (tmp_path / "gvm" / "precious.py").exists()


@pytest.mark.parametrize("version", ["3.9", "eleven"])
def test_a_python_that_cannot_be_served_is_refused(tmp_path: Path, version: str) -> None:
    """Nothing is written for it."""
    words = ["install", "nuke", "--nuke-python", version, "--to", str(tmp_path)]
    assert main(words) == Exit.USAGE
    assert not list(tmp_path.iterdir())


def test_without_an_index_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What pip said is passed on."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    words = ["install", "nuke", "--nuke-python", "3.11", "--to", str(tmp_path)]
    assert main(words) == Exit.SERVER
    assert "pyzmq" in capsys.readouterr().err
