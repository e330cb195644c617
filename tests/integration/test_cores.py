"""A farm lends a task one core or two: the matte is the same, bit for bit."""

from __future__ import annotations

import os

import numpy as np
import OpenImageIO as oiio
import pytest

from tests.support.plates import read_alpha
from tests.support.portrait import portrait
from tests.support.tree import GOLDEN

WEIGHTS = str(GOLDEN / "gvm" / "checkpoint")
ENGINES = {
    "preview": (),
    "gvm": ("--weights", WEIGHTS, "--size", "64", "--frames-per-window", "2", "--overlap", "0"),
}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
@pytest.mark.parametrize("engine", ENGINES)
def test_one_core_and_two_give_the_same_matte(site, tmp_path, engine):
    """Each with an empty cache and a server that was started on just those cores."""
    (tmp_path / "plate").mkdir()
    for frame in (1, 2):
        picture = np.ascontiguousarray(portrait(180, 320 + 2 * frame)[..., :320].transpose(1, 2, 0))
        assert oiio.ImageBuf(picture).write(str(tmp_path / "plate" / f"p.{frame:04d}.exr"))
    plate, cores = str(tmp_path / "plate" / "p.%04d.exr"), os.sched_getaffinity(0)
    words = ("--engine", engine, "--depth", "float", *ENGINES[engine])
    made = []
    for count in (1, 2):
        site.environment["OMP_NUM_THREADS"] = str(count)
        os.sched_setaffinity(0, sorted(cores)[:count])
        try:
            ran = site.gvm("matte", plate, "-o", f"out{count}", *words, "--json")
        finally:
            os.sched_setaffinity(0, cores)
        assert ran.code == 0, ran.stderr
        site.gvm("stop")
        site.gvm("cache", "clear")
        made.append([read_alpha(tmp_path / f"out{count}" / f"p.{n:04d}.exr") for n in (1, 2)])
    assert [alpha.tobytes() for alpha in made[0]] == [alpha.tobytes() for alpha in made[1]]
    assert made[0][0].mean() > 0.01
