"""Reading weights: what does not fit is named, what is damaged is refused, memory is bounded."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.gvm.checkpoint import (
    STEM,
    read_header,
    read_tensor,
    stored_tensors,
    unet_shapes,
)
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.lora import CONFIG, merge_adapter
from tests.tools.make_tiny_checkpoint import make_adapter


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A checkpoint that a test may damage."""
    return shutil.copytree(tiny, tmp_path / "copy")


def _load(folder: Path, **options: str) -> GvmEngine:
    return GvmEngine.load(folder, GvmOptions(device="cpu", **options), lambda _: None)


def test_tensors_are_read_as_safetensors_reads_them(tmp_path: Path):
    """Every type, shape and value agrees with the format's own library."""
    generator = np.random.default_rng(0)
    tensors = {
        "half": generator.random((3, 1, 2)).astype(np.float16),
        "single": generator.random(5, np.float32),
        "double": generator.random((2, 2)),
        "scalar": np.array(3, np.float32),
        "empty": np.zeros((0, 4), np.float32),
    }
    path = tmp_path / "x.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    entries = read_header(path)
    assert entries.keys() == tensors.keys()
    for name, entry in entries.items():
        tensor = read_tensor(entry)
        assert tensor.dtype == (torch.float64 if name == "double" else torch.float32)
        np.testing.assert_array_equal(tensor, tensors[name])


def test_the_first_ten_tensors_that_differ_are_named(copy: Path):
    """Missing, unexpected and misshapen tensors are told apart, and the rest is counted."""
    path = copy / "unet" / f"{STEM}.safetensors"
    tensors = load_file(path)
    gone = [name for name in sorted(tensors) if name.startswith("mid_block")][:12]
    for name in gone:
        del tensors[name]
    tensors["add_embedding.linear_1.weight"] = np.zeros((2, 2), np.float32)
    tensors["conv_in.bias"] = np.zeros(7, np.float32)
    save_file(tensors, path)
    with pytest.raises(EngineError) as caught:
        _load(copy)
    said = caught.value.message
    assert "14 tensors differ" in said
    assert "add_embedding.linear_1.weight is unexpected (is [2, 2])" in said
    assert "conv_in.bias is [7], must be [32]" in said
    assert f"{gone[0]} is missing" in said
    assert len(re.findall("is missing|is unexpected|must be", said.replace("(must be", ""))) == 10
    assert "and 4 more" in said
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _noise(path: Path) -> None:
    path.write_bytes(b"\xff" * 100)


def _bounds(path: Path) -> None:
    body = path.read_bytes()
    length = int.from_bytes(body[:8], "little")
    header = json.loads(body[8 : 8 + length])
    header["conv_in.bias"]["data_offsets"] = [0, 8]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + body[8 + length :])


@pytest.mark.parametrize("damage", [_cut, _noise, _bounds, Path.unlink])
def test_a_damaged_file_is_refused_before_anything_is_read(copy: Path, damage: object):
    """Truncated, foreign, lying and missing files name themselves."""
    path = copy / "unet" / f"{STEM}.safetensors"
    damage(path)
    with pytest.raises(EngineError, match=re.escape(str(path))):
        stored_tensors(copy / "unet")


@pytest.mark.parametrize("shard", ["../x.safetensors", 3])
def test_an_index_may_not_lead_out_of_its_folder(copy: Path, shard: object):
    """A shard is a plain file name."""
    (copy / "unet" / f"{STEM}.safetensors").unlink()
    index = copy / "unet" / f"{STEM}.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"conv_in.bias": shard}}))
    with pytest.raises(EngineError, match="not a plain file name"):
        stored_tensors(copy / "unet")


def test_a_file_that_shrinks_while_it_is_read_is_an_error(copy: Path):
    """The header was read, then the bytes are gone."""
    entries = stored_tensors(copy / "unet")
    _cut(copy / "unet" / f"{STEM}.safetensors")
    last = max(entries.values(), key=lambda entry: entry.start)
    with pytest.raises(EngineError, match="ends early"):
        read_tensor(last)


