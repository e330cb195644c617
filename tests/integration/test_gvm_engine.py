"""GVM itself through the command line and the server, on the tiny checkpoint of golden/gvm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest
from safetensors.numpy import load_file

from gvm_server.matting.finish import REFERENCE_BLACK, REFERENCE_WHITE, cut_like_the_original
from gvm_server.media.pixels import upscale
from tests.support.plates import read_alpha, write_plate
from tests.support.tree import GOLDEN

WEIGHTS = str(GOLDEN / "gvm" / "checkpoint")
TOLERANCE = 1e-4


@pytest.fixture
def gvm(site):
    """Run `gvm matte` with the tiny checkpoint, float EXRs."""

    def matte(plate: str, out: str, *words: str):
        model = ("--engine", "gvm", "--weights", WEIGHTS, "--depth", "float", "--json")
        return site.gvm("matte", plate, "-o", out, *model, *words)

    return matte


def _write_pngs(folder: Path, frames: np.ndarray) -> str:
    """Write [T, 3, H, W] uint8 as shot.####.png, and return the pattern."""
    folder.mkdir()
    for index, frame in enumerate(frames):
        picture = oiio.ImageBuf(np.ascontiguousarray(frame.transpose(1, 2, 0)))
        assert picture.write(str(folder / f"shot.{index + 1:04d}.png"))
    return str(folder / "shot.%04d.png")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "d_wrapper_landscape",
            "--size 48 --max-resolution 200 --frames-per-window 3 --overlap 0 --decode-chunk 2",
        ),
        ("e_wrapper_portrait", "--size 44 --max-resolution 76 --frames-per-window 8"),
    ],
)
def test_the_reference_plan_is_the_original_program(gvm, tmp_path, name, words):
    """The original's cropped alphas, brought to plate size by bilinear and cut, to 1e-4."""
    case = load_file(GOLDEN / "gvm" / f"{name}.safetensors")
    plate = _write_pngs(tmp_path / "plate", case["input_u8"])
    ran = gvm(plate, "out", "--plan", "reference", *words.split())
    assert ran.code == 0, ran.stderr
    height, width = case["input_u8"].shape[2:]
    for index, theirs in enumerate(case["alpha_cropped"][:, 0]):
        ours = read_alpha(tmp_path / "out" / f"shot.{index + 1:04d}.exr")
        smooth = upscale(theirs, height, width)
        clear = np.minimum(abs(smooth - REFERENCE_BLACK), abs(smooth - REFERENCE_WHITE)) > TOLERANCE
        assert clear.mean() > 0.9
        expected = cut_like_the_original(smooth)
        assert abs(ours - expected)[clear].max() <= TOLERANCE


def test_any_range_gives_the_same_bits_from_the_real_network_too(gvm, site, tmp_path):
    """The clip at once, and its frames alone from an empty cache and a released model."""
    plate = write_plate(tmp_path / "plate", range(1, 12))
    words = ("--size", "32", "--frames-per-window", "4", "--overlap", "1")
    whole = gvm(plate, "whole", *words)
    assert whole.done["windows_run"] == 4
    for frames in ("6", "11,2"):
        site.gvm("cache", "clear")
        site.gvm("release")
        assert gvm(plate, "part", "--frames", frames, *words).code == 0
    parts = sorted((tmp_path / "part").glob("*.exr"))
    assert len(parts) == 3
    for part in parts:
        assert read_alpha(part).tobytes() == read_alpha(tmp_path / "whole" / part.name).tobytes()


def test_the_reply_names_the_weights_and_auto_takes_them(site, tmp_path):
    """With weights in place `auto` is GVM, and not a preview; loading is said."""
    site.environment["GVM_WEIGHTS"] = WEIGHTS
    plate = write_plate(tmp_path / "plate", range(1, 4))
    ran = site.gvm("matte", plate, "-o", "out", "--size", "32", "--json")
    assert ran.code == 0, ran.stderr
    (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
    assert (accepted["engine"], accepted["preview"]) == ("gvm", False)
    notes = " ".join(event["note"] for event in ran.events if event["type"] == "progress")
    assert "Loading the gvm engine" in notes
    spec = oiio.ImageInput.open(str(tmp_path / "out" / "plate.0002.exr")).spec()
    assert spec.getattribute("gvm:revision") == accepted["revision"]


def test_a_checkpoint_that_does_not_fit_is_refused_by_name(site, tmp_path):
    """A folder with half a checkpoint says what it lacks."""
    folder = tmp_path / "weights"
    (folder / "unet").mkdir(parents=True)
    plate = write_plate(tmp_path / "plate", range(1, 4))
    ran = site.gvm("matte", plate, "-o", "out", "--weights", str(folder))
    assert ran.code == 4
    assert str(folder) in ran.stderr
    assert "gvm weights pull" in ran.stderr


def test_the_window_is_fitted_to_memory_where_asked(gvm, tmp_path):
    """`--preset auto` says what it chose and what it predicts."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    ran = gvm(plate, "out", "--preset", "auto", "--size", "32")
    assert ran.code == 0, ran.stderr
    (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
    assert any("Chosen by memory" in note for note in accepted["notes"])
