"""The keys of one job's results: each made once, and the finish in no window's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client.settings import Depth, MatteKnobs
from gvm_client.windows import windows_for
from gvm_server.matting.keys import JobKeys
from tests.fakes.plate import DrawnPlate
from tests.support.bench import Bench, make_spec, open_bench

FRAMES = range(1, 31)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Stores as a server has them."""
    with open_bench(tmp_path) as bench:
        yield bench


class CountingPlate(DrawnPlate):
    """A plate that counts how often it is asked for a frame's key."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(first, last)
        self.asked = Counter[int]()

    def key(self, frame: int) -> bytes:
        """Count, then return the key."""
        self.asked[frame] += 1
        return super().key(frame)


def test_a_latents_recipe_is_made_once_however_many_windows_see_its_frame(bench):
    """Nor a plate frame's key, for its alpha, its neutral alpha and its latent."""
    plate = CountingPlate(FRAMES[0], FRAMES[-1])
    spec = make_spec(bench, plate, FRAMES, reach=2)
    keys = JobKeys(spec)
    for frame in FRAMES:
        keys.alpha(frame)
        keys.neutral(frame)
        keys.latent(frame)
    for window in windows_for(spec.plan, FRAMES):
        keys.window(window)
    assert set(plate.asked.values()) == {1}


def test_a_neutral_alpha_is_the_half_file_of_a_job_without_a_finish(bench):
    """What the model sees stays in its key; levels do not."""
    spec = make_spec(bench, DrawnPlate(FRAMES[0], FRAMES[-1]), FRAMES)
    turned = replace(spec, knobs=MatteKnobs(gamma=1.5, black=0.1, exposure=1.0))
    plain = replace(spec, knobs=MatteKnobs(exposure=1.0))
    spec.sink.depth = Depth.HALF
    assert JobKeys(turned).neutral(7) == JobKeys(plain).alpha(7)
    assert JobKeys(turned).neutral(7) != JobKeys(spec).alpha(7)


def test_a_knob_of_minus_nothing_leaves_the_neutral_alphas_key(bench):
    """It is equal to 0.0 and its own alpha has another key: the neutral one is found."""
    spec = make_spec(bench, DrawnPlate(FRAMES[0], FRAMES[-1]), FRAMES)
    spec.sink.depth = Depth.HALF
    signed = replace(spec, knobs=MatteKnobs(black=-0.0))
    assert JobKeys(signed).alpha(7) != JobKeys(spec).alpha(7)
    assert JobKeys(signed).neutral(7) == JobKeys(spec).neutral(7)
