"""`verify` names everything that is wrong with a folder of weights, each thing once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gvm_server.matting.engines.gvm.checkpoint import STEM
from gvm_server.matting.engines.gvm.weights_folder import MANIFEST, verify
from tests.support.weights import record
from tests.tools.make_tiny_checkpoint import Recipe, make_checkpoint

UNET = f"unet/{STEM}.safetensors"
VAE = f"vae/{STEM}.safetensors"


@pytest.fixture
def weights(tiny: Path, tmp_path: Path) -> Path:
    """A checkpoint with the record of a pull, that a test may damage."""
    folder = shutil.copytree(tiny, tmp_path / "weights")
    record(folder)
    return folder


def test_good_weights_have_no_problem(weights: Path):
    """With a record and without one, in one file or in shards; hashing tells how far it is."""
    counts: list[tuple[str, int, int]] = []
    assert verify(weights, lambda *count: counts.append(count)) == []
    done = [count[1] for count in counts]
    assert done == sorted(done)
    assert {count[2] for count in counts} == {done[-1]}
    (weights / MANIFEST).unlink()
    assert verify(weights) == []


def test_shards_are_judged_together(tmp_path: Path):
    """A sharded checkpoint is whole; with a shard cut short, that shard is named."""
    folder = make_checkpoint(tmp_path / "sharded", Recipe(shards=2))
    assert verify(folder) == []
    shard = folder / "unet" / f"{STEM}-00002-of-00002.safetensors"
    shard.write_bytes(shard.read_bytes()[:-1])
    (problem,) = verify(folder)
    assert problem.where == str(shard)


def _remove(path: Path) -> None:
    path.unlink()


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _flip_last(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def _garble(path: Path) -> None:
    path.write_bytes(b"<html>" * 100)


@pytest.mark.parametrize(
    ("name", "damage", "says"),
    [
        ("unet/config.json", _remove, "unet/config.json is missing"),
        (VAE, _remove, f"{VAE} is missing"),
        (UNET, _cut, "do not fit its shape or the file"),
        (UNET, _garble, "claims a header of"),
        (UNET, _flip_last, "was pulled"),
        ("vae/config.json", _garble, "is not JSON"),
        (MANIFEST, _garble, "cannot be read"),
    ],
)
def test_one_damaged_file_is_one_problem(
    weights: Path, name: str, damage: Callable[[Path], None], says: str
):
    """The sentence says what, the place is the file, and there is a way out."""
    damage(weights / name)
    (problem,) = verify(weights)
    assert says in problem.what
    assert problem.where == str(weights / name)
    assert "gvm weights pull" in problem.remedy or "GVM checkpoint" in problem.remedy


def test_all_that_is_wrong_is_told_at_once(weights: Path):
    """Several damaged files give as many problems."""
    _remove(weights / "scheduler" / "scheduler_config.json")
    _cut(weights / UNET)
    _flip_last(weights / VAE)
    places = [problem.where for problem in verify(weights)]
    names = ("scheduler/scheduler_config.json", UNET, VAE)
    assert sorted(places) == sorted(str(weights / name) for name in names)


def test_a_missing_tensor_is_named(weights: Path):
    """What does not fit the config is named with its shape; the bytes' hash differs as well."""
    tensors = load_file(weights / UNET)
    shape = list(tensors.pop("conv_in.weight").shape)
    tensors["conv_out.bias"] = np.zeros(7, np.float32)
    save_file(tensors, weights / UNET)
    (weights / MANIFEST).unlink()
    (problem,) = verify(weights)
    assert "2 tensors differ" in problem.what
    assert f"conv_in.weight is missing (must be {shape})" in problem.what
    assert "conv_out.bias is [7], must be [4]" in problem.what
    assert problem.where == str(weights / "unet")


def test_the_first_ten_of_many_tensors_are_named(weights: Path):
    """A config of another network gives ten names and the count of the rest."""
    config = weights / "unet" / "config.json"
    fields = json.loads(config.read_text())
    config.write_text(json.dumps({**fields, "cross_attention_dim": 64}))
    (weights / MANIFEST).unlink()
    (problem,) = verify(weights)
    assert problem.what.count("must be") == 10
    assert "more" in problem.what


def test_a_class_that_is_not_gvms_is_refused_by_name(weights: Path):
    """A config of another family is told as such."""
    config = weights / "vae" / "config.json"
    fields = json.loads(config.read_text())
    config.write_text(json.dumps({**fields, "_class_name": "AutoencoderKL"}))
    (problem,) = verify(weights)
    assert "'AutoencoderKL'" in problem.what
    assert problem.where == str(config)


def test_half_an_adapter_is_a_problem(weights: Path):
    """An adapter's config without its matrices would be passed over at load; here it is told."""
    (weights / "unet" / "adapter_config.json").write_text("{}")
    (problem,) = verify(weights)
    assert problem.where == str(weights / "unet")


def test_an_empty_folder_lacks_all(tmp_path: Path):
    """Of a folder that is not there, every file is named as missing."""
    problems = verify(tmp_path / "nowhere")
    assert len(problems) == 5
    assert all("is missing" in problem.what for problem in problems)
