"""The job bundle for AWS Deadline Cloud: its texts, and exactly the files that the tasks read."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openjd.model import decode_job_template

from gvm_client.errors import InputError
from gvm_server.cli.farm.commands import submit_template
from gvm_server.cli.main import build_parser
from gvm_server.matting.engines.gvm.checkpoint import STEM
from gvm_server.matting.engines.gvm.weights_folder import CONFIGS, MANIFEST, NETWORKS
from gvm_server.media.geometry import Box
from tests.fakes.plates import ImageSpec, write_image
from tests.support.mattes import write_matte
from tests.support.plates import write_plate
from tests.support.receivers import run_receiver

# Windows of 6 with 2 frames in common, and two frames more on each side, where a frame of the
# preview engine sees its neighbours.
SETTINGS = "--engine preview --frames-per-window 6 --overlap 2 --size 32"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The files of a checkpoint; nothing here reads what is in them."""
    for name in (MANIFEST, *CONFIGS, *(f"{room}/{STEM}.safetensors" for room in NETWORKS)):
        file = tmp_path / "tiny" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    (tmp_path / "tiny" / "README.md").write_text("no weights")
    return tmp_path / "tiny"


def bundle_of(folder: Path, words: str) -> dict[str, Any]:
    """Write the bundle of a plate in the folder, and return its documents by their names."""
    line = f"farm submit-template {words} --out {folder}/mattes --deadline-cloud {folder}/bundle"
    parsed = build_parser().parse_args(shlex.split(f"{line} {SETTINGS}"))
    assert submit_template(parsed) == 0
    return {path.stem: json.loads(path.read_text()) for path in (folder / "bundle").glob("*.yaml")}


def inputs(documents: dict[str, Any]) -> list[str]:
    """Return the names of the files that are listed."""
    listed = documents["asset_references"]["assetReferences"]["inputs"]["filenames"]
    assert all(Path(name).is_absolute() and Path(name).is_file() for name in listed)
    return [Path(name).name for name in listed]


def names(*frames: int) -> list[str]:
    """Return the names of a plate's files."""
    return [f"plate.{frame:04d}.exr" for frame in frames]


def test_only_the_frames_that_the_windows_see_go_up(tmp_path: Path):
    """18 frames and an old matte stand there; the two asked ones need 8."""
    write_plate(tmp_path / "plate", range(1001, 1019), width=16, height=16)
    write_plate(tmp_path / "plate" / "mattes", [1001], width=16, height=16)
    documents = bundle_of(tmp_path, f"{tmp_path}/plate --frames 1002-1003")
    assert inputs(documents) == names(*range(1001, 1009))
    flows = {
        one["name"]: one.get("dataFlow") for one in documents["template"]["parameterDefinitions"]
    }
    assert (flows["PlateFolder"], flows["MatteFolder"]) == ("NONE", "OUT")
    decode_job_template(template=documents["template"], supported_extensions=["TASK_CHUNKING"])


def test_what_stands_in_for_a_missing_frame_goes_up(tmp_path: Path):
    """Frames 3 to 9 are missing: 2 is held here, and so it must be there."""
    write_plate(tmp_path / "plate", [1, 2, *range(10, 31)], width=16, height=16)
    documents = bundle_of(tmp_path, f"{tmp_path}/plate --frames 10-12 --missing hold")
    assert inputs(documents) == names(2, *range(10, 17))


def test_a_frame_that_makes_the_canvas_goes_up_too(tmp_path: Path):
    """The canvas is all frames'; without the one that reaches out, the matte would be another."""
    (tmp_path / "plate").mkdir()
    display = Box(x=0, y=0, width=16, height=16)
    for frame in range(1, 31):
        data = Box(x=-8, y=0, width=24, height=16) if frame == 25 else display
        pixels = np.full((data.height, data.width, 3), 0.5, np.float32)
        write_image(
            tmp_path / "plate" / f"plate.{frame:04d}.exr",
            pixels,
            ImageSpec(data=data, display=display),
        )
    documents = bundle_of(tmp_path, f"{tmp_path}/plate --frames 2-3")
    assert inputs(documents) == names(*range(1, 9), 25)


