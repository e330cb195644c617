"""Promise 1 as a property: whatever is asked for, wherever and on how many threads, same bits.

Every way of refining, guides, regions, cuts, windows and an engine that looks around its windows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvm_client.settings import MatteKnobs, PlanKind, Refine, WindowSettings
from gvm_server.matting.guides import NO_GUIDES, GuideMattes
from tests.fakes.guide import DrawnGuide
from tests.fakes.plate import DrawnPlate
from tests.support.bench import make_spec, open_bench
from tests.support.threads import threads

SIZES = ((96, 64), (131, 67), (58, 101))  # two to four times the working size of 32, or odd


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A clip and how it is matted.

    Attributes:
        plate: first and last frame, width and height.
        tasks: frames that are asked for together, one task after the other.
        settings: what `make_spec` takes.
    """

    plate: tuple[int, int, int, int]
    tasks: tuple[tuple[int, ...], ...]
    settings: dict[str, object]

    def made(
        self, folder: Path, tasks: tuple[tuple[int, ...], ...], knobs: MatteKnobs, count: int
    ) -> dict[int, bytes]:
        """Return alphas by frame, of tasks one after the other, each with an engine of its own."""
        alphas: dict[int, bytes] = {}
        first, last, width, height = self.plate
        with threads(count), open_bench(folder, threads=count) as bench:
            for frames in tasks:
                plate = DrawnPlate(first, last, width=width, height=height)
                spec = make_spec(bench, plate, frames, knobs=knobs, **self.settings)
                bench.run(spec)
                alphas |= spec.sink.alphas
            assert bench.ended == [None] * len(tasks)
        return alphas


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """Draw a clip, its settings, and some of its frames in some order, as some tasks."""
    first, length = draw(st.integers(-20, 1001)), draw(st.integers(1, 14))
    clip = range(first, first + length)
    wide, high = draw(st.sampled_from(SIZES))
    frames = draw(st.lists(st.sampled_from(clip), min_size=1, unique=True))
    cuts = tuple(sorted(draw(st.sets(st.sampled_from(clip[1:]), max_size=2)))) if clip[1:] else ()
    width = draw(st.integers(1, 6))
    window = WindowSettings(
        frames_per_window=width,
        overlap=draw(st.integers(0, width // 2)),
        decode_chunk=draw(st.integers(0, width)),
        steps=draw(st.integers(1, 2)),
        size=32,
        plan=draw(st.sampled_from(PlanKind)),
    )
    regions = [_region(draw, shot, wide, high) for shot in (first, *cuts) if draw(st.booleans())]
    ends = sorted(draw(st.sets(st.integers(1, len(frames)), max_size=2)) | {0, len(frames)})
    return Asked(
        plate=(clip[0], clip[-1], wide, high),
        tasks=tuple(tuple(frames[a:b]) for a, b in pairwise(ends)),
        settings={
            "window": window,
            "cuts": cuts,
            "reach": draw(st.integers(0, 2)),
            "roi": " ".join(regions),
            "roi_scale": draw(st.sampled_from([1.0, 1.7, 4.0])),
            "guides": _guides(draw, wide, high),
        },
    )


def _region(draw: st.DrawFn, shot: int, wide: int, high: int) -> str:
    x, y = draw(st.integers(-9, wide - 9)), draw(st.integers(-9, high - 9))
    return f"{shot}:{x},{y},{draw(st.integers(10, wide))},{draw(st.integers(10, high))}"


def _guides(draw: st.DrawFn, wide: int, high: int) -> GuideMattes:
    if not draw(st.booleans()):
        return NO_GUIDES
    return GuideMattes(
        garbage=DrawnGuide(1, wide, high),
        holdout=DrawnGuide(2, wide, high) if draw(st.booleans()) else None,
        feather=draw(st.sampled_from([0.0, 3.5])),
    )


@pytest.mark.parametrize("way", Refine)
@settings(max_examples=20)
@given(asked(), st.sampled_from([{}, {"gamma": 1.3, "grow": 1.5, "blur": 0.8}]))
def test_any_range_gives_the_clip_s_own_bits(way: Refine, of: Asked, knobs: dict[str, float]):
    """The clip on one thread; then on two: tasks from nothing, and a restart with its windows."""
    first, last, _, _ = of.plate
    clip = (tuple(range(first, last + 1)),)
    wanted = MatteKnobs(refine=way.value, **knobs)
    with TemporaryDirectory() as folder:
        whole = of.made(Path(folder), clip, wanted, 1)
    parts: dict[int, bytes] = {}
    for task in of.tasks:
        with TemporaryDirectory() as folder:
            parts |= of.made(Path(folder), (task,), wanted, 2)
    with TemporaryDirectory() as folder:
        of.made(Path(folder), clip, replace(wanted, invert=True), 1)
        again = of.made(Path(folder), of.tasks, wanted, 2)
    assert parts == {frame: whole[frame] for task in of.tasks for frame in task}
    assert again == parts
