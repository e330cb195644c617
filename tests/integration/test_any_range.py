"""Promise 1: any range, same matte, through the command line."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from tests.support.plates import read_alpha, write_plate


def _pixels(folder: Path) -> dict[str, bytes]:
    return {path.name: read_alpha(path).tobytes() for path in sorted(folder.glob("*.exr"))}


def test_ranges_orders_and_a_restart_give_the_same_bits(site, tmp_path):
    """1-40, 1-17 then 18-40, single frames in random order, and a new server: equal pixels."""
    plate = write_plate(tmp_path / "plate", range(1, 41))
    whole = site.matte(plate, "whole", "--frames", "1-40")
    assert whole.done["frames_written"] == 40

    def without_cache(*words: str) -> None:
        site.gvm("cache", "clear")
        assert site.gvm("release").code == 0  # the latents in memory go too
        assert site.matte(plate, *words).code == 0

    without_cache("halves", "--frames", "1-17")
    without_cache("halves", "--frames", "18-40")
    frames = list(range(1, 41))
    random.Random(3).shuffle(frames)
    for start in range(0, 40, 8):
        without_cache("single", "--frames", ",".join(map(str, frames[start : start + 8])))
    assert site.gvm("stop").code == 0
    assert site.gvm("cache", "clear").code == 0
    assert site.matte(plate, "restarted", "--frames", "1-40").code == 0

    expected = _pixels(tmp_path / "whole")
    assert len(expected) == 40
    for folder in ("halves", "single", "restarted"):
        assert _pixels(tmp_path / folder) == expected, folder


def test_neighbouring_windows_change_the_pixels_so_a_wrong_plan_would_show(site, tmp_path):
    """The test engine's alphas depend on the window: another overlap gives other pixels."""
    plate = write_plate(tmp_path / "plate", range(1, 13))
    assert site.matte(plate, "two").code == 0
    assert site.matte(plate, "one", "--overlap", "1").code == 0
    two = read_alpha(tmp_path / "two" / "plate.0006.exr")
    one = read_alpha(tmp_path / "one" / "plate.0006.exr")
    assert np.abs(two - one).max() > 0.01


def test_a_cut_keeps_two_shots_apart(site, tmp_path):
    """With a cut, each shot's mattes equal those of the shot alone."""
    plate = write_plate(tmp_path / "plate", range(1, 21))
    assert site.matte(plate, "cut", "--cut", "11").code == 0
    assert site.matte(plate, "alone", "--first", "11", "--frames", "11-20").code == 0
    both, alone = _pixels(tmp_path / "cut"), _pixels(tmp_path / "alone")
    assert {name: both[name] for name in alone} == alone


def test_frame_numbers_and_padding_survive(site, tmp_path):
    """Negative numbers and the plate's padding stand in the mattes' names as in the plate's."""
    folder = tmp_path / "plate"
    write_plate(folder, range(3))
    for frame in (-2, -1):
        source = folder / "plate.0001.exr"
        (folder / f"plate.{frame:04d}.exr").write_bytes(source.read_bytes())
    ran = site.matte(str(folder / "plate.%04d.exr"), "out", "--frames=-2-2")
    assert ran.code == 0, ran.stderr
    names = sorted(path.name for path in (tmp_path / "out").glob("*.exr"))
    assert names == sorted(path.name for path in folder.glob("*.exr"))
