"""What a scheduler works with: a server's stores and pools, and requests with the test engine."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from gvm_client.protocol.messages import EngineName, FileOutput, FilePlate, Matte
from gvm_client.settings import Priority, WindowSettings
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.resources import LatentCache, SharedResources
from gvm_server.media.file_access import Roots
from gvm_server.media.store.cache import DiskCache
from gvm_server.service.prepare import ServerContext
from tests.support.plates import write_plate

FRAMES = tuple(range(1, 13))
WINDOW = WindowSettings(frames_per_window=6, overlap=2, size=32)


@contextmanager
def open_resources(folder: Path) -> Iterator[tuple[SharedResources, ServerContext]]:
    """Give a server's stores and pools below a folder, and where it may read and write."""
    cache = DiskCache(folder / "cache", 1 << 30)
    with ThreadPoolExecutor(2) as readers, ThreadPoolExecutor(2) as writers:
        latents = LatentCache(limit_bytes=1 << 20)
        resources = SharedResources(cache=cache, latents=latents, readers=readers, writers=writers)
        site = ServerContext(roots=Roots(), cache=cache, buffers=folder, machine=Machine())
        yield resources, site


def request_in(folder: Path, *, out: str = "out", priority: Priority = Priority.RANGE) -> Matte:
    """Return a request for the alphas of a plate that stands below a folder, or is put there."""
    plate = folder / "plate" / "plate.%04d.exr"
    if not plate.parent.exists():
        write_plate(plate.parent, FRAMES, width=48, height=32)
    return Matte(
        job=uuid.uuid4().hex,
        plate=FilePlate(path=str(plate)),
        output=FileOutput(path=str(folder / out)),
        window=WINDOW,
        engine=EngineName.TEST,
        priority=priority,
    )
