"""The EXR alphas a compositor gets: windows, aspect, timecode, depth, and how they were made."""

from __future__ import annotations

import json

import numpy as np
import OpenImageIO as oiio
import pytest

from tests.support.plates import moving_disc, read_alpha, write_anamorphic, write_plate


@pytest.fixture
def plate(tmp_path) -> str:
    """An anamorphic plate with a cropped data window, overscan on one side, and timecode."""
    return write_anamorphic(tmp_path / "plate", range(1001, 1013), name="hero_v003")


def test_what_the_plate_s_file_says_the_alpha_s_file_repeats(site, tmp_path, plate):
    """Data and display window, pixel aspect, rate and timecode are the plate's; channel A, half."""
    assert site.matte(plate, "out").code == 0
    file = oiio.ImageInput.open(str(tmp_path / "out" / "hero_v003.1007.exr"))
    spec = file.spec()
    assert (spec.x, spec.y, spec.width, spec.height) == (-8, 4, 80, 60)
    assert (spec.full_x, spec.full_y, spec.full_width, spec.full_height) == (0, 0, 96, 64)
    assert spec.channelnames == ("A",)
    assert str(spec.format) == "half"
    assert spec.getattribute("compression") == "zips"
    assert spec.getattribute("PixelAspectRatio") == 2.0
    assert spec.getattribute("FramesPerSecond") == (24000, 1001)
    assert spec.getattribute("smpte:TimeCode")[0] == 0x01000006


def test_how_it_was_made_stands_in_the_file(site, tmp_path, plate):
    """Engine, revision, settings, windows and the plate's key are in the metadata."""
    assert site.matte(plate, "out", "--blur", "1.5").code == 0
    spec = oiio.ImageInput.open(str(tmp_path / "out" / "hero_v003.1005.exr")).spec()
    said = {a.name: a.value for a in spec.extra_attribs if a.name.startswith("gvm:")}
    assert said["gvm:engine"] == "test"
    assert said["gvm:revision"].startswith("test-")
    assert json.loads(said["gvm:settings"])["frames_per_window"] == 6
    assert json.loads(said["gvm:knobs"])["blur"] == 1.5
    assert said["gvm:windows"] == "1001-1006 1005-1010"
    assert len(bytes.fromhex(said["gvm:key"])) == len(bytes.fromhex(said["gvm:plateKey"])) == 16


def test_float_is_float_and_half_is_its_rounding(site, tmp_path, plate):
    """`--depth float` keeps what half rounds: what the knobs make of the alpha before them."""
    knob = ("--gamma", "1.3")
    assert site.matte(plate, "half", *knob).code == 0
    assert site.matte(plate, "float", *knob, "--depth", "float").code == 0
    name = "hero_v003.1004.exr"
    half, full = (read_alpha(tmp_path / folder / name) for folder in ("half", "float"))
    assert np.array_equal(full.astype(np.float16).astype(np.float32), half)
    assert not np.array_equal(full, half)


def test_a_preview_says_that_it_is_one(site, tmp_path):
    """The reply and the file's metadata say preview, also where `auto` chose it."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    ran = site.gvm("matte", plate, "-o", "out", "--json")
    assert ran.code == 0, ran.stderr
    (accepted,) = [event for event in ran.events if event["type"] == "accepted"]
    assert accepted["engine"] == "preview"
    assert accepted["preview"] is True
    assert "No GVM weights" in accepted["notes"][0]
    spec = oiio.ImageInput.open(str(tmp_path / "out" / "plate.0002.exr")).spec()
    assert spec.getattribute("gvm:engine") == "preview (preview)"


def test_a_movie_that_its_codec_cannot_hold_is_refused_before_a_model_runs(site, tmp_path, plate):
    """DNxHR takes 256x120 and more: the sizes and what to do; no server, nothing made."""
    ran = site.matte(plate, "out", "--movie", "m.mov", "--movie-codec", "dnxhr444")
    assert ran.code == 2
    assert "takes 256x120" in ran.stderr
    assert "--movie-codec" in ran.stderr
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / "m.mov").exists()
    assert site.server() is None
    assert site.matte(plate, "out", "--movie", "m.mov", "--movie-codec", "prores4444").code == 0


@pytest.mark.parametrize("options", [(), ("--dry-run",)])
def test_pngs_that_are_not_ours_are_refused_before_a_model_runs(site, tmp_path, plate, options):
    """Only those of the frames that are asked for count; a folder is never replaced."""
    png = tmp_path / "png"
    (png / "hero_v003.1012.png").mkdir(parents=True)
    (png / "hero_v003.1009.png").write_text("another's")
    wanted = ("--png", str(png), *options)
    foreign = site.matte(plate, "out", *wanted, "--frames", "1008-1010")
    folder = site.matte(plate, "out", *wanted, "--overwrite")
    assert (foreign.code, folder.code) == (5, 5)
    assert "hero_v003.1009.png" in foreign.stderr
    assert "hero_v003.1012.png" in folder.stderr
    assert not (tmp_path / "out").exists()
    assert site.matte(plate, "out", *wanted, "--max-frames", "8").code == 0


def test_a_movie_and_a_still_are_plates_too(site, tmp_path):
    """A movie's alphas count from 1; a still's alpha has its name."""
    av = pytest.importorskip("av")
    with av.open(str(tmp_path / "clip.mov"), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for frame in range(9):
            picture = (moving_disc(frame, 96, 64) * 255).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    assert site.matte(str(tmp_path / "clip.mov"), "movie").done["frames_written"] == 9
    names = sorted(path.name for path in (tmp_path / "movie").iterdir())
    assert names[0] == "clip.0001.exr"
    assert names[-1] == "clip.0009.exr"
    still = oiio.ImageBuf(moving_disc(1, 96, 64))
    assert still.write(str(tmp_path / "still.png"), "uint8")
    assert site.matte(str(tmp_path / "still.png"), "one").done["frames_written"] == 1
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["still.exr"]
