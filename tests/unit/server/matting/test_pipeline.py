"""The way of a frame, with real pools, stores and the test engine, over a drawn plate."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from gvm_client.errors import EngineError, ErrorCode, InputError, JobCancelled
from gvm_client.settings import Depth, Highlights, MatteKnobs, PlanKind, WindowSettings
from gvm_client.windows import blends, windows_covering, windows_for
from gvm_server.matting.engines.base import Engine, Image, Latent
from gvm_server.matting.keys import JobKeys
from gvm_server.matting.lookup import look_up
from tests.fakes.plate import DrawnPlate, MemorySink
from tests.support.bench import ENGINE, Bench, make_spec, open_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Stores and pools as a server has them."""
    with open_bench(tmp_path) as bench:
        yield bench


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


KNOBS = MatteKnobs(black=0.1, gamma=1.3, grow=2.0)


def test_a_knob_reads_neither_plate_nor_windows(bench):
    """What is before it is kept; its own alphas are those that are made from nothing."""
    plate = DrawnPlate(1, 20)
    bench.run(make_spec(bench, plate, range(1, 21)))
    turned = make_spec(bench, plate, range(1, 21), knobs=KNOBS)
    shutil.rmtree(bench.resources.cache.root / "windows")
    plate.reads.clear()
    pipeline = bench.run(turned)
    assert (pipeline.windows_run, pipeline.windows_cached, plate.reads) == (0, 0, {})
    with TemporaryDirectory() as folder, open_bench(Path(folder)) as fresh:
        anew = make_spec(fresh, plate, range(1, 21), knobs=KNOBS)
        fresh.run(anew)
        assert anew.sink.alphas == turned.sink.alphas
        plate.reads.clear()
        plain = make_spec(fresh, plate, range(1, 21))
        assert (fresh.run(plain).windows_run, plate.reads) == (0, {}), "and the other way about"


def test_what_is_before_the_knobs_is_the_file_of_a_job_without_any(bench, tmp_path):
    """To the byte, so that it is delivered to whoever asks for that; guides are none of it."""
    plate = DrawnPlate(1, 3)

    def files(of: Bench, knobs: MatteKnobs) -> set[bytes]:
        spec = make_spec(of, plate, range(1, 4), knobs=knobs)
        spec.sink.depth = Depth.HALF
        of.run(spec)
        return {path.read_bytes() for path in of.resources.cache.root.rglob("*.exr")}

    with open_bench(tmp_path / "other") as other:
        turned, plain = files(bench, KNOBS), files(other, MatteKnobs())
    assert (len(turned), len(plain)) == (6, 3)
    assert turned > plain


def test_a_damaged_alpha_before_knobs_is_made_again(bench):
    """It is found when it is taken: its frame is lost then, and a second look makes it."""
    plate = DrawnPlate(1, 6)
    bench.run(make_spec(bench, plate, range(1, 7)))
    spec = make_spec(bench, plate, range(1, 7), knobs=KNOBS)
    before = look_up(spec, bench.resources.cache)
    assert set(before.neutral) == set(range(1, 7))
    for path in bench.resources.cache.root.rglob("*.exr"):
        path.write_bytes(path.read_bytes()[:-1])
    pipeline = bench.run(spec)
    assert set(pipeline.lost) == set(range(1, 7))
    assert "6 cached alphas were damaged and made again" in pipeline.notes[0]
    assert set(look_up(spec, bench.resources.cache, lost=pipeline.lost).to_make) == set(range(1, 7))


def test_the_reference_plan_keeps_nothing_before_knobs(bench):
    """It keeps its floats: a knob works on them."""
    plate, window = DrawnPlate(1, 4), WindowSettings(plan=PlanKind.REFERENCE, size=32)
    bench.run(make_spec(bench, plate, range(1, 5), window=window))
    spec = make_spec(bench, plate, range(1, 5), window=window, knobs=KNOBS)
    assert not look_up(spec, bench.resources.cache).neutral
    assert bench.run(spec).windows_cached == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_frames_are_encoded_once_and_ahead_where_the_engine_allows_it(bench, threads):
    """In parallel as one after the other; a window's failure waits for its turn."""
    plate = DrawnPlate(1, 30)
    counted: Counter[int] = Counter()
    real = ENGINE.load(lambda _: None)

    class Counting(type(real)):
        def encode(self, frame: Image) -> Latent:
            counted[threading.get_ident()] += 1
            return super().encode(frame)

    parallel = replace(ENGINE, parallel=threads > 1)
    spec = make_spec(bench, plate, range(1, 31), engine=parallel)
    with open_bench(bench.resources.cache.root.parent / "other") as other:
        plain = make_spec(other, plate, range(1, 31))
        other.run(plain)
    bench.run(spec, engine=Counting(real._faults))
    assert spec.sink.alphas == plain.sink.alphas
    assert sum(counted.values()) == 30
    assert (len(counted) > 1) is (threads > 1)


def test_a_knob_runs_no_model_and_does_not_load_one(bench):
    """The engine is not asked for."""
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
    plate = DrawnPlate(1, 100)
    spec = make_spec(bench, plate, range(1, 101))
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
    assert len(spec.sink.alphas) == 100


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


def test_latents_of_a_window_that_failed_are_not_kept(bench):
    """One may turn out wrong only when it is wanted: the next try encodes its frames again."""
    plate = DrawnPlate(1, 10)
    spec = make_spec(bench, plate, range(1, 11))
    pipeline, end = bench.begin(spec)
    engine = ENGINE.load(lambda _: None)
    held = []

    def fails(latents, *, steps):
        held.append(bench.resources.latents.nbytes)
        raise EngineError("The encode stage gave NaN.")

    engine.denoise = fails
    pipeline.look_ahead()
    with pytest.raises(EngineError):
        pipeline.run_window(lambda: engine)
    assert held[0] > 0
    assert bench.resources.latents.nbytes == 0
    pipeline.fail(EngineError("The encode stage gave NaN."))
    pipeline.close()
    assert end.wait(10)


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
        other, own = JobKeys(replace(spec, knobs=MatteKnobs(**knobs))), JobKeys(spec)
        same = other.window(window) == own.window(window)
        return not same, other.alpha(1) != own.alpha(1)

    assert changed(exposure=1.0) == (True, True)
    assert changed(highlights="clip") == (True, True)
    assert changed(gamma=1.2) == (False, True)
    reference = replace(spec.window, plan=PlanKind.REFERENCE)
    assert replace(spec, window=reference).tone_mapping.highlights is Highlights.CLIP


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
