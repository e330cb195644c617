"""`gvm roi PLATE`: the option that holds the subject, or the words why there is none."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import pytest

from tests.support.plates import read_alpha, write_exr
from tests.support.portrait import portrait

HEIGHT, WIDTH, SIDE = 180, 320, 80
FRAMES = range(1001, 1010)
PREVIEW = ("--engine", "preview", "--size", "180")


def _wall() -> np.ndarray:
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] / np.float32(HEIGHT)
    return np.stack([0.55 + 0.15 * y, 0.6 + 0.05 * x, 0.7 - 0.2 * y], axis=-1)


def _linear(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.clip(picture, 0, 1) ** 2.2, np.float32)


def _person_at(left: int) -> np.ndarray:
    picture = _wall()
    picture[-SIDE:, left : left + SIDE] = portrait(SIDE, SIDE).transpose(1, 2, 0)
    return _linear(picture)


def _left(frame: int) -> int:
    """Return where a person who walks from left to right stands."""
    return 120 + 8 * (frame - FRAMES[0])


@pytest.fixture
def plate(tmp_path: Path) -> str:
    """A small person who walks through a wide frame."""
    (tmp_path / "plate").mkdir()
    for frame in FRAMES:
        write_exr(tmp_path / "plate" / f"plate.{frame}.exr", _person_at(_left(frame)))
    return str(tmp_path / "plate" / "plate.####.exr")


def test_the_option_holds_the_subject_of_the_whole_clip(site, tmp_path, plate):
    """Standard output is the option alone; what it saves is said; a matte with it is not cut."""
    ran = site.gvm("roi", plate, "--size", "180")
    assert ran.code == 0, ran.stderr
    words = shlex.split(ran.stdout)
    assert words[0] == "--roi"
    x, y, width, height = map(int, words[1].split(","))
    assert x <= _left(FRAMES[0]) + 20
    assert x + width >= _left(FRAMES[-1]) + SIDE - 20
    assert y >= HEIGHT - SIDE - 40
    assert y + height == HEIGHT
    assert 0 <= x < x + width <= WIDTH
    assert "of the whole frame's work" in ran.stderr
    assert site.server() is None, "it needs no server"
    matted = site.gvm("matte", plate, "-o", "out", *PREVIEW, *words, "--strict-roi", "--json")
    assert matted.code == 0, matted.stderr
    assert read_alpha(tmp_path / "out" / "plate.1005.exr").max() > 0.5


def test_each_shot_has_its_own_and_one_without_anybody_keeps_the_whole_frame(site, plate, tmp_path):
    """A region holds until the next one, so a shot where nobody is found must have one too."""
    for frame in range(1007, 1010):
        write_exr(tmp_path / "plate" / f"plate.{frame}.exr", _linear(_wall()))
    ran = site.gvm("roi", plate, "--size", "180", "--cut", "1004", "--cut", "1007", "--json")
    said = json.loads(ran.stdout)
    starts = [text.partition(":")[0] for text in said["roi"]]
    assert starts == ["1001", "1004", "1007"]
    assert said["roi"][0] != said["roi"][1]
    assert said["roi"][2] == f"1007:0,0,{WIDTH},{HEIGHT}"
    assert any("from frame 1007 on" in note for note in said["notes"])
    assert 0 < said["share"] < 1
    option = shlex.split(site.gvm("roi", plate, "--cut", "1004", "--size", "180").stdout)
    words = (*option, "--cut", "1004")
    assert site.gvm("matte", plate, "-o", "out", *PREVIEW, *words).code == 0


def test_a_subject_that_fills_the_frame_gets_none(site, tmp_path):
    """The words say that a region saves nothing; standard output is empty, so it may be pasted."""
    write_exr(tmp_path / "large.exr", _linear(portrait(HEIGHT, HEIGHT).transpose(1, 2, 0)))
    ran = site.gvm("roi", "large.exr")
    assert (ran.code, ran.stdout) == (0, "")
    assert "it saves nothing" in ran.stderr
    said = json.loads(site.gvm("roi", "large.exr", "--json").stdout)
    assert said["roi"] == []
    assert said["share"] >= 0.9


def test_a_plate_without_anybody_is_said(site, tmp_path):
    """The input's exit code, how many frames were looked at, and what to do."""
    for frame in range(1, 6):
        write_exr(tmp_path / f"wall.{frame:04d}.exr", _linear(_wall()))
    ran = site.gvm("roi", "wall.%04d.exr", "--samples", "3")
    assert (ran.code, ran.stdout) == (3, "")
    assert "finds nobody in " in ran.stderr
    assert "it looked at 3 frames." in ran.stderr
    assert "--roi x,y,w,h" in ran.stderr


def test_overscan_is_counted_from_the_display_window(site, tmp_path):
    """Whoever stands in the overscan, left of the display window, begins below 0."""
    picture = _person_at(0)
    spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, oiio.HALF)
    spec.x, spec.y = 100 - 60, 50
    spec.full_x, spec.full_y, spec.full_width, spec.full_height = 100, 50, WIDTH - 60, HEIGHT
    file = oiio.ImageOutput.create("exr")
    assert file.open(str(tmp_path / "over.exr"), spec)
    assert file.write_image(picture)
    file.close()
    (option,) = shlex.split(site.gvm("roi", "over.exr", "--size", "180").stdout)
    assert option.startswith("--roi=-")
    words = (option, "--strict-roi")
    ran = site.gvm("matte", "over.exr", "-o", "out", *PREVIEW, *words)
    assert ran.code == 0, ran.stderr


def test_frames_that_are_not_there_are_not_looked_at(site, tmp_path, plate):
    """A hole is no reason to propose nothing; no sample at all is one."""
    (tmp_path / "plate" / "plate.1001.exr").unlink()
    (tmp_path / "plate" / "plate.1005.exr").unlink()
    ran = site.gvm("roi", plate, "--first", "1001", "--size", "180")
    assert ran.stdout.startswith("--roi "), ran.stderr
    ran = site.gvm("roi", plate, "--samples", "0")
    assert ran.code == 2
    assert "--samples is 0; it must be 1 or more" in ran.stderr