def test_guides_weights_and_adapter_go_up_by_their_files(tmp_path: Path, tiny: Path):
    """A guide's asked frames, what the loader reads of the weights, the adapter's folder."""
    write_plate(tmp_path / "plate", range(1, 19), width=16, height=16)
    white = np.ones((16, 16), np.float32)
    for frame in range(1, 19):
        write_matte(tmp_path / "roto" / f"g.{frame:04d}.png", white)
    write_matte(tmp_path / "core.png", white)
    (tmp_path / "lora").mkdir()
    (tmp_path / "lora" / "pytorch_lora_weights.safetensors").write_bytes(b"x")
    words = (
        f"{tmp_path}/plate --frames 2-3 --garbage {tmp_path}/roto --holdout {tmp_path}/core.png"
        f" --weights {tiny} --lora {tmp_path}/lora"
    )
    documents = bundle_of(tmp_path, words)
    found = inputs(documents)
    assert "README.md" not in found
    assert [name for name in found if name.startswith("g.")] == ["g.0002.png", "g.0003.png"]
    assert {"core.png", "pytorch_lora_weights.safetensors", "config.json"} <= set(found)
    values = documents["parameter_values"]["parameterValues"]
    assert {one["name"]: one["value"] for one in values} == {
        "PlateFolder": f"{tmp_path}/plate",
        "MatteFolder": f"{tmp_path}/mattes",
        "GarbageFolder": f"{tmp_path}/roto",
        "HoldoutFolder": str(tmp_path),
        "WeightsFolder": str(tiny),
        "LoraFolder": f"{tmp_path}/lora",
    }
    (matte,) = documents["template"]["steps"]
    args = matte["script"]["actions"]["onRun"]["args"]
    assert "--weights={{Param.WeightsFolder}}" in args
    assert "--lora={{Param.LoraFolder}}" in args
    assert not [word for word in args if str(tmp_path) in word or str(tiny) in word]


def test_a_plate_s_script_goes_up_and_the_plate_does_not(tmp_path: Path, monkeypatch):
    """A comp named from the working folder; what is run is mapped and not carried."""
    (tmp_path / "comp.nk").write_text("Read {}")
    (tmp_path / "nuke").write_text("#!/bin/sh")
    monkeypatch.chdir(tmp_path)
    step = "--plate-step './nuke -x -F {{Task.Param.Frame}} --script=comp.nk'"
    plate = f"{tmp_path}/plate/p.%04d.exr --first 1 --last 20"
    documents = bundle_of(tmp_path, f"{plate} {step}")
    assert inputs(documents) == ["comp.nk"]
    rendered, _ = documents["template"]["steps"]
    run = rendered["script"]["actions"]["onRun"]
    assert run["command"] == "{{Param.PlateInput1}}"
    assert run["args"][-1] == "--script={{Param.PlateInput2}}"
    outputs = documents["asset_references"]["assetReferences"]["outputs"]["directories"]
    assert outputs == [f"{tmp_path}/mattes", f"{tmp_path}/plate"]


def test_an_empty_adapter_is_refused_before_anything_is_written(tmp_path: Path):
    """With its folder."""
    write_plate(tmp_path / "plate", range(1, 3), width=16, height=16)
    (tmp_path / "lora").mkdir()
    with pytest.raises(InputError, match="lora"):
        bundle_of(tmp_path, f"{tmp_path}/plate --lora {tmp_path}/lora")
    assert not (tmp_path / "bundle").exists()


def test_aws_s_own_client_reads_the_bundle(tmp_path: Path):
    """Values, and the files that go up: those that are listed and no other."""
    write_plate(tmp_path / "plate", range(1001, 1019), width=16, height=16)
    write_matte(tmp_path / "no" / "0010.png", np.ones((16, 16), np.float32))
    guide = f"--holdout {tmp_path}/no/0010.png"
    documents = bundle_of(tmp_path, f"{tmp_path}/plate --frames 1002-1003 {guide}")
    read = json.loads(run_receiver("deadline", "read_bundle.py", tmp_path / "bundle"))
    assert [Path(name).name for name in read["inputs"]] == inputs(documents)
    assert read["outputs"] == [f"{tmp_path}/mattes"]
    assert read["referenced"] == [f"{tmp_path}/no", f"{tmp_path}/plate"]
    assert read["parameters"]["PlateFolder"] == {"path": f"{tmp_path}/plate"}
    assert MANIFEST not in json.dumps(read)
