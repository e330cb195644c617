"""Seams of real mattes: the seamless plan's joints do not show, the original's batches do."""

from __future__ import annotations

import json

import pytest

from tests.support.plates import write_exr
from tests.support.synthetic import frame as drawn
from tests.support.tree import GOLDEN

PROMISE = 1.05  # how much more border frames may change than inner ones
FRAMES = range(1, 41)
ENGINES = {
    "test": ("--engine", "test"),
    "gvm": ("--engine", "gvm", "--weights", str(GOLDEN / "gvm" / "checkpoint")),
}
WINDOWS = ("--frames-per-window", "8", "--overlap", "2", "--size", "32")


@pytest.fixture
def plate(tmp_path) -> str:
    """Strands and blobs that move."""
    (tmp_path / "plate").mkdir()
    for frame in FRAMES:
        write_exr(tmp_path / "plate" / f"shot.{frame:04d}.exr", drawn(float(frame), 96, 64)[0])
    return str(tmp_path / "plate" / "shot.%04d.exr")


@pytest.mark.parametrize("engine", ENGINES)
def test_windows_that_overlap_show_no_joints(site, plate, engine):
    """Border frames change at most 1.05 times as much as inner ones; `gvm qc` holds them to it."""
    ran = site.gvm("matte", plate, "-o", "matte", *ENGINES[engine], *WINDOWS)
    assert ran.code == 0, ran.stderr
    ran = site.gvm("qc", plate, "matte", "--max-seam", str(PROMISE), "--json")
    said = json.loads(ran.stdout)
    assert ran.code == 0, said["seam"]
    assert said["engine"] == engine
    assert min(said["seam"]["border"], said["seam"]["inner"]) > 10


def test_the_original_s_batches_show_theirs(site, plate):
    """The same engine, side by side: the check fails, and names frames at batches' borders."""
    words = (*ENGINES["test"], *WINDOWS, "--plan", "reference")
    assert site.gvm("matte", plate, "-o", "matte", *words).code == 0
    ran = site.gvm("qc", plate, "matte", "--max-seam", str(PROMISE), "--json")
    assert ran.code == 1, ran.stderr
    said = json.loads(ran.stdout)
    assert said["seam"]["score"] > 1.5
    assert set(said["look_at"]) <= {frame for frame in FRAMES if frame % 8 == 1}
