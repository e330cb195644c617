"""Checkpoints for the tests of the GVM engine, made once, and few threads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.load import Networks, load_networks
from tests.support.tree import GOLDEN
from tests.tools.make_tiny_checkpoint import Recipe, make_checkpoint


@pytest.fixture(autouse=True)
def few_threads() -> Iterator[None]:
    """Leave the cores to others; thread counts must not matter to a result."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny seeded checkpoint in the released layout."""
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of one level, for what is slow on a CPU: half types and compilation."""
    recipe = Recipe(
        unet={
            "block_out_channels": [32],
            "num_attention_heads": 2,
            "down_block_types": ["CrossAttnDownBlockSpatioTemporal"],
            "up_block_types": ["CrossAttnUpBlockSpatioTemporal"],
        },
        vae={"block_out_channels": [32], "down_block_types": ["DownEncoderBlock2D"]},
    )
    return make_checkpoint(tmp_path_factory.mktemp("smallest"), recipe)


@pytest.fixture(scope="session")
def networks(tiny: Path) -> Networks:
    """The tiny checkpoint's networks on the CPU, loaded once: who changes them loads others."""
    return load_networks(tiny, GvmOptions(device="cpu"), lambda _: None)


@pytest.fixture
def engine(networks: Networks) -> GvmEngine:
    """A new engine over the tiny checkpoint."""
    return GvmEngine(networks, GvmOptions(device="cpu"), lambda _: None)


@pytest.fixture(scope="session")
def golden() -> Path:
    """The folder of the original program's numbers and their checkpoint."""
    return GOLDEN / "gvm"
