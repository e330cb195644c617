"""The way of a frame, with real pools, stores and the test engine, over a drawn plate."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, GvmError, InputError, JobCancelled
from gvm_client.regions import parse_regions
from gvm_client.settings import (
    Highlights,
    MatteKnobs,
    ModelSettings,
    PlanKind,
    Refine,
    WindowSettings,
)
from gvm_client.windows import Plan, blends, windows_covering, windows_for
from gvm_server.matting.engines.base import Engine
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.registry import find_engine
from gvm_server.matting.job_spec import JobSpec, working_size_of
from gvm_server.matting.keys import alpha_key, window_key
from gvm_server.matting.lookup import look_up
from gvm_server.matting.pipeline import Pipeline
from gvm_server.matting.region import views_of
from gvm_server.matting.resources import LatentCache, SharedResources
from gvm_server.media.outputs.sinks import Delivery
from gvm_server.media.store.cache import DiskCache
from tests.fakes.plate import DrawnPlate, MemorySink

ENGINE = find_engine("test", ModelSettings(), Machine())


@dataclass(kw_only=True)
class Bench:
    """A server's stores and pools, and what a job on them gave."""

    resources: SharedResources
    delivered: list[Delivery] = field(default_factory=list)
    ended: list[GvmError | None] = field(default_factory=list)

    def run(self, spec: JobSpec, *, engine: Engine | None = None) -> Pipeline:
        """Run an order as the scheduler does, to its end."""
        pipeline, end = self.begin(spec)
        try:
            while not pipeline.exhausted:
                assert pipeline.look_ahead()
                pipeline.run_window(lambda: engine or ENGINE.load(lambda _: None))
        except GvmError as error:
            pipeline.close(error)
        pipeline.close()
        assert end.wait(10)
        return pipeline

    def begin(self, spec: JobSpec) -> tuple[Pipeline, threading.Event]:
        """Return an order's pipeline, and the event of its end."""
        end = threading.Event()

        def on_end(failure: GvmError | None) -> None:
            self.ended.append(failure)
            end.set()

        found = look_up(spec, self.resources.cache)
        return (
            Pipeline(spec, found, self.resources, on_delivery=self.delivered.append, on_end=on_end),
            end,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Stores and pools as a server has them."""
    with open_bench(tmp_path) as bench:
        yield bench


class open_bench:  # noqa: N801 (a context manager)
    """Give a bench with an empty cache below a folder."""

    def __init__(self, folder: Path) -> None:
        self._pools = ThreadPoolExecutor(2), ThreadPoolExecutor(2)
        readers, writers = self._pools
        self._bench = Bench(
            resources=SharedResources(
                cache=DiskCache(folder / "cache", 1 << 30),
                latents=LatentCache(limit_bytes=1 << 20),
                readers=readers,
                writers=writers,
            )
        )

    def __enter__(self) -> Bench:
        return self._bench

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown()


def make_spec(
    bench: Bench, plate: DrawnPlate, frames: tuple[int, ...] | range, **changes: object
) -> JobSpec:
    """Return an order with small windows."""
    window = changes.pop("window", WindowSettings(frames_per_window=5, overlap=2, size=32))
    plan = Plan.of(window, first=plate.first, last=plate.last, cuts=changes.pop("cuts", ()))
    geometry = plate.geometry()
    views = views_of(
        parse_regions(changes.pop("roi", "")),
        changes.pop("roi_scale", 1.0),
        plan,
        geometry,
        working_size_of(geometry, window, ENGINE),
        ENGINE.pad_multiple,
    )
    spec = JobSpec(
        plate=plate,
        plan=plan,
        frames=tuple(frames),
        engine=ENGINE,
        window=window,
        knobs=MatteKnobs(),
        sink=MemorySink(bench.resources.cache),
        geometry=geometry,
        views=views,
    )
    return replace(spec, **changes)


@st.composite
def clips(
    draw: st.DrawFn,
) -> tuple[DrawnPlate, WindowSettings, tuple[int, ...], list[int], MatteKnobs]:
    """Draw a clip, its plan, and some of its frames in some order."""
    first = draw(st.integers(-20, 1001))
    length = draw(st.integers(1, 24))
    width = draw(st.integers(1, 7))
    window = WindowSettings(
        frames_per_window=width,
        overlap=draw(st.integers(0, width // 2)),
        decode_chunk=draw(st.integers(0, width)),
        steps=draw(st.integers(1, 2)),
        size=32,
        plan=draw(st.sampled_from(PlanKind)),
    )
    clip = range(first, first + length)
    cuts = draw(st.sets(st.sampled_from(clip[1:]), max_size=2)) if length > 1 else ()
    frames = draw(st.lists(st.sampled_from(clip), min_size=1, unique=True))
    knobs = MatteKnobs(refine=draw(st.sampled_from(Refine)).value)
    return DrawnPlate(clip[0], clip[-1]), window, tuple(sorted(cuts)), frames, knobs


@settings(max_examples=40, deadline=None)
@given(clips())
def test_any_range_gives_the_clip_s_own_bits(drawn):
    """matte(range) == matte(clip)[range], bit for bit, each from nothing."""
    plate, window, cuts, frames, knobs = drawn
    clip = range(plate.first, plate.last + 1)
    alphas = []
    for asked in (clip, tuple(frames)):
        with TemporaryDirectory() as folder, open_bench(Path(folder)) as bench:
            spec = make_spec(bench, plate, asked, window=window, cuts=cuts, knobs=knobs)
            bench.run(spec)
            assert bench.ended == [None]
            alphas.append(spec.sink.alphas)
    whole, part = alphas
    assert set(part) == set(frames)
    assert all(part[frame] == whole[frame] for frame in frames)


def test_every_frame_is_read_once_and_every_window_runs_once(bench):
    """Overlaps and finishing share one read; counts are what the plan says."""
    plate = DrawnPlate(1, 30)
    spec = make_spec(bench, plate, range(1, 31))
    pipeline = bench.run(spec)
    assert plate.reads == dict.fromkeys(range(1, 31), 1)
    assert pipeline.windows_run == len(list(windows_for(spec.plan, range(1, 31))))
    assert sorted(delivery.frame for delivery in bench.delivered) == list(range(1, 31))
    assert plate.closed


def test_a_second_job_runs_nothing_and_a_changed_frame_runs_its_windows(bench):
    """Same sink: nothing; another sink: copies; a changed frame: the windows that saw it."""
    plate = DrawnPlate(1, 30)
    spec = make_spec(bench, plate, range(1, 31))
    bench.run(spec)
    assert bench.run(spec).windows_run == 0
    elsewhere = replace(spec, sink=MemorySink(bench.resources.cache))
    plate.reads.clear()
    again = bench.run(elsewhere)
    assert (again.windows_run, again.windows_cached, plate.reads) == (0, 0, {})
    assert elsewhere.sink.alphas == spec.sink.alphas
    plate.versions[12] += 1
    plate.reads.clear()
    changed = bench.run(spec)
    assert changed.windows_run == len(windows_covering(spec.plan, 12))
    touched = {f for window in windows_covering(spec.plan, 12) for f in window.frames}
    assert set(plate.reads) == touched


def test_a_knob_runs_no_model_and_does_not_load_one(bench):
    """Window alphas come from the cache; the engine is not asked for."""
    plate = DrawnPlate(1, 20)
    bench.run(make_spec(bench, plate, range(1, 21)))
    spec = make_spec(bench, plate, range(1, 21), knobs=MatteKnobs(gamma=1.3))
    pipeline, end = bench.begin(spec)

    def load() -> Engine:
        raise AssertionError("the engine was loaded")

    while not pipeline.exhausted:
        pipeline.look_ahead()
        pipeline.run_window(load)
    pipeline.close()
    assert end.wait(10)
    assert (pipeline.windows_run, len(spec.sink.alphas)) == (0, 20)


def test_a_job_holds_a_bounded_number_of_frames(bench):
    """With writers that do not move, reading stops after the horizon and the room."""
    plate = DrawnPlate(1, 400)
    spec = make_spec(bench, plate, range(1, 401))
    gate = threading.Event()
    writers = bench.resources.writers
    for _ in range(2):
        writers.submit(gate.wait)
    pipeline, end = bench.begin(spec)
    engine = ENGINE.load(lambda _: None)

    def work() -> None:
        while not pipeline.exhausted:
            pipeline.look_ahead()
            pipeline.run_window(lambda: engine)
        pipeline.close()

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.5)
    width = spec.window.frames_per_window
    assert len(plate.reads) <= 5 * width, "reading ran away from the writers"
    gate.set()
    thread.join(20)
    assert end.wait(10)
    assert len(spec.sink.alphas) == 400


def test_a_frame_that_cannot_be_read_ends_the_job_and_what_is_finished_stays(bench):
    """The failure is the reader's own; earlier frames are delivered."""
    plate = DrawnPlate(1, 30)
    read = plate.read

    def broken(frame: int):
        if frame == 20:
            raise InputError("Frame 20 is broken.", frame=20)
        return read(frame)

    plate.read = broken
    spec = make_spec(bench, plate, range(1, 31))
    bench.run(spec)
    (failure,) = bench.ended
    assert failure.frame == 20
    done = {frame for frame in spec.frames if windows_covering(spec.plan, frame)[-1].last < 20}
    assert set(spec.sink.alphas) == done
    assert len(done) > 10


def test_a_sink_that_cannot_write_ends_the_job(bench):
    """A writer's failure is the job's; the first one is told, once."""
    plate = DrawnPlate(1, 60)
    spec = make_spec(bench, plate, range(1, 61))

    def full(alpha):
        raise OSError(28, "No space left on device")

    spec.sink.put = full
    bench.run(spec)
    (failure,) = bench.ended
    assert failure.code is ErrorCode.DISK_FULL


def test_cancel_ends_between_the_steps_of_a_window(bench):
    """A cancel while the engine denoises: the window is not decoded, nothing more is written."""
    plate = DrawnPlate(1, 60)
    spec = make_spec(bench, plate, range(1, 61))
    pipeline, end = bench.begin(spec)
    engine = ENGINE.load(lambda _: None)
    denoise = engine.denoise

    def cancelled(latents, *, steps):
        pipeline.fail(JobCancelled("Cancelled on request."))
        return denoise(latents, steps=steps)

    engine.denoise = cancelled
    pipeline.look_ahead()
    with pytest.raises(JobCancelled):
        pipeline.run_window(lambda: engine)
    pipeline.close()
    assert end.wait(10)
    assert spec.sink.alphas == {}


def test_the_playhead_s_frame_comes_first(bench):
    """The windows that cover the playhead run before the others."""
    plate = DrawnPlate(1, 60)
    bench.run(make_spec(bench, plate, range(1, 61), playhead=40))
    assert {delivery.frame for delivery in bench.delivered[:2]} <= set(range(35, 46))


def test_missing_frames_are_named_before_any_work(bench):
    """All that the windows of the asked-for frames need, and no others."""
    plate = DrawnPlate(1, 60)
    plate.gone = {3, 22, 23, 50}
    spec = make_spec(bench, plate, range(20, 26))
    with pytest.raises(InputError, match="22-23") as caught:
        look_up(spec, bench.resources.cache)
    assert "50" not in caught.value.message
    assert not plate.reads


def test_a_window_on_its_way_to_the_cache_is_not_made_again(bench):
    """A second job takes it from memory while the writers have not come to it."""
    plate = DrawnPlate(1, 5)
    gate = threading.Event()
    first, first_end = bench.begin(make_spec(bench, plate, range(1, 6)))
    for _ in range(2):
        bench.resources.writers.submit(gate.wait)
    engine = ENGINE.load(lambda _: None)
    first.look_ahead()
    first.run_window(lambda: engine)
    second, second_end = bench.begin(make_spec(bench, plate, range(1, 6)))
    second.look_ahead()
    second.run_window(lambda: engine)
    assert (first.windows_run, second.windows_run, second.windows_cached) == (1, 0, 1)
    gate.set()
    for pipeline, end in ((first, first_end), (second, second_end)):
        pipeline.close()
        assert end.wait(10)
    assert bench.resources.fresh == {}


def test_what_the_model_sees_is_in_the_windows_key_and_the_finish_is_not(bench):
    """Exposure and highlights run the model again; a level does not; the reference plan clips."""
    spec = make_spec(bench, DrawnPlate(1, 5), range(1, 6))
    (window,) = {blend.window for blend in blends(spec.plan, 1)}

    def changed(**knobs: object) -> tuple[bool, bool]:
        other = replace(spec, knobs=MatteKnobs(**knobs))
        same = window_key(other, window) == window_key(spec, window)
        return not same, alpha_key(other, 1) != alpha_key(spec, 1)

    assert changed(exposure=1.0) == (True, True)
    assert changed(highlights="clip") == (True, True)
    assert changed(gamma=1.2) == (False, True)
    reference = replace(spec.window, plan=PlanKind.REFERENCE)
    assert replace(spec, window=reference).tone_mapping.highlights is Highlights.CLIP


@settings(max_examples=25, deadline=None)
@given(clips(), st.data())
def test_any_range_of_a_clip_with_regions_gives_its_own_bits(drawn, data):
    """Each shot with a region of its own or none, at any scale; other threads, from nothing."""
    plate, window, cuts, frames, knobs = drawn
    texts = []
    for first in (plate.first, *cuts):
        x, y = data.draw(st.integers(-4, 11)), data.draw(st.integers(-4, 7))
        width, height = data.draw(st.integers(5, 12)), data.draw(st.integers(5, 12))
        if data.draw(st.booleans()):
            texts.append(f"{first}:{x},{y},{width},{height}")
    scale = data.draw(st.sampled_from([1.0, 1.7, 4.0]))
    alphas = []
    for asked in (range(plate.first, plate.last + 1), tuple(frames)):
        with TemporaryDirectory() as folder, open_bench(Path(folder)) as bench:
            spec = make_spec(
                *(bench, plate, asked),
                window=window,
                cuts=cuts,
                knobs=knobs,
                roi=" ".join(texts),
                roi_scale=scale,
            )
            bench.run(spec)
            assert bench.ended == [None]
            alphas.append(spec.sink.alphas)
    whole, part = alphas
    assert all(part[frame] == whole[frame] for frame in frames)


def test_a_region_changes_the_shots_that_it_holds_in_and_no_other(bench):
    """Windows of the shots before it come from the cache of a job without a region."""
    plate = DrawnPlate(1, 20, width=96, height=64)
    window = WindowSettings(frames_per_window=5, overlap=2, size=32)
    whole = make_spec(bench, plate, range(1, 21), window=window, cuts=(11,))
    bench.run(whole)
    cut = make_spec(bench, plate, range(1, 21), window=window, cuts=(11,), roi="11:8,8,24,24")
    again = bench.run(cut)
    assert (again.windows_run, plate.reads[5], plate.reads[15]) == (3, 1, 2)
    assert all(cut.sink.alphas[frame] == whole.sink.alphas[frame] for frame in range(1, 11))
    assert all(cut.sink.alphas[frame] != whole.sink.alphas[frame] for frame in range(11, 21))
    told = {one.frame: one.roi_cut for one in bench.delivered}  # noise touches every side
    assert (told[5], told[15]) == ("", "left top right bottom")
    bench.delivered.clear()
    bench.run(replace(cut, sink=MemorySink(bench.resources.cache)))
    assert {one.roi_cut for one in bench.delivered if one.frame > 10} == {told[15]}
