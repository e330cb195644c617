"""The server process: it joins sockets, scheduler and thread pools, and ends them in order."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from gvm_client import __version__
from gvm_client.errors import ErrorCode, RemoteProtocolError, ServerError
from gvm_client.folders import LOG_NAME, pixels_dir
from gvm_client.pixels import sweep
from gvm_client.platform import end_signals
from gvm_client.protocol.messages import (
    Cancel,
    GiveFrames,
    JobEvent,
    Matte,
    Ok,
    Ping,
    Pong,
    Release,
    Reply,
    ServerStatus,
    Status,
    Stop,
)
from gvm_client.protocol.wire import Envelope
from gvm_server.hostmemory import give_back, resident_bytes
from gvm_server.matting.engines.machine import device_memory, device_name
from gvm_server.matting.resources import LatentCache, SharedResources
from gvm_server.media.file_access import Roots
from gvm_server.media.store.cache import DiskCache
from gvm_server.service.endpoint import Endpoint
from gvm_server.service.log import rotate
from gvm_server.service.owner import end_with
from gvm_server.service.prepare import PreparationPool, ServerContext
from gvm_server.service.replies import page
from gvm_server.service.scheduler import Scheduler, leaving
from gvm_server.settings import ServerSettings

GIVE_BACK_SECONDS = 1.0  # without a job: the next frame of a playhead comes sooner
SWEEP_SECONDS = 5.0  # how soon a dead host's buffers, which may be memory, are removed

_LOG = logging.getLogger(__name__)


class SocketChannel:
    """The way to the client that made a request."""

    def __init__(self, endpoint: Endpoint, *, peer: bytes, request: str) -> None:
        self._endpoint = endpoint
        self._peer = peer
        self._request = request

    def send(self, event: JobEvent) -> None:
        """Say something; any thread may."""
        self._endpoint.send(self._peer, event, request=self._request)

    def wait_for_room(self) -> bool:
        """Wait until most of what was said has been heard; return whether it was."""
        return self._endpoint.wait_for_room(self._peer)


class Server:
    """What the server does with what it hears; runs on the endpoint's thread.

    Args:
        endpoint: the sockets.
        scheduler: whose turn it is.
        resources: stores and pools.
        settings: how long it stays without jobs, and keeps a model.
        buffers: the run-time folder's `pixels/`; what a dead host left there is removed.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        scheduler: Scheduler,
        resources: SharedResources,
        settings: ServerSettings,
        buffers: Path,
    ) -> None:
        self._endpoint = endpoint
        self._scheduler = scheduler
        self._resources = resources
        self._idle_seconds = settings.idle_seconds
        self._device = settings.engines.device
        self._unload_seconds = settings.unload_seconds
        self._buffers = buffers
        self._started = time.monotonic()
        self._sweep_at = self._started + SWEEP_SECONDS
        self._leaving = False
        self._gave_back = True

    def on_work(self, peer: bytes, envelope: Envelope) -> None:
        """Take a job, or the pixels that one needs."""
        message = envelope.message
        if isinstance(message, Matte):
            self._ask(message, peer, envelope.request)
        elif isinstance(message, GiveFrames):
            self._scheduler.give(message)

    def _ask(self, message: Matte, peer: bytes, request: str) -> None:
        channel = SocketChannel(self._endpoint, peer=peer, request=request)
        try:
            if self._leaving:
                raise leaving()
            self._scheduler.ask(message, peer=peer, channel=channel)
        except ServerError as error:
            if error.code is ErrorCode.SERVER_LOST:  # who hears it looks for the next server
                self._endpoint.retire()
            raise

    def on_control(self, peer: bytes, envelope: Envelope) -> Reply:
        """Answer at once; nothing here waits for a window."""
        del peer  # whoever holds the key may look and cancel
        match envelope.message:
            case Ping():
                return Pong(pid=os.getpid(), version=__version__)
            case Status():
                return self._status()
            case Cancel(job=job):
                self._scheduler.cancel(job, reason="Cancelled on request.")
                return Ok(note=f"Job {job} ends.")
            case Release():
                self._scheduler.release()
                return Ok(note="The device's memory is given back when no window runs.")
            case Stop():
                self.leave()
                return Ok(note="The server ends.")
        raise RemoteProtocolError(
            f"{type(envelope.message).__name__} is no request of the control socket.",
            code=ErrorCode.ILLEGAL_MOVE,
        )

    def on_tick(self) -> None:
        """Beat every job's heart; leave when told to, or when nobody has asked for long."""
        self._scheduler.beat()
        if time.monotonic() > self._sweep_at:
            self._sweep_at = time.monotonic() + SWEEP_SECONDS
            self._resources.writers.submit(sweep, self._buffers)
            rotate(self._buffers.with_name(LOG_NAME))
        quiet = self._scheduler.quiet_seconds
        if quiet < GIVE_BACK_SECONDS:
            self._gave_back = False
        elif not self._gave_back:
            self._gave_back = True
            self._resources.writers.submit(give_back)
        if self._scheduler.engine_loaded and 0 < self._unload_seconds < quiet:
            self._scheduler.release()
        idle = 0 < self._idle_seconds < quiet
        if self._leaving or idle:
            _LOG.info("Leaving%s.", " after no job for long" if idle else "")
            self._endpoint.retire()
            self._scheduler.stop()
            self._leaving, self._idle_seconds = False, 0

    def leave(self) -> None:
        """End every job, then the server, at the next tick; a signal handler may call it."""
        self._leaving = True

    def on_unreachable(self, peer: bytes) -> None:
        """End what a client that has gone was waiting for."""
        self._scheduler.lost(peer)

    def _status(self) -> ServerStatus:
        used, free = device_memory(self._device)
        cache = self._resources.cache
        return ServerStatus(
            pid=os.getpid(),
            version=__version__,
            seconds_up=time.monotonic() - self._started,
            device=device_name(self._device),
            engine_loaded=self._scheduler.engine_loaded,
            licence=self._scheduler.licence,
            memory_bytes=resident_bytes(),
            device_used_bytes=used,
            device_free_bytes=free,
            cache_limit_bytes=self._resources.cache.limit_bytes,
            cache_path=str(cache.root),
            cache_bytes=cache.size_bytes,
            jobs=page(self._scheduler.summaries()),
        )


