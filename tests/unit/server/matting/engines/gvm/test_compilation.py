"""Compiled blocks: one graph for many of them, and no silent way back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gvm_client.errors import EngineError
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine


@pytest.fixture(autouse=True)
def no_graphs() -> Iterator[None]:
    """Forget the graphs of other tests."""
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def _engine(folder: Path, backend: object) -> GvmEngine:
    options = GvmOptions(device="cpu", compile_backend=backend)
    return GvmEngine.load(folder, options, lambda _: None)


def test_blocks_share_graphs_whatever_the_count_of_frames(smallest: Path):
    """A second frame, and another load, compile nothing anew: PyTorch would say so by an error."""
    made = 0

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        nonlocal made
        made += 1
        return graph.forward

    frame = np.random.default_rng(0).random((3, 16, 24), np.float32)
    engine = _engine(smallest, backend)
    plain = _engine(smallest, "").encode(frame)
    assert engine.encode(frame).tobytes() == plain.tobytes()
    first = made
    engine.encode(frame[:, ::-1].copy())
    _engine(smallest, backend).encode(frame)
    assert (first, made) == (made, first)
    assert 0 < first < 5


def test_a_backend_that_fails_is_an_error_with_the_remedy(smallest: Path):
    """The maker says that the matte was compiled, so it is not made another way."""

    def backend(graph: torch.fx.GraphModule, _: object) -> object:
        raise ValueError("no compiler is installed")

    with pytest.raises(EngineError, match="no compiler is installed") as caught:
        _engine(smallest, backend).encode(np.zeros((3, 16, 24), np.float32))
    assert "without --compile" in caught.value.remedy


def test_a_backend_that_pytorch_has_not_is_an_error_with_the_remedy(smallest: Path):
    """A slip in the option's word; the server's log, and no defect of ours."""
    with pytest.raises(EngineError, match="The backend 'nosuch' does not compile") as caught:
        GvmEngine.load(smallest, GvmOptions(device="cpu", compile_backend="nosuch"), lambda _: None)
    assert "without --compile" in caught.value.remedy
