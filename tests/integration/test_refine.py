"""Edges at plate size, through the command line: every way, any range, any count of threads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gvm_client.settings import Refine
from tests.support.plates import read_alpha, write_plate

WAYS = [way.value for way in Refine]
FRAMES = range(1, 13)


@pytest.fixture
def plate(tmp_path: Path) -> str:
    """Return a clip of four times the working size that SMALL gives it, and a bit."""
    return write_plate(tmp_path / "plate", FRAMES, width=197, height=131)


def _pixels(folder: Path) -> dict[str, bytes]:
    return {path.name: read_alpha(path).tobytes() for path in sorted(folder.glob("*.exr"))}


def test_each_way_is_another_matte_and_runs_no_model(site, tmp_path, plate):
    """The second and third way are made of the windows of the first; guided is the default."""
    for way in WAYS:
        done = site.matte(plate, way, "--refine", way).done
        assert done["frames_written"] == len(FRAMES)
        assert done["windows_run"] == (0 if way != WAYS[0] else len(site.windows_denoised()))
    made = {way: _pixels(tmp_path / way) for way in WAYS}
    assert len({frames["plate.0006.exr"] for frames in made.values()}) == len(WAYS)
    assert site.matte(plate, "guided").done["frames_kept"] == len(FRAMES)


@pytest.mark.parametrize("way", WAYS)
def test_ranges_a_restart_and_other_threads_give_the_same_bits(site, tmp_path, plate, way):
    """Whole on one thread, then frame by frame on three."""
    site.environment["OPENCV_FOR_THREADS_NUM"] = "1"
    assert site.matte(plate, "whole", "--refine", way).done["frames_written"] == len(FRAMES)
    assert site.gvm("stop").code == 0
    site.environment["OPENCV_FOR_THREADS_NUM"] = "3"
    assert site.gvm("cache", "clear").code == 0
    for frames in ("9", "2-4", "1,5-8", "10-12"):
        words = ("--frames", frames, "--refine", way)
        assert site.matte(plate, "parts", *words).code == 0
    assert _pixels(tmp_path / "parts") == _pixels(tmp_path / "whole")


def test_detail_on_a_plate_that_is_too_small_is_guided_and_says_so(site, tmp_path):
    """The same key as guided's, so nothing is made twice; the note has both numbers."""
    plate = write_plate(tmp_path / "small", range(1, 5))
    assert site.matte(plate, "guided").code == 0
    ran = site.matte(plate, "detail", "--refine", "detail")
    (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
    said = " ".join(accepted["notes"])
    assert "2.00 times the model's size" in said
    assert "2.5 times: alphas come up as with guided" in said
    assert ran.done["windows_run"] == 0
    assert _pixels(tmp_path / "detail") == _pixels(tmp_path / "guided")


def test_an_unknown_way_is_refused_with_those_there_are(site, plate):
    """A usage error."""
    ran = site.matte(plate, "out", "--refine", "sharp")
    assert ran.code == 2
    for word in ("sharp", *WAYS):
        assert word in ran.stderr


def test_the_spread_is_measured(site, plate):
    """Every spread with what it leaves, the best one, and what the engine has now."""
    words = ("measure-spread", plate, "--engine", "test", "--size", "32")
    said = json.loads(site.gvm(*words, "--json").stdout)
    assert said["engine"] == "test"
    assert said["in_use"] == 0.0
    assert said["unexplained"][str(said["spread"])] == min(said["unexplained"].values())
    text = site.gvm(*words)
    assert f"blurs by {said['spread']:g} working pixels; 0 is in use" in text.stdout
    assert text.stderr == ""
    assert site.server() is None, "it needs no server"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--size", "720"), "is not larger than the model's frame"),
        (("--windows", "0"), "--windows is 0; it must be 1 or more"),
        (("--last", "0"), ""),
    ],
)
def test_what_cannot_be_measured_is_said(site, plate, words, says):
    """A plate without more pixels than the model sees, no windows, an empty clip."""
    ran = site.gvm("measure-spread", plate, "--engine", "test", *words)
    assert ran.code in (2, 3)
    assert says in ran.stderr
    assert "Traceback" not in ran.stderr
