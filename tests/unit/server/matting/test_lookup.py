"""What of a job stands: found a few frames at a time, in the order of service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from gvm_client.errors import InputError
from gvm_client.windows import windows_covering, windows_for
from gvm_server.matting.keys import JobKeys
from gvm_server.matting.lookup import look_up
from gvm_server.media.plates.base import AT_A_TIME
from tests.fakes.plate import DrawnPlate
from tests.support.bench import Bench, make_spec, open_bench

CLIP = range(1, 4 * AT_A_TIME)
REQUESTS = {
    "all": tuple(CLIP),
    "one": (50,),
    "every seventh": tuple(CLIP[::7]),
    "backwards, with a gap": (*reversed(CLIP[40:]), *CLIP[:3]),
}


class AnnouncedPlate(DrawnPlate):
    """A plate that remembers which frames' keys it was told of, and those that it was not."""

    def __init__(self, first: int, last: int) -> None:
        super().__init__(first, last)
        self.told: set[int] = set()
        self.surprises: set[int] = set()

    def look_ahead(self, frames: Sequence[int]) -> None:
        """Remember them."""
        assert len(frames) == len(set(frames))
        self.told |= set(frames)

    def key(self, frame: int) -> bytes:
        """Return a frame's key."""
        self.surprises |= {frame} - self.told
        return super().key(frame)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Stores as a server has them."""
    with open_bench(tmp_path) as bench:
        yield bench


@pytest.mark.parametrize("reach", [0, 2])
@pytest.mark.parametrize("asked", REQUESTS)
def test_files_are_looked_at_before_their_keys_and_no_others(bench, asked, reach):
    """Of frames in a row all that their windows see; where there are gaps some come one by one."""
    frames = REQUESTS[asked]
    plate = AnnouncedPlate(CLIP[0], CLIP[-1])
    spec = make_spec(bench, plate, frames, reach=reach)
    found = look_up(spec, bench.resources.cache)
    assert set(found.to_make) == set(frames)
    needed = {
        frame
        for window in found.windows
        for frame in range(window.first - reach, window.last + reach + 1)
    }
    assert plate.told <= needed & set(CLIP)
    assert set(frames) <= plate.told
    if asked in ("all", "one"):
        assert not plate.surprises


@pytest.mark.parametrize("playhead", [None, 50, 90])
@pytest.mark.parametrize("asked", REQUESTS)
def test_windows_are_each_once_in_the_order_of_service(bench, asked, playhead):
    """Those of the playhead first, where it is asked for; then ascending."""
    frames = REQUESTS[asked]
    plate = DrawnPlate(CLIP[0], CLIP[-1])
    spec = make_spec(bench, plate, frames, playhead=playhead)
    windows = list(look_up(spec, bench.resources.cache).windows)
    first = windows_covering(spec.plan, playhead) if playhead in frames else ()
    assert windows[: len(first)] == list(first)
    others = [one for one in windows_for(spec.plan, sorted(frames)) if one not in first]
    assert windows[len(first) :] == others


def test_windows_that_lie_in_the_cache_are_counted(bench):
    """Across the frames that are looked at together, each window once."""
    spec = make_spec(bench, DrawnPlate(CLIP[0], CLIP[-1]), CLIP)
    keys, windows = JobKeys(spec), list(windows_for(spec.plan, CLIP))
    for window in windows[::3]:
        alphas = np.zeros((len(window), 32, 32), np.float16)
        bench.resources.cache.add_window(keys.window(window), alphas)
    found = look_up(spec, bench.resources.cache)
    assert found.windows_cached == set(windows[::3])
    assert len(found.windows) == len(windows)


@pytest.mark.parametrize(
    ("frames", "says"),
    [((500,), "Frame 500 lies outside"), ((500, 7, 501), "Frames 500-501 lie outside")],
)
def test_frames_outside_the_clip_are_named(bench, frames, says):
    """One is one, and several are several."""
    spec = make_spec(bench, DrawnPlate(CLIP[0], CLIP[-1]), frames)
    with pytest.raises(InputError, match=says):
        look_up(spec, bench.resources.cache)


@pytest.mark.parametrize(
    ("gone", "says"),
    [({9}, "Frame 9 of drawn is missing; .* need it"), ({9, 10}, "Frames 9-10 .* are missing;")],
)
def test_frames_that_are_missing_are_named(bench, gone, says):
    """Those that a window of the frames asked for sees."""
    plate = DrawnPlate(CLIP[0], CLIP[-1])
    plate.name, plate.gone = "drawn", gone
    with pytest.raises(InputError, match=says):
        look_up(make_spec(bench, plate, (8,)), bench.resources.cache)
