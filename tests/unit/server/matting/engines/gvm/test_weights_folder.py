"""Where weights lie and what they are called: cheap, without torch, and never stale."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.gvm.checkpoint import STEM
from gvm_server.matting.engines.gvm.weights_folder import (
    MANIFEST,
    engine_revision,
    find_weights,
    is_weights_file,
    missing_files,
    read_manifest,
    retimed,
    weights_dir,
    write_manifest,
)
from tests.support.weights import COMMIT, record
from tests.tools.make_tiny_checkpoint import Recipe, make_checkpoint

UNET = f"unet/{STEM}.safetensors"


@pytest.fixture
def weights(tiny: Path, tmp_path: Path) -> Path:
    """A checkpoint that a test may change."""
    return shutil.copytree(tiny, tmp_path / "weights")


def _later(path: Path) -> None:
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 60_000_000_000))


def test_a_named_folder_wins_over_the_users_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`--weights` is taken as it is given, made absolute; else it is the user's data folder."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert weights_dir(Path("there")) == tmp_path / "there"
    own = weights_dir(None)
    assert own.name == "weights"
    assert own.parent.name == "gvm"
    if sys.platform == "linux":
        assert own == tmp_path / "gvm" / "weights"


def test_only_a_whole_checkpoint_is_found(weights: Path):
    """A folder counts once every config and every shard is there."""
    assert find_weights(weights) == weights
    for name in ("unet/config.json", UNET, "scheduler/scheduler_config.json"):
        aside = (weights / name).rename(weights / "aside")
        assert find_weights(weights) is None
        assert missing_files(weights) == [name]
        aside.rename(weights / name)
    assert find_weights(weights / "nowhere") is None


def test_a_missing_shard_is_named(tmp_path: Path):
    """A checkpoint in shards needs all that its index names."""
    folder = make_checkpoint(tmp_path / "sharded", Recipe(shards=2))
    assert missing_files(folder) == []
    shard = f"unet/{STEM}-00002-of-00002.safetensors"
    (folder / shard).unlink()
    assert missing_files(folder) == [shard]


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("unet/config.json", True),
        (f"vae/{STEM}-00001-of-00002.safetensors", True),
        (f"vae/{STEM}.safetensors.index.json", True),
        ("unet/adapter_config.json", True),
        ("unet/unet_lora.pt", True),
        (f"unet/{STEM}.fp16.safetensors", False),
        (f"unet/{STEM}.bin", False),
        ("unet/../config.json", False),
        ("README.md", False),
        ("model_index.json", False),
    ],
)
def test_only_what_the_loader_reads_counts(name: str, counts: bool):  # noqa: FBT001
    """Other formats, half copies and papers are neither pulled nor looked at."""
    assert is_weights_file(name) is counts


def test_the_record_comes_back_as_it_was_written(weights: Path):
    """Commit, terms, sizes, hashes and times survive the file."""
    manifest = record(weights)
    assert read_manifest(weights) == manifest
    (weights / MANIFEST).unlink()
    assert read_manifest(weights) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": {"a": {}}}', '{"files": 3}', "\xff"])
def test_a_damaged_record_is_an_error_not_a_guess(weights: Path, text: str):
    """Whatever stands there, the error names the record and the way out."""
    (weights / MANIFEST).write_bytes(text.encode("latin-1"))
    with pytest.raises(EngineError, match=MANIFEST) as caught:
        read_manifest(weights)
    assert caught.value.code is ErrorCode.ENGINE_UNAVAILABLE
    assert "gvm weights pull" in caught.value.remedy


def test_a_pulled_revision_is_the_same_on_every_machine(weights: Path, tmp_path: Path):
    """Commit and hashes make it: not the place, nor the times, nor what lies beside."""
    record(weights)
    revision = engine_revision(weights)
    assert revision.startswith(COMMIT[:8])
    copy = shutil.copytree(weights, tmp_path / "copy")
    (copy / "README.md").write_text("notes")
    (copy / ".cache").mkdir()
    assert engine_revision(copy) == revision
    _later(copy / UNET)  # as a farm that carries files does
    assert engine_revision(copy) == revision
    manifest = read_manifest(copy)
    assert manifest is not None
    write_manifest(copy, retimed(manifest, copy))
    assert engine_revision(copy) == revision


def test_other_hashes_or_another_commit_are_another_revision(weights: Path):
    """Weights of the same sizes and names are told apart by what was recorded."""
    manifest = record(weights)
    seen = {engine_revision(weights)}
    other = replace(manifest.files[UNET], sha256="0" * 64)
    write_manifest(weights, replace(manifest, files={**manifest.files, UNET: other}))
    seen.add(engine_revision(weights))
    write_manifest(weights, replace(manifest, revision=COMMIT[::-1]))
    seen.add(engine_revision(weights))
    assert len(seen) == 3


def test_a_changed_folder_has_another_revision_than_its_record(weights: Path):
    """A file that was replaced, added or removed after the pull is not passed over."""
    record(weights)
    seen = [engine_revision(weights)]
    whole = (weights / UNET).read_bytes()
    (weights / UNET).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    _later(weights / UNET)
    seen.append(engine_revision(weights))
    record(weights)
    (weights / "unet" / "adapter_config.json").write_text("{}")
    seen.append(engine_revision(weights))
    (weights / UNET).unlink()
    seen.append(engine_revision(weights))
    assert len(set(seen)) == 4
    assert all(revision.startswith("local-") for revision in seen[1:])


def test_without_a_record_the_content_tells(weights: Path, tmp_path: Path):
    """Not the time nor the place; any byte of any file, though its size and time stay."""
    seen = [engine_revision(weights)]
    _later(weights / UNET)
    copy = shutil.copytree(weights, tmp_path / "copy", copy_function=shutil.copyfile)
    assert engine_revision(weights) == engine_revision(copy) == seen[0]

    path, times = weights / UNET, (weights / UNET).stat()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))  # a weight, far behind the header
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    seen.append(engine_revision(weights))

    config, times = weights / "vae" / "config.json", (weights / "vae" / "config.json").stat()
    fields = json.loads(config.read_text())
    config.write_text(config.read_text().replace("0.18215", "0.18216"))
    assert json.loads(config.read_text()) != fields
    os.utime(config, ns=(times.st_atime_ns, times.st_mtime_ns))
    seen.append(engine_revision(weights))

    path, times = weights / UNET, (weights / UNET).stat()
    tensors = load_file(path)
    bias = tensors.pop("conv_in.bias")
    save_file({**tensors, "conv_on.bias": np.array(bias)}, path)
    assert path.stat().st_size == times.st_size
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    seen.append(engine_revision(weights))
    assert len(set(seen)) == 4
    assert all(revision.startswith("local-") for revision in seen)


def test_nothing_heavy_is_imported():
    """Finding and naming weights costs a server's start neither torch nor the Hub's library."""
    code = (
        "import sys; from gvm_server.matting.engines.gvm import download, weights_folder;"
        "heavy = {'torch', 'diffusers', 'huggingface_hub'} & set(sys.modules);"
        "sys.exit(repr(heavy) if heavy else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
