"""`gvm weights compare` on a tiny checkpoint: both sides agree, and one that does not is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from gvm_server.cli.main import main
from gvm_server.matting.engines.gvm import compare, simplify
from tests.tools.make_tiny_checkpoint import make_checkpoint


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint."""
    return make_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def plate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three frames of a plate."""
    folder = tmp_path_factory.mktemp("plate")
    for number in range(3):
        pixels = np.random.default_rng(number).integers(0, 255, (48, 80, 3), np.uint8)
        Picture.fromarray(pixels).save(folder / f"plate.{1001 + number}.png")
    return folder


def _words(checkpoint: Path, plate: Path) -> list[str]:
    options = ("--size", "32", "--count", "2", "--weights", str(checkpoint))
    return ["weights", "compare", str(plate), *options]


@pytest.fixture
def words(
    checkpoint: Path, plate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The command's words, for a run in this process: diffusers takes long to import."""
    monkeypatch.setenv("GVM_CACHE_DIR", str(tmp_path))
    return _words(checkpoint, plate)


def test_both_sides_agree_by_stage(words: list[str], capsys: pytest.CaptureFixture[str]):
    """Every stage is named with its difference and what is allowed; nothing else is printed."""
    assert main([*words, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["holds"] is True
    assert [stage["stage"] for stage in said["stages"]] == ["encode", "denoise", "decode"]
    assert all(0 <= stage["difference"] <= stage["allowed"] for stage in said["stages"])


def test_a_stage_that_differs_ends_with_one(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """The decoder's last bias is moved on one side: its stage alone is named."""
    fold = simplify.fold_channel_mean

    def moved(weights: simplify.Weights) -> None:
        fold(weights)
        weights["decoder.bias"] = weights["decoder.bias"] + 0.01

    monkeypatch.setattr(simplify, "fold_channel_mean", moved)
    assert main(words) == 1
    said = capsys.readouterr().out
    assert said.count("DIFFERS") == 1
    assert "decode   5.0e-03, 3e-04 is allowed: DIFFERS" in said
    assert "On 2 frames at 64x32, the engine does not give" in said


def test_without_diffusers_it_says_how_to_install_it(checkpoint: Path, plate: Path, tmp_path: Path):
    """No trace of Python: the missing package and the command."""
    code = (
        "import sys; sys.modules['diffusers'] = None\n"
        "from gvm_server.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *_words(checkpoint, plate)],
        env={**os.environ, "GVM_CACHE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 4
    assert 'pip install "diffusers>=0.32"' in ran.stderr
    assert "Traceback" not in ran.stderr


def test_not_a_number_does_not_hold():
    """A comparison with NaN is false, so a broken stage is never within its tolerance."""
    stage = compare.StageDifference(stage="decode", difference=float("nan"), allowed=1.0)
    assert not stage.holds