_PEAK = """
import resource, sys
from pathlib import Path
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.gvm.config import GvmOptions
small, large = (Path(folder) for folder in sys.argv[1:])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
GvmEngine.load(small, GvmOptions(device="cpu"), lambda _: None)
before = peak()
engine = GvmEngine.load(large, GvmOptions(device="cpu"), lambda _: None)
print(peak() - before, engine.report.bytes_before, engine.report.bytes_after)
"""


def test_loading_never_holds_a_second_copy_of_the_weights(tiny: Path, tmp_path: Path):
    """The process grows by one copy of the weights and a little, not by two."""
    from tests.tools.make_tiny_checkpoint import Recipe, make_checkpoint  # noqa: PLC0415

    widths = {"block_out_channels": [64, 128, 256, 256], "layers_per_block": 2}
    large = make_checkpoint(tmp_path, Recipe(unet=widths))
    command = [sys.executable, "-c", _PEAK, str(tiny), str(large)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, before, _ = (int(number) for number in done.stdout.split())
    assert before > 200 << 20
    assert grown < 1.2 * before


def test_an_adapter_adds_its_scaled_product(tiny: Path, tmp_path: Path):
    """W becomes W + alpha/r B A for each layer it names, and nothing else changes."""
    shapes = unet_shapes(read_config(tiny).unet)
    folder = make_adapter(tmp_path / "lora", shapes)
    weights = {name: read_tensor(entry) for name, entry in stored_tensors(tiny / "unet").items()}
    merged = dict(weights)
    count = merge_adapter(merged, folder)
    matrices = load_file(folder / "pytorch_lora_weights.safetensors")
    assert count == len(matrices) // 2
    for name, before in weights.items():
        layer = f"model.{name.removesuffix('.weight')}.lora"
        expected = before.numpy()
        if f"{layer}_A.weight" in matrices:
            down, up = matrices[f"{layer}_A.weight"], matrices[f"{layer}_B.weight"]
            expected = expected + 2 * up @ down
        np.testing.assert_allclose(merged[name], expected, rtol=0, atol=1e-6)


def test_a_folder_without_an_adapter_is_used_as_it_is_and_said(tiny: Path):
    """The guide passes the UNet's own folder as its adapter."""
    said: list[str] = []
    GvmEngine.load(tiny, GvmOptions(device="cpu", lora=str(tiny / "unet")), said.append)
    assert any("used as it is" in sentence for sentence in said)


def _unknown_kind(folder: Path) -> None:
    (folder / CONFIG).write_text(json.dumps({"r": 4, "lora_alpha": 8, "use_dora": True}))


def _no_config(folder: Path) -> None:
    (folder / CONFIG).unlink()


def _other_network(folder: Path) -> None:
    matrices = {f"model.foo.lora_{part}.weight": np.ones((4, 4), np.float32) for part in "AB"}
    save_file(matrices, folder / "pytorch_lora_weights.safetensors")


def _executable(folder: Path) -> None:
    (folder / "pytorch_lora_weights.safetensors").unlink()
    torch.save({"x": Path("a pickled object")}, folder / "unet_lora.pt")


@pytest.mark.parametrize("damage", [_unknown_kind, _no_config, _other_network, _executable])
def test_an_adapter_that_does_not_fit_is_refused(tiny: Path, tmp_path: Path, damage: object):
    """Unknown kinds, halves of adapters, other networks and pickled objects are errors."""
    folder = make_adapter(tmp_path / "lora", unet_shapes(read_config(tiny).unet))
    damage(folder)
    with pytest.raises(EngineError, match="LoRA adapter"):
        _load(tiny, lora=str(folder))


def test_an_adapter_folder_that_is_not_there_is_an_error(tiny: Path):
    """A typing error is not an adapter that is absent."""
    with pytest.raises(EngineError, match="no folder"):
        _load(tiny, lora="/nowhere/at/all")
