"""Who is prepared first, that the urgent always find a thread, and the engine as a job runs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from gvm_client.settings import Priority, WindowSettings
from gvm_server.matting.engines import test as test_engine
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.matting.keys import JobKeys
from gvm_server.matting.working_size import WorkingSize
from gvm_server.service import prepare
from gvm_server.service.job import STEPS, Phase, step
from gvm_server.service.prepare import SHARES, PreparationPool
from tests.support.resources import WINDOW, open_resources, request_in
from tests.support.serving import until


@pytest.fixture
def preparing() -> Iterator[PreparationPool]:
    """Threads that prepare."""
    with closing(PreparationPool()) as preparing:
        yield preparing


def test_the_urgent_find_a_thread_whatever_is_being_hashed(preparing: PreparationPool):
    """Ten clips of a farm, then ten ranges, then a playhead: each kind begins at once."""
    go = threading.Event()
    begun: list[Priority] = []

    def hashing(priority: Priority) -> None:
        begun.append(priority)
        assert go.wait(10)

    for priority in (Priority.BATCH, Priority.RANGE, Priority.INTERACTIVE):
        for _ in range(10):
            preparing.submit(lambda priority=priority: hashing(priority), priority)
        assert until(lambda priority=priority: priority in begun)
        assert begun.count(Priority.BATCH) <= SHARES[Priority.BATCH]
        assert len(begun) - begun.count(Priority.INTERACTIVE) <= SHARES[Priority.RANGE]
    go.set()
    assert until(lambda: len(begun) == 30)


def test_the_most_urgent_goes_first_and_equals_in_the_order_asked(preparing: PreparationPool):
    """Of those that wait."""
    go = threading.Event()
    done: list[str] = []
    for _ in range(max(SHARES.values())):
        preparing.submit(lambda: bool(go.wait(10)), Priority.INTERACTIVE)
    one_at_a_time = threading.Lock()
    for name, priority in (
        *(("b1", Priority.BATCH), ("r1", Priority.RANGE), ("i1", Priority.INTERACTIVE)),
        *(("r2", Priority.RANGE), ("b2", Priority.BATCH)),
    ):

        def note(name: str = name) -> None:
            with one_at_a_time:
                done.append(name)

        preparing.submit(note, priority)
    go.set()
    assert until(lambda: len(done) == 5)
    assert done.index("i1") < done.index("b1")
    assert [name for name in done if name.startswith("b")] == ["b1", "b2"]


def test_closing_does_what_was_submitted():
    """A job that was taken hears how it ended."""
    done: list[int] = []
    with closing(PreparationPool()) as preparing:
        for number in range(20):
            preparing.submit(lambda number=number: done.append(number), Priority.BATCH)
    assert sorted(done) == list(range(20))


def test_a_job_goes_only_the_ways_of_the_table():
    """Every other step is a defect that is found at once."""
    for now in Phase:
        for following in Phase:
            if following in STEPS[now]:
                assert step(now, following) is following
            else:
                with pytest.raises(ValueError, match=now.value):
                    step(now, following)


def test_the_engine_of_a_job_is_known_before_its_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It is told the job's window and sizes once; what it makes of them is in maker and notes."""
    plain, asked = test_engine.info(), []

    def for_job(window: WindowSettings, sizes: list[WorkingSize]) -> EngineInfo:
        asked.append((window, [(size.padded_height, size.padded_width) for size in sizes]))
        return replace(plain, maker=lambda: (("step", "fast"),), notes=("One step is not taken.",))

    chosen = replace(plain, for_job=for_job)
    monkeypatch.setattr(prepare, "find_engine", lambda *_: chosen)
    with open_resources(tmp_path) as (_, site):
        request = request_in(tmp_path)
        made = prepare.prepare(request, request.window, site, lambda _: None)
    assert asked == [(WINDOW, [(32, 64)])]
    assert JobKeys(made.spec).maker == "step: fast"
    assert "One step is not taken." in made.notes
