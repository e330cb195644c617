"""`gvm install nuke`, with a package index of two empty wheels."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from gvm_server.cli.exits import Exit
from gvm_server.cli.main import main


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pip find pyzmq and msgpack in a folder, and nothing anywhere else."""
    wheels = tmp_path / "wheels"
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
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("GVM_SERVER", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))


def test_it_is_installed_registers_and_is_undone(tmp_path: Path, index: None) -> None:
    """The artist's own init.py is kept, one line longer and then as it was; nothing else stays."""
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    own = "import nuke\nnuke.pluginAddPath('./mine')\n"
    (plugins / "init.py").write_text(own)
    for _ in range(2):  # again is an upgrade
        words = ["install", "nuke", "--nuke-python", "3.10", "--to", str(plugins)]
        assert main(words) == Exit.DONE
    text = (plugins / "init.py").read_text()
    assert text.startswith(own)
    assert text.count("pluginAddPath('./gvm')") == 1
    vendor = plugins / "gvm" / "vendor" / f"cp310-{sys.platform}"
    assert sys.executable in (tmp_path / "config" / "gvm" / "server.json").read_text()
    assert (vendor / "zmq" / "__init__.py").is_file()
    assert not list((plugins / "gvm").rglob("*.nk")) + list((plugins / "gvm").rglob("*.gizmo"))
    assert main(["uninstall", "nuke", "--to", str(plugins)]) == Exit.DONE
    assert (plugins / "init.py").read_text() == own
    assert not (plugins / "gvm").exists()


def test_what_is_installed_stands_alone(tmp_path: Path, index: None) -> None:
    """The init.py finds the package beside it, with a Python that has nothing of ours."""
    main(["install", "nuke", "--to", str(tmp_path)])
    code = """if True:
        import sys, types
        called = []
        fake = types.ModuleType("nuke")
        fake.__getattr__ = lambda name: lambda *words, **more: called.append(name)
        sys.modules["nuke"] = fake
        init = sys.argv[1]
        exec(compile(open(init).read(), init, "exec"), {"__file__": init})
        import gvm_nodes.side
        assert gvm_nodes.side.__file__.startswith(sys.argv[2]), gvm_nodes.side.__file__
        assert gvm_nodes.side.side_python()
        assert sorted(called) == sorted(["addOnCreate", "addOnScriptLoad", "addKnobChanged",
            "addBeforeRender", "addBeforeFrameRender"]), called
    """
    bare = [sys.executable, "-S", "-I", "-W", "ignore", "-c", code]
    ran = subprocess.run(
        [*bare, str(tmp_path / "gvm" / "init.py"), str(tmp_path)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr


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
    assert main(["install", "nuke", "--to", str(tmp_path)]) == Exit.SERVER
    assert "pyzmq" in capsys.readouterr().err
