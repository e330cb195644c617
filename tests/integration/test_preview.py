"""The preview engine's mean over time keeps the promises: it sees two frames on each side."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from tests.support.plates import read_alpha, write_exr
from tests.support.portrait import portrait

HEIGHT, WIDTH, FIRST, LAST = 90, 160, 1, 13
# Windows of four frames without an overlap: 1-4, 5-8, 9-12 and 10-13.
WORDS = ("--engine", "preview", "--size", "90", "--frames-per-window", "4", "--overlap", "0")


def _frame(frame: int, light: float = 0.0) -> np.ndarray:
    """Return a person, scene-linear, under a light that flickers."""
    still = portrait(HEIGHT, WIDTH).transpose(1, 2, 0) * (0.9 + 0.02 * (frame % 3)) + light
    return np.ascontiguousarray(np.clip(still, 0, 1) ** 2.2, np.float32)


@pytest.fixture
def plate(tmp_path: Path) -> str:
    """A clip of 13 frames."""
    (tmp_path / "plate").mkdir()
    for frame in range(FIRST, LAST + 1):
        write_exr(tmp_path / "plate" / f"plate.{frame:04d}.exr", _frame(frame))
    return str(tmp_path / "plate" / "plate.%04d.exr")


def _matte(site, plate: str, out: str, *words: str):
    ran = site.gvm("matte", plate, "-o", out, *WORDS, "--json", *words)
    return ran.done


def _pixels(folder: Path, frames: Iterable[int]) -> dict[int, bytes]:
    return {frame: read_alpha(folder / f"plate.{frame:04d}.exr").tobytes() for frame in frames}


def test_any_range_gives_the_same_matte(site, tmp_path, plate):
    """The whole clip, its parts, single frames: equal bits, though a window's neighbours count."""
    _matte(site, plate, "whole")
    expected = _pixels(tmp_path / "whole", range(FIRST, LAST + 1))
    assert len(set(expected.values())) > 3, "the frames must differ for this to say anything"
    for out, frames in (("parts", ["9-13", "1-6", "7-8"]), ("single", ["4", "5", "13", "1"])):
        for part in frames:
            site.gvm("cache", "clear")
            assert site.gvm("release").code == 0
            _matte(site, plate, out, "--frames", part)
    parts = _pixels(tmp_path / "parts", range(FIRST, LAST + 1))
    assert parts == expected
    assert _pixels(tmp_path / "single", (4, 5, 13, 1)) == {t: expected[t] for t in (4, 5, 13, 1)}


def test_windows_change_nothing(site, tmp_path, plate):
    """A frame's matte is the same in windows of another length: no seam where one ends."""
    _matte(site, plate, "four")
    _matte(site, plate, "one", "--frames-per-window", "1")
    frames = range(FIRST, LAST + 1)
    assert _pixels(tmp_path / "four", frames) == _pixels(tmp_path / "one", frames)


def test_a_changed_frame_costs_its_neighbourhood(site, tmp_path, plate):
    """Frame 5 goes into the mattes of 3 to 7, each a window of its own: no other is made again."""
    frames = range(FIRST, LAST + 1)
    assert _matte(site, plate, "out")["frames_written"] == len(frames)
    before = _pixels(tmp_path / "out", frames)
    write_exr(tmp_path / "plate" / "plate.0005.exr", _frame(5, light=0.03))
    again = _matte(site, plate, "out")
    assert (again["windows_run"], again["frames_written"]) == (5, 5)
    after = _pixels(tmp_path / "out", frames)
    moved = {frame for frame in frames if before[frame] != after[frame]}
    assert moved <= {3, 4, 5, 6, 7}
    assert moved >= {4, 5, 6}


def test_nothing_crosses_a_cut(site, tmp_path, plate):
    """Each shot's mattes are those of the shot alone."""
    _matte(site, plate, "cut", "--cut", "6")
    _matte(site, plate, "alone", "--first", "6")
    assert _pixels(tmp_path / "cut", range(6, 14)) == _pixels(tmp_path / "alone", range(6, 14))


def test_a_missing_neighbour_is_named(site, tmp_path, plate):
    """Frame 6 is no frame of window 1-4, but the mean over time needs it."""
    (tmp_path / "plate" / "plate.0006.exr").unlink()
    ran = site.gvm("matte", plate, "-o", "out", *WORDS, "--frames", "1-4")
    assert ran.code != 0
    assert "6" in ran.stderr
    assert "missing" in ran.stderr
