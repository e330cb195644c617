"""Other checkpoints of the family: the engine follows their configs, or says why it cannot."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.stock import Straightforward
from tests.tools.make_tiny_checkpoint import Recipe, make_checkpoint

CROSS_DOWN, DOWN = "CrossAttnDownBlockSpatioTemporal", "DownBlockSpatioTemporal"
CROSS_UP, UP = "CrossAttnUpBlockSpatioTemporal", "UpBlockSpatioTemporal"
THREE = {
    "block_out_channels": [32, 96, 64],
    "down_block_types": [CROSS_DOWN, DOWN, CROSS_DOWN],
    "up_block_types": [CROSS_UP, CROSS_UP, UP],
    "num_attention_heads": [4, 3, 8],
}

FAMILY = {
    "wide": Recipe(
        unet={"block_out_channels": [64, 96, 128, 32], "num_attention_heads": [8, 3, 4, 1]}
    ),
    "deep": Recipe(
        unet={"layers_per_block": [2, 1, 3, 2], "transformer_layers_per_block": [1, 2, 1, 2]}
    ),
    "one head count": Recipe(unet={"num_attention_heads": 4, "cross_attention_dim": 24}),
    "three levels": Recipe(unet=THREE),
    "another scale": Recipe(vae={"scaling_factor": 0.5}, scheduler={"num_train_timesteps": 500}),
    "wide vae": Recipe(vae={"block_out_channels": [32, 64, 32, 96], "layers_per_block": 2}),
    "deep vae": Recipe(vae={"layers_per_block": 3}),
    "small reduction": Recipe(
        vae={"block_out_channels": [32, 64, 64], "down_block_types": ["DownEncoderBlock2D"] * 3}
    ),
    "more latent channels": Recipe(
        unet={"in_channels": 12, "out_channels": 6}, vae={"latent_channels": 6}
    ),
    "half, in shards": Recipe(dtype="float16", shards=3, seed=5),
}


@pytest.mark.parametrize("name", FAMILY)
def test_the_engine_follows_the_checkpoints_configs(tmp_path: Path, name: str):
    """Latents and alphas are those of the stock networks, whatever the config says."""
    folder = make_checkpoint(tmp_path, FAMILY[name])
    engine = GvmEngine.load(folder, GvmOptions(device="cpu"), lambda _: None)
    stock = Straightforward.load(folder)
    frames = np.random.default_rng(0).random((2, 3, 64, 96), np.float32)
    latents = [engine.encode(frame) for frame in frames]
    denoised = engine.denoise(latents, steps=2)
    reference = stock.denoise(stock.encode(torch.from_numpy(frames)), 2)
    np.testing.assert_allclose(denoised, reference, rtol=0, atol=1e-3)
    alphas = engine.decode(denoised, chunk=2, halo=0)
    np.testing.assert_allclose(alphas, stock.decode(reference, 2), rtol=0, atol=2e-4)
    assert alphas.std() > 0.01


@pytest.fixture(scope="module")
def stock(tiny: Path) -> Straightforward:
    """The stock networks of the tiny checkpoint."""
    return Straightforward.load(tiny)


@pytest.mark.parametrize("sides", [(8, 8, 1), (72, 136, 2), (40, 200, 3)])
def test_any_latent_side_joins_its_skips(
    engine: GvmEngine, stock: Straightforward, sides: tuple[int, int, int]
):
    """Sides that halve to odd numbers take the skip's size on the way up."""
    height, width, count = sides
    shape = (count, 4, max(height // 8, 2), max(width // 8, 9))
    latents = np.random.default_rng(1).standard_normal(shape, np.float32)
    result = engine.denoise(list(latents), steps=1)
    np.testing.assert_allclose(result, stock.denoise(torch.from_numpy(latents)), rtol=0, atol=5e-4)


@pytest.fixture
def configs(tiny: Path, tmp_path: Path) -> Path:
    """The tiny checkpoint's configs without its weights, which a reader of configs never opens."""
    return Path(
        shutil.copytree(tiny, tmp_path / "configs", ignore=shutil.ignore_patterns("*.safetensors"))
    )


def _edit(folder: Path, file: str, **fields: object) -> None:
    path = folder / file
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize(
    ("file", "fields", "says"),
    [
        ("unet/config.json", {"_class_name": "UNet2DModel"}, "UNet2DModel"),
        ("unet/config.json", {"_class_name": "UNetSpatioTemporalRopeConditionModel"}, "`dav`"),
        ("unet/config.json", {"act_fn": "relu"}, "act_fn"),
        ("unet/config.json", {"down_block_types": ["DownBlock2D"] * 4}, "DownBlock2D"),
        ("unet/config.json", {"down_block_types": [DOWN] * 3}, "3 down blocks"),
        ("unet/config.json", {"down_block_types": "DownBlock"}, "list of names"),
        ("unet/config.json", {"num_attention_heads": [3, 1, 1, 1]}, "3 heads"),
        ("unet/config.json", {"num_attention_heads": [1, 1]}, "4 levels"),
        ("unet/config.json", {"layers_per_block": 0}, "positive integer"),
        ("unet/config.json", {"layers_per_block": True}, "positive integer"),
        ("unet/config.json", {"block_out_channels": [32, 32, 40, 32]}, "multiple of 32"),
        ("unet/config.json", {"block_out_channels": 32}, "a list"),
        ("unet/config.json", {"in_channels": 9}, "must be 8 and 4"),
        ("vae/config.json", {"_class_name": "AutoencoderKL"}, "AutoencoderKL"),
        ("vae/config.json", {"down_block_types": ["DownEncoderBlock2D"]}, "1 down blocks"),
        ("vae/config.json", {"scaling_factor": float("nan")}, "scaling_factor"),
        ("vae/config.json", {"force_upcast": 1}, "true or false"),
        ("scheduler/scheduler_config.json", {"_class_name": "DDIMScheduler"}, "DDIMScheduler"),
        ("scheduler/scheduler_config.json", {"use_dynamic_shifting": True}, "dynamic"),
    ],
)
def test_a_config_of_another_network_is_refused(
    configs: Path, file: str, fields: dict[str, object], says: str
):
    """The error names the file, the field and the value."""
    _edit(configs, file, **fields)
    with pytest.raises(EngineError, match=says) as caught:
        read_config(configs)
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert caught.value.remedy


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_a_config_that_is_no_object_is_refused(configs: Path, text: str):
    """Damaged and foreign JSON is an error of the checkpoint, not a crash."""
    (configs / "vae" / "config.json").write_text(text)
    with pytest.raises(EngineError, match=r"vae/config\.json"):
        read_config(configs)


def test_a_missing_config_says_what_to_do(tmp_path: Path):
    """An empty folder leads to the pull command."""
    with pytest.raises(EngineError, match=r"unet/config\.json cannot be read") as caught:
        read_config(tmp_path)
    assert "gvm weights pull" in caught.value.remedy


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of configs without a field."""
    folder = tmp_path_factory.mktemp("bare")
    for file in ("unet/config.json", "vae/config.json", "scheduler/scheduler_config.json"):
        path = folder / file
        path.parent.mkdir()
        path.write_text("{}")
    return folder


@given(
    value=st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.none())
)
def test_no_value_of_a_field_crashes_the_reader(bare: Path, value: object):
    """Whatever stands in a config, it is read or refused."""
    names = ("layers_per_block", "block_out_channels", "down_block_types", "num_attention_heads")
    _edit(bare, "unet/config.json", **dict.fromkeys(names, value))
    with pytest.raises(EngineError):
        read_config(bare)
