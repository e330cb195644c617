"""A request run to its end in this process, as the scheduler does, over real files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import Matte
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.matting.lookup import Survey, survey
from gvm_server.matting.pipeline import Pipeline, Shop
from gvm_server.media.outputs.sinks import Delivery
from gvm_server.service.prepare import ServerContext, prepare


@dataclass(kw_only=True)
class Run:
    """What a job did."""

    failure: GvmError | None = None
    found: Survey | None = None
    windows_run: int = 0
    notes: tuple[str, ...] = ()
    delivered: list[Delivery] = field(default_factory=list)


def run(
    request: Matte,
    shop: Shop,
    site: ServerContext,
    *,
    engine: Callable[[EngineInfo], EngineInfo] = lambda info: info,
) -> Run:
    """Run a request; `engine` may change what is known of the engine."""
    done = Run()
    try:
        order = prepare(request, request.window, site, lambda _: None).order
        order = replace(order, engine=engine(order.engine))
        done.found = survey(order, shop.cache)
    except GvmError as error:
        done.failure = error
        return done
    ended = threading.Event()

    def on_end(failure: GvmError | None) -> None:
        done.failure = failure
        ended.set()

    pipeline = Pipeline(order, done.found, shop, on_delivery=done.delivered.append, on_end=on_end)
    try:
        while not pipeline.exhausted:
            assert pipeline.look_ahead()
            pipeline.run_window(lambda: order.engine.load(lambda _: None))
    except GvmError as error:
        pipeline.close(error)
    pipeline.close()
    assert ended.wait(60)
    done.windows_run, done.notes = pipeline.windows_run, pipeline.notes
    return done
