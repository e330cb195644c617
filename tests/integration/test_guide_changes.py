"""Promise 2 for guides: what changes in one costs the frames that it forces, and no window.

In every way of refining, of the whole frame and of a region.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from gvm_client.guides import Guides
from gvm_client.protocol.messages import Matte
from gvm_client.regions import parse_regions
from gvm_client.settings import MatteKnobs, Missing, PlateKeys, Refine
from gvm_client.windows import Plan, windows_covering
from tests.fakes.plates import MovieSpec, write_movie
from tests.support.mattes import write_matte
from tests.support.plates import moving_disc, read_alpha, write_exr, write_plate
from tests.support.resources import FRAMES, WINDOW, open_resources, request_in
from tests.support.runs import run

WIDTH, HEIGHT = 96, 64
ALL = set(FRAMES)
PLAN = Plan.of(WINDOW, first=FRAMES[0], last=FRAMES[-1])


def box(x: int, y: int, width: int, height: int) -> np.ndarray:
    """Return a matte that is 1 in a box."""
    matte = np.zeros((HEIGHT, WIDTH), np.float32)
    matte[y : y + height, x : x + width] = 1.0
    return matte


@dataclass(kw_only=True)
class Bench:
    """Requests of one clip with guides, one after the other, on the same stores."""

    folder: Path
    ask: Callable[[Matte], object]
    request: Matte

    def made(self, **guides: str) -> set[int]:
        """Matte the clip; return the frames that were made. No window may run."""
        done = self.ask(replace(self.request, job=uuid.uuid4().hex, guides=Guides(**guides)))
        assert done.failure is None, done.failure
        assert done.windows_run == 0, "a guide made the model run"
        return {one.frame for one in done.delivered if not one.cached}

    def pixels(self) -> dict[int, bytes]:
        """Return every alpha's bytes by its frame."""
        out = self.folder / "out"
        return {frame: read_alpha(out / f"plate.{frame:04d}.exr").tobytes() for frame in FRAMES}


@pytest.fixture(scope="module", params=["", "20,12,48,36"], ids=["whole", "region"])
def region(request: pytest.FixtureRequest) -> str:
    """A region, or none."""
    return request.param


@pytest.fixture(scope="module", params=Refine)
def refine(request: pytest.FixtureRequest) -> Refine:
    """A way of refining."""
    return request.param


def asked_in(folder: Path, refine: Refine, region: str) -> Matte:
    """Return the request for the clip in a folder, without guides."""
    knobs = MatteKnobs(refine=refine.value)
    return replace(request_in(folder), knobs=knobs, regions=parse_regions(region))


@pytest.fixture(scope="module")
def matted(tmp_path_factory: pytest.TempPathFactory, refine: Refine, region: str) -> Path:
    """A folder with a clip that has been matted without guides, and its stores."""
    folder = tmp_path_factory.mktemp("matted")
    write_plate(folder / "plate", FRAMES, width=WIDTH, height=HEIGHT)
    with open_resources(folder) as (resources, site):
        assert run(asked_in(folder, refine, region), resources, site).windows_run > 0
    return folder


@pytest.fixture
def bench(tmp_path: Path, matted: Path, refine: Refine, region: str):
    """Stores, and a clip that has been matted without guides: copies, to change at will."""
    shutil.copytree(matted, tmp_path, dirs_exist_ok=True)
    with open_resources(tmp_path) as (resources, site):
        asked = asked_in(tmp_path, refine, region)
        yield Bench(folder=tmp_path, ask=lambda one: run(one, resources, site), request=asked)


def test_one_frame_of_a_sequence_costs_one_alpha(bench):
    """Its own; the others keep their bits. A file written again as it was costs none."""
    garbage = bench.folder / "garbage" / "g.%04d.exr"
    for frame in FRAMES:
        write_matte(Path(str(garbage) % frame), box(3 * frame, 20, 20, 25))
    assert bench.made(garbage=str(garbage)) == ALL
    before = bench.pixels()
    write_matte(Path(str(garbage) % 7), box(30, 20, 30, 25))
    assert bench.made(garbage=str(garbage)) == {7}
    after = bench.pixels()
    assert {frame for frame in FRAMES if after[frame] != before[frame]} == {7}
    fifth = Path(str(garbage) % 5)
    fifth.write_bytes(fifth.read_bytes())
    assert bench.made(garbage=str(garbage)) == set()


def test_a_still_costs_every_alpha_and_its_old_self_none(bench):
    """It counts for all frames; the alphas under what it was before lie in the cache."""
    still = write_matte(bench.folder / "core.png", box(30, 20, 25, 25))
    assert bench.made(holdout=str(still)) == ALL
    write_matte(still, box(40, 25, 10, 10))
    assert bench.made(holdout=str(still)) == ALL
    write_matte(still, box(30, 20, 25, 25))
    assert bench.made(holdout=str(still)) == set()


def test_one_picture_of_a_movie_costs_its_group_where_content_counts(bench):
    """Here each is a group of its own. Without `content` a movie is one thing, and costs all."""
    movie = bench.folder / "g.mkv"
    spec = MovieSpec(
        codec="ffv1", frames=len(FRAMES), width=WIDTH, height=HEIGHT, options={"g": "1"}
    )
    write_movie(movie, spec)
    by_content = replace(bench.request.plate, keys=PlateKeys.CONTENT)
    bench.request = replace(bench.request, plate=by_content)
    bench.made(holdout=str(movie))
    write_movie(movie, replace(spec, odd=6))  # counted from 0
    assert bench.made(holdout=str(movie)) == {7}


def test_a_frame_that_others_hold_costs_them_too(bench):
    """Frames 4 and 5 hold 3; black ones cost nothing; one that comes costs itself."""
    folder = bench.folder / "garbage"
    for frame in ALL - {4, 5}:
        write_matte(folder / f"g.{frame:04d}.exr", box(3 * frame, 20, 20, 25))
    plate = bench.request.plate
    for missing, wanted in ((Missing.HOLD, {3, 4, 5}), (Missing.BLACK, {3})):
        write_matte(folder / "g.0003.exr", box(9, len(wanted), 20, 25))
        bench.request = replace(bench.request, plate=replace(plate, missing=missing))
        bench.made(garbage=str(folder))
        write_matte(folder / "g.0003.exr", box(30, len(wanted), 30, 25))
        assert bench.made(garbage=str(folder)) == wanted
    write_matte(folder / "g.0005.exr", box(30, 20, 30, 25))
    assert bench.made(garbage=str(folder)) == {5}


def test_a_plate_frame_costs_its_windows_under_guides_too(bench):
    """And no alpha beyond them."""
    still = write_matte(bench.folder / "core.png", box(30, 20, 25, 25))
    guides = Guides(garbage=str(still), guide_feather=3.0)
    bench.made(garbage=str(still), guide_feather=3.0)
    picture = moving_disc(2, WIDTH, HEIGHT) * np.float32(0.5)
    write_exr(bench.folder / "plate" / "plate.0002.exr", picture)
    done = bench.ask(replace(bench.request, job=uuid.uuid4().hex, guides=guides))
    seen_by = windows_covering(PLAN, 2)
    assert done.windows_run == len(seen_by) < len(FRAMES) // 2
    assert {one.frame for one in done.delivered} == {
        frame for window in seen_by for frame in window.frames
    }
