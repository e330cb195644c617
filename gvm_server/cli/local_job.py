"""A clip prepared in this process, for commands that look at some frames without a server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gvm_client.protocol.messages import Matte
from gvm_server.cli.cache import cache_in_use
from gvm_server.matting.engines.base import Engine
from gvm_server.matting.job_spec import JobSpec
from gvm_server.media.file_access import Roots
from gvm_server.service.prepare import ServerContext, prepare
from gvm_server.settings import ServerSettings
from gvm_server.threads import share_cores


@contextmanager
def local_job(request: Matte) -> Iterator[tuple[JobSpec, Engine]]:
    """Open a request's clip and load its engine for the block.

    Raises:
        GvmError: the plate, the settings or the engine is wrong.
    """
    share_cores()
    settings = ServerSettings.from_environment()
    with tempfile.TemporaryDirectory(prefix="gvm-") as folder:
        context = ServerContext(
            roots=Roots(settings.root),
            cache=cache_in_use()[0],
            buffers=Path(folder),
            machine=settings.machine,
        )
        spec = prepare(request, request.window, context, lambda _: None).spec
        try:
            engine = spec.engine.load(lambda _: None)
            yield spec, engine
            engine.release()
        finally:
            spec.close()
