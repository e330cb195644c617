"""Compiled kernels lie in a private folder, and others' are not loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gvm_client.errors import EngineError
from gvm_server.matting.engines.gvm import kernels
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.kernels import VARIABLE, keep_kernels

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def none_named(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin as a new process does, and leave no folder named."""
    monkeypatch.setattr(kernels, "_named_by_user", False)
    monkeypatch.setattr(kernels, "_kept", [])
    monkeypatch.setenv(VARIABLE, "")  # so that it is put back
    monkeypatch.delenv(VARIABLE)
    yield
    os.environ.pop(VARIABLE, None)


def test_kernels_are_kept_in_a_private_folder(tmp_path: Path):
    """Below ours, closed to others; the same one the next time."""
    said: list[str] = []
    folder = keep_kernels(tmp_path / "cache" / "kernels", CPU, said.append)
    assert folder is not None
    assert os.environ[VARIABLE] == str(folder)
    assert [path.stat().st_mode & 0o777 for path in (folder, folder.parent)] == [0o700] * 2
    assert keep_kernels(tmp_path / "cache" / "kernels", CPU, said.append) == folder
    assert said == []


@pytest.mark.parametrize("what", ["torch", "triton", "card"])
def test_another_torch_triton_or_card_has_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
):
    """What was made for one is not loaded on the other."""
    first = keep_kernels(tmp_path, CPU, print)
    changes = {
        "torch": (torch, "__version__", "9.9.9"),
        "triton": (kernels, "version", lambda _: "9.9.9"),
        "card": (kernels, "processor", lambda: "another"),
    }
    monkeypatch.setattr(*changes[what])
    assert keep_kernels(tmp_path, CPU, print) not in (None, first)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777, 0o720])
@pytest.mark.parametrize("which", ["root", "folder"])
def test_a_folder_that_others_can_reach_is_refused_aloud(tmp_path: Path, mode: int, which: str):
    """The kernels of this process then lie in one that goes with it, private too."""
    root = tmp_path / "kernels"
    folder = keep_kernels(root, CPU, print)
    assert folder is not None
    (root if which == "root" else folder).chmod(mode)
    said: list[str] = []
    other = keep_kernels(root, CPU, said.append)
    assert other is not None
    assert not other.is_relative_to(tmp_path / "kernels")
    assert other.stat().st_mode & 0o777 == 0o700
    assert "open to other users" in said[0]
    assert os.environ[VARIABLE] == str(other)


def test_a_link_is_refused(tmp_path: Path):
    """It leads to where others may write."""
    (tmp_path / "theirs").mkdir(mode=0o700)
    (tmp_path / "kernels").symlink_to(tmp_path / "theirs")
    said: list[str] = []
    other = keep_kernels(tmp_path / "kernels", CPU, said.append)
    assert len(said) == 1
    assert other is not None
    assert "theirs" not in str(other.resolve())


def test_a_folder_that_the_user_named_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whoever sets PyTorch's variable knows why."""
    monkeypatch.setenv(VARIABLE, "/somewhere")
    monkeypatch.setattr(kernels, "_named_by_user", True)
    assert keep_kernels(tmp_path, CPU, print) is None
    assert os.environ[VARIABLE] == "/somewhere"


def test_an_engine_keeps_kernels_only_where_it_compiles_by_inductor(smallest: Path, tmp_path: Path):
    """Nothing is made for a server that does not compile."""
    for backend, kept in (("", False), ("aot_eager", False), ("inductor", True)):
        options = GvmOptions(device="cpu", compile_backend=backend, kernels=str(tmp_path / "k"))
        GvmEngine.load(smallest, options, lambda _: None)
        assert (tmp_path / "k").is_dir() is kept


def test_kept_kernels_that_are_damaged_are_made_anew_once(
    smallest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A server that was killed may leave half a file; a compiler that fails again is an error."""
    torch.compiler.reset()
    folder = keep_kernels(tmp_path / "kernels", CPU, print)
    assert folder is not None
    damaged = folder / "main.so"
    damaged.write_bytes(b"half of")

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        if damaged.exists():
            raise ImportError("main.so: file too short")
        return graph.forward

    said: list[str] = []
    frame = np.zeros((3, 16, 24), np.float32)
    plain = GvmEngine.load(smallest, GvmOptions(device="cpu"), lambda _: None).encode(frame)
    options = GvmOptions(device="cpu", compile_backend=backend)
    engine = GvmEngine.load(smallest, options, said.append)
    assert engine.encode(frame).tobytes() == plain.tobytes()
    assert "The kernels that were kept cannot be used; they are compiled again." in said
    assert folder.stat().st_mode & 0o777 == 0o700
    damaged.write_bytes(b"half of")
    torch.compiler.reset()
    with pytest.raises(EngineError, match="file too short"):
        engine.encode(frame[:, ::-1, :8].copy())
    torch.compiler.reset()