def serve(
    settings: ServerSettings, folder: Path, *, log: str = "", owner: int | None = None
) -> None:
    """Serve until told to stop, by a message, a signal or the idle limit.

    Args:
        settings: what this machine sets.
        folder: the run-time folder.
        log: where the log goes, for the connection file.
        owner: the pipe of the one command that it is there for; None where it is shared.

    Raises:
        ServerError: another server owns the folder, or it is not private.
    """
    with _pools(settings) as (readers, writers), closing(PreparationPool()) as preparing:
        resources = SharedResources(
            cache=DiskCache(settings.cache_dir, settings.cache_limit_bytes),
            latents=LatentCache(limit_bytes=settings.latent_limit_bytes),
            readers=readers,
            writers=writers,
        )
        endpoint = Endpoint(folder, log=log)
        threading.Thread(target=resources.cache.count, name="count", daemon=True).start()
        buffers = pixels_dir(folder)
        sweep(buffers)
        context = ServerContext(
            roots=Roots(settings.root),
            cache=resources.cache,
            buffers=buffers,
            machine=settings.machine,
        )
        scheduler = Scheduler(resources=resources, context=context, preparing=preparing)
        daemon = Server(endpoint, scheduler, resources, settings, buffers)
        for number in (*end_signals(), signal.SIGINT):
            signal.signal(number, lambda *_: daemon.leave())
        if owner is not None:
            end_with(owner, daemon.leave, folder)

        def own_the_gpu() -> None:
            try:
                scheduler.run()
            finally:
                endpoint.stop()

        gpu = threading.Thread(target=own_the_gpu, name="gpu")
        gpu.start()
        _LOG.info("Serving in %s as process %d.", folder, os.getpid())
        try:
            endpoint.run(daemon)
        finally:
            scheduler.stop()
            gpu.join()
            endpoint.close()
            resources.cache.memo.close()
    _LOG.info("The server has ended.")


@contextmanager
def _pools(settings: ServerSettings) -> Iterator[tuple[ThreadPoolExecutor, ThreadPoolExecutor]]:
    with (
        ThreadPoolExecutor(settings.readers, thread_name_prefix="reader") as readers,
        ThreadPoolExecutor(settings.writers, thread_name_prefix="writer") as writers,
    ):
        yield readers, writers
