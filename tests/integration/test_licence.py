"""The terms of the weights that made a matte: in its file, in the status, and as a demand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import OpenEXR
import pytest

from tests.support.plates import write_plate
from tests.support.tree import GOLDEN
from tests.support.weights import record

CHECKPOINT = GOLDEN / "gvm" / "checkpoint"
SIZE = ("--size", "64", "--frames-per-window", "2")


@pytest.fixture
def weights(tmp_path) -> Path:
    """A folder of GVM's weights with the record of a pull."""
    folder = tmp_path / "weights"
    shutil.copytree(CHECKPOINT, folder)
    record(folder)
    return folder


def agree(weights: Path, use: str) -> None:
    """Write a use into the record, as a studio with an agreement does."""
    path = weights / "gvm-weights.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "use": use}))


def licence(path: Path) -> str:
    """Return what a file says."""
    said: str = OpenEXR.File(str(path), header_only=True).parts[0].header["gvm:licence"]
    return said


@pytest.fixture
def gvm(site, tmp_path, weights):
    """Matte two frames with those weights."""
    plate = write_plate(tmp_path / "plate", range(1, 3))

    def matte(out: str, *words: str):
        model = ("--engine", "gvm", "--weights", str(weights), *SIZE, "--json")
        return site.gvm("matte", plate, "-o", out, *model, *words)

    return matte


def test_files_and_status_say_what_the_record_beside_the_weights_says(site, gvm, tmp_path, weights):
    """Academic as pulled; commercial once a studio has an agreement, and the files are remade."""
    ran = gvm("out")
    assert ran.code == 0, ran.stderr
    assert licence(tmp_path / "out/plate.0001.exr") == "academic"
    (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
    assert accepted["licence"] == "academic"
    assert "academic use" in accepted["notes"][0]
    status = json.loads(site.gvm("status", "--json").stdout)
    assert status["licence"] == status["jobs"][0]["licence"] == "academic"
    assert "gvm (licence: academic)" in site.gvm("status").stdout
    agree(weights, "commercial")
    again = gvm("out")
    assert (again.done["frames_written"], again.done["windows_run"]) == (2, 0)
    assert licence(tmp_path / "out/plate.0001.exr") == "commercial"
    shown = site.gvm("weights", "show", "--weights", str(weights))
    assert "for commercial use" in shown.stdout


def test_the_other_engines_say_their_own(site, tmp_path):
    """Both are Apache-2.0, in each file that a frame has."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    words = ("--channels", "fg", "--layers", "separate")
    assert site.matte(plate, "test", *words).code == 0
    assert site.gvm("matte", plate, "-o", "preview", "--engine", "preview", *words).code == 0
    files = [*(tmp_path / "test").iterdir(), *(tmp_path / "preview").iterdir()]
    assert len(files) == 8
    assert {licence(path) for path in files} == {"Apache-2.0"}


def lock(site, *, demand: object = True) -> None:
    """Write a studio's file."""
    path = Path(site.environment["XDG_CONFIG_HOME"]) / "gvm/node_defaults.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"commercial_only": demand}))


def test_a_studio_refuses_weights_without_commercial_terms(site, gvm, tmp_path, weights):
    """By one sentence, before a file is made; with an agreement they run, and so does preview."""
    lock(site)
    ran = gvm("out")
    assert ran.code == 4
    assert "have no commercial terms (their licence: academic)" in ran.stderr
    assert "--engine preview" in ran.stderr
    assert not (tmp_path / "out").exists()
    (weights / "gvm-weights.json").unlink()
    assert "their licence: unknown" in gvm("out").stderr
    plate = str(tmp_path / "plate/plate.%04d.exr")
    assert site.gvm("matte", plate, "-o", "preview", "--engine", "preview").code == 0
    record(weights)
    agree(weights, "commercial")
    assert gvm("out").code == 0


def test_whoever_asks_may_demand_it_too_and_farms_pass_it_on(site, gvm, tmp_path):
    """`--commercial-only`; a farm's task of a studio that demands it has the word."""
    assert "no commercial terms" in gvm("out", "--commercial-only").stderr
    plate = str(tmp_path / "plate/plate.%04d.exr")
    submit = ("farm", "submit-template", plate, "--out", "m", "--engine", "test", "--dry-run")
    assert "--commercial-only" not in site.gvm(*submit).stdout
    assert "--commercial-only" in site.gvm(*submit, "--commercial-only").stdout
    lock(site)
    assert "--commercial-only" in site.gvm(*submit).stdout


def test_the_server_s_own_studio_is_heard_whoever_asks(site, gvm):
    """As for an OpenFX node, whose host reads no such file: the asker's shell has none here."""
    lock(site)
    config = site.environment["XDG_CONFIG_HOME"]
    assert site.gvm("matte", "none", "-o", "out").code != 0  # a server starts, in the studio
    site.environment["XDG_CONFIG_HOME"] = config + "-elsewhere"
    assert site.server() is not None
    assert "no commercial terms" in gvm("out").stderr


@pytest.mark.parametrize("demand", ["yes", 1, None])
def test_a_demand_that_is_neither_true_nor_false_is_an_error(site, gvm, demand):
    """Nothing is guessed of what a studio means."""
    lock(site, demand=demand)
    ran = gvm("out")
    assert ran.code == 2
    assert "commercial_only" in ran.stderr
    assert "node_defaults.json" in ran.stderr


def test_a_use_that_is_neither_is_an_error(gvm, weights):
    """With the record's path and the two words."""
    agree(weights, "free")
    ran = gvm("out")
    assert ran.code == 4
    assert "academic or commercial" in ran.stderr
    assert "gvm-weights.json" in ran.stderr
