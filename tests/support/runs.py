"""A request run to its end in this process, as the scheduler does, over real files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import Matte
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.matting.lookup import CacheLookup, look_up
from gvm_server.matting.pipeline import Pipeline
from gvm_server.matting.resources import SharedResources
from gvm_server.media.outputs.sinks import Delivery
from gvm_server.service.prepare import ServerContext, prepare


@dataclass(kw_only=True)
class Run:
    """What a job did."""

    failure: GvmError | None = None
    found: CacheLookup | None = None
    windows_run: int = 0
    notes: tuple[str, ...] = ()
    delivered: list[Delivery] = field(default_factory=list)


def run(
    request: Matte,
    resources: SharedResources,
    site: ServerContext,
    *,
    engine: Callable[[EngineInfo], EngineInfo] = lambda info: info,
) -> Run:
    """Run a request; `engine` may change what is known of the engine."""
    done = Run()
    try:
        spec = prepare(request, request.window, site, lambda _: None).spec
        spec = replace(spec, engine=engine(spec.engine))
        done.found = look_up(spec, resources.cache)
    except GvmError as error:
        done.failure = error
        return done
    ended = threading.Event()

    def on_end(failure: GvmError | None) -> None:
        done.failure = failure
        ended.set()

    pipeline = Pipeline(
        spec, done.found, resources, on_delivery=done.delivered.append, on_end=on_end
    )
    try:
        while not pipeline.exhausted:
            assert pipeline.look_ahead()
            pipeline.run_window(lambda: spec.engine.load(lambda _: None))
    except GvmError as error:
        pipeline.close(error)
    pipeline.close()
    assert ended.wait(60)
    done.windows_run, done.notes = pipeline.windows_run, pipeline.notes
    return done
