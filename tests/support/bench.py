"""A server's stores and pools in this process, and jobs that run on them over a drawn plate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gvm_client.errors import GvmError
from gvm_client.regions import parse_regions
from gvm_client.settings import MatteKnobs, ModelSettings, WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.engines.base import Engine
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.registry import find_engine
from gvm_server.matting.job_spec import JobSpec, working_size_of
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


@contextmanager
def open_bench(folder: Path, *, threads: int = 2) -> Iterator[Bench]:
    """Give a bench whose cache lies below a folder, with so many readers and writers each."""
    with ThreadPoolExecutor(threads) as readers, ThreadPoolExecutor(threads) as writers:
        yield Bench(
            resources=SharedResources(
                cache=DiskCache(folder / "cache", 1 << 30),
                latents=LatentCache(limit_bytes=1 << 20),
                readers=readers,
                writers=writers,
            )
        )


def make_spec(
    bench: Bench, plate: DrawnPlate, frames: tuple[int, ...] | range, **changes: object
) -> JobSpec:
    """Return an order with small windows; the engine sees `reach` frames around each."""
    window = changes.pop("window", WindowSettings(frames_per_window=5, overlap=2, size=32))
    reach, cuts = changes.pop("reach", 0), changes.pop("cuts", ())
    plan = Plan.of(window, first=plate.first, last=plate.last, cuts=cuts, reach=reach)
    geometry = plate.geometry()
    views = views_of(
        parse_regions(changes.pop("roi", "")),
        changes.pop("roi_scale", 1.0),
        plan,
        geometry,
        working_size_of(geometry, window, ENGINE.pad_multiple),
        ENGINE.pad_multiple,
    )
    spec = JobSpec(
        plate=plate,
        plan=plan,
        frames=tuple(frames),
        engine=replace(ENGINE, reach=reach),
        window=window,
        knobs=MatteKnobs(),
        sink=MemorySink(bench.resources.cache),
        geometry=geometry,
        views=views,
    )
    return replace(spec, **changes)
