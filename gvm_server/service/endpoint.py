"""The server's sockets: the one place that hears and speaks ZeroMQ.

- One thread runs `run` and owns every socket; other threads only call `send` and `stop`.
- No message can end the loop: bytes that are no message get a `failed`, or silence.
- Only who holds the client key of the connection file gets in; the file appears after the
  sockets listen and goes before they close.
- No error of ZeroMQ leaves this file.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol, get_args

import zmq

import gvm_client
from gvm_client.client import set_limits
from gvm_client.connection import (
    ConnectionFile,
    connection_path,
    read_any_connection,
    remove_connection,
    write_connection,
)
from gvm_client.errors import (
    ErrorCode,
    RemoteProtocolError,
    ServerError,
    ServerNotRunning,
    ServerStartFailed,
)
from gvm_client.folders import private_dir, socket_path
from gvm_client.platform import has_socket_files
from gvm_client.process import start_ticks
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.lifecycle import ControlRequest, WorkRequest
from gvm_client.protocol.messages import Failed, Reply
from gvm_client.protocol.wire import Envelope, UnreadableMessage, decode, encode
from gvm_server.errors import as_gvm_error
from gvm_server.service.authentication import ZAP_DOMAIN, Authenticator
from gvm_server.service.instance_lock import InstanceLock
from gvm_server.service.log import RefusalLog
from gvm_server.service.outbox import Outbox, SendResult
from gvm_server.service.replies import failed_by

TICK_SECONDS = 0.25
_WORK_SOCKET = "work.sock"
_CONTROL_SOCKET = "control.sock"
_RETRY_SECONDS = 0.02  # how soon a full peer is tried again: a ROUTER cannot be polled for one
_PATIENCE_SECONDS = 5.0  # as long as a client waits for a silent server
_BURST = 64  # messages read from a socket before the others have their turn
_LEAVING_SECONDS = 50.0  # a client waits a little longer for the server that it started
_COMING_SECONDS = 2.0  # who has the lock listens within milliseconds, or was killed
_LOOK_SECONDS = 0.05
_FAREWELL_MS = 500  # at the end, for the last replies to leave

_log = logging.getLogger(__name__)


class RequestHandler(Protocol):
    """What the server does with what it hears; every method runs on the endpoint's thread.

    A `GvmError` that `on_work` or `on_control` raises becomes the `failed` reply.
    """

    def on_work(self, peer: bytes, envelope: Envelope) -> None:
        """Take a `Matte` or `GiveFrames`; answers go by `Endpoint.send`."""

    def on_control(self, peer: bytes, envelope: Envelope) -> Reply:
        """Answer a `Ping`, `Status`, `Cancel`, `Stop` or `Release` at once."""

    def on_tick(self) -> None:
        """Do what is due; called at least every `TICK_SECONDS` unless a method here is slow."""

    def on_unreachable(self, peer: bytes) -> None:
        """Take note that a peer is gone or takes no messages; may come more than once."""


class Endpoint:
    """The two sockets of a run-time folder, open from the start to `close`.

    Attributes:
        connection: what stands in the connection file.

    Raises:
        ServerError: code SERVER_RUNNING or RUNTIME_UNSAFE.
        ServerStartFailed: the sockets or the connection file cannot be made.
    """

    def __init__(self, folder: Path, *, log: str = "") -> None:
        self._folder = private_dir(folder)
        self._outbox = Outbox()
        self._stopping = False
        self._complaints = RefusalLog()
        self._lock = _take_lock(folder)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._alarm, self._bell = socket.socketpair()
        self._alarm.setblocking(False)
        self._bell.setblocking(False)
        try:
            self.connection = self._open(log)
            write_connection(folder, self.connection)
        except (zmq.ZMQError, OSError) as error:
            self._release()
            raise ServerStartFailed(
                f"The server cannot listen in {folder}: {error}.",
                remedy="Set GVM_RUNTIME_DIR to a folder of your own on a local disk.",
                path=str(folder),
            ) from error
        except ServerError:
            self._release()
            raise

    def run(self, handler: RequestHandler) -> None:
        """Hear and speak until `stop`; what was sent before the stop still leaves."""
        poller = zmq.Poller()
        for readable in (self._authenticator.socket, self._work, self._control, self._alarm):
            poller.register(readable, zmq.POLLIN)
        next_tick = time.monotonic()
        while not self._stopping:
            wait = max(0.0, next_tick - time.monotonic())
            if not self._outbox.is_empty:
                wait = min(wait, _RETRY_SECONDS)
            self._turn(handler, {ready for ready, _ in poller.poll(round(wait * 1000))})
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_SECONDS
                self._guard(handler.on_tick)
        self._outbox.flush(self._send_now)

    def send(self, peer: bytes, message: Reply, *, request: str) -> None:
        """Send a message to a peer's work socket; any thread may.

        Args:
            peer: who; as `Handler.on_work` was told.
            message: what.
            request: the name of the request that it answers.

        Raises:
            LocalProtocolError: the message does not fit the protocol.
        """
        self._outbox.put(peer, encode(message, request=request))
        self._ring()

    def wait_for_room(self, peer: bytes) -> bool:
        """Wait until a peer has taken most of what was sent to it, or is gone.

        Not on the endpoint's thread. Returns False where the peer takes nothing.
        """
        return self._outbox.wait_for_room(peer, seconds=_PATIENCE_SECONDS)

    def stop(self) -> None:
        """Make `run` return; any thread and any signal handler may."""
        self._stopping = True
        self._ring()

    def retire(self) -> None:
        """Be found no more: the connection file goes, those who have it are still answered."""
        remove_connection(self._folder, self.connection)

    def close(self) -> None:
        """Remove the connection file, close the sockets and let the folder go."""
        remove_connection(self._folder, self.connection)
        self._release()

    def _open(self, log: str) -> ConnectionFile:
        if not zmq.has("curve"):
            raise ServerStartFailed(
                f"This ZeroMQ ({zmq.zmq_version()}) was built without CURVE.",
                remedy="Install pyzmq from its wheel: pip install --force-reinstall pyzmq",
            )
        server_public, server_secret = zmq.curve_keypair()
        client_public, client_secret = zmq.curve_keypair()
        self._authenticator = Authenticator(self._context, client_key=client_public)
        self._work = self._router(server_secret)
        self._control = self._router(server_secret)
        return ConnectionFile(
            protocol=PROTOCOL_VERSION,
            version=gvm_client.__version__,
            pid=os.getpid(),
            started=start_ticks(os.getpid()),
            work=_bind(self._work, self._folder, _WORK_SOCKET),
            control=_bind(self._control, self._folder, _CONTROL_SOCKET),
            server_public_key=server_public.decode(),
            client_public_key=client_public.decode(),
            client_secret_key=client_secret.decode(),
            log=log,
        )

    def _router(self, secret_key: bytes) -> zmq.Socket[bytes]:
        router = self._context.socket(zmq.ROUTER)
        set_limits(router)
        router.setsockopt(zmq.ROUTER_MANDATORY, 1)
        # A client that comes back after a broken connection keeps its name; all hold one key.
        router.setsockopt(zmq.ROUTER_HANDOVER, 1)
        router.setsockopt(zmq.CURVE_SERVER, 1)
        router.setsockopt(zmq.CURVE_SECRETKEY, secret_key)
        router.setsockopt(zmq.ZAP_DOMAIN, ZAP_DOMAIN)
        return router

    def _turn(self, handler: RequestHandler, ready: set[object]) -> None:
        if self._alarm.fileno() in ready:
            with suppress(BlockingIOError):
                self._alarm.recv(4096)
        if self._authenticator.socket in ready:
            with suppress(zmq.ZMQError):  # a connection that ended while it was asked about
                self._authenticator.answer()
        if self._control in ready:
            self._hear(self._control, lambda peer, parts: self._on_control(handler, peer, parts))
        if self._work in ready:
            self._hear(self._work, lambda peer, parts: self._on_work(handler, peer, parts))
        self._flush(handler)

    def _hear(self, router: zmq.Socket[bytes], take: Callable[[bytes, list[bytes]], None]) -> None:
        for _ in range(_BURST):
            try:
                frames = router.recv_multipart(zmq.NOBLOCK)
            except zmq.ZMQError:
                return  # nothing more
            take(frames[0], frames[1:])

    def _on_work(self, handler: RequestHandler, peer: bytes, parts: list[bytes]) -> None:
        envelope = self._read(parts, WorkRequest)
        if isinstance(envelope, Envelope):
            failed = self._guard(lambda: handler.on_work(peer, envelope), envelope)
            if failed is not None:
                self.send(peer, failed, request=envelope.request)
        else:
            self.send(peer, envelope[0], request=envelope[1])

    def _on_control(self, handler: RequestHandler, peer: bytes, parts: list[bytes]) -> None:
        envelope = self._read(parts, ControlRequest)
        if not isinstance(envelope, Envelope):
            self._reply(peer, encode(envelope[0], request=envelope[1]))
            return
        request, replies = envelope.request, list[bytes]()
        failed = self._guard(
            lambda: replies.append(encode(handler.on_control(peer, envelope), request=request)),
            envelope,
        )
        self._reply(peer, encode(failed, request=request) if failed else replies[0])

    def _read(self, parts: list[bytes], allowed: object) -> Envelope | tuple[Failed, str]:
        """Return the request, or the reply to what is none and the request's name."""
        try:
            envelope = decode(_only(parts))
        except UnreadableMessage as error:
            self._complaints.add(error.message)
            return failed_by(error), error.request
        if isinstance(envelope.message, get_args(allowed)):
            return envelope
        misplaced = RemoteProtocolError(
            f"{type(envelope.message).__name__} is no request of this socket.",
            code=ErrorCode.ILLEGAL_MOVE,
        )
        self._complaints.add(misplaced.message)
        return failed_by(misplaced), envelope.request

    def _guard(self, call: Callable[[], object], envelope: Envelope | None = None) -> Failed | None:
        """Return the reply for the error that a handler raised, or None."""
        job = getattr(envelope.message, "job", "") if envelope else ""
        try:
            call()
        except Exception as error:  # noqa: BLE001 - the top of the thread: it goes on and answers
            return failed_by(as_gvm_error(error), job=job)
        return None

    def _reply(self, peer: bytes, data: bytes) -> None:
        """Answer on the control socket; a client that went, or that does not read, gets nothing."""
        with suppress(zmq.ZMQError):
            self._control.send_multipart([peer, data], zmq.NOBLOCK)

    def _flush(self, handler: RequestHandler) -> None:
        for peer in self._outbox.flush(self._send_now):
            self._guard(lambda peer=peer: handler.on_unreachable(peer))  # type: ignore[misc]

    def _send_now(self, peer: bytes, data: bytes) -> SendResult:
        try:
            self._work.send_multipart([peer, data], zmq.NOBLOCK)
        except zmq.Again:
            return SendResult.FULL
        except zmq.ZMQError:
            return SendResult.GONE
        return SendResult.SENT

    def _ring(self) -> None:
        with suppress(OSError):  # full: it rings already; closed: nobody hears
            self._bell.send(b"\0")

    def _release(self) -> None:
        self._bell.close()
        self._alarm.close()
        self._context.destroy(linger=_FAREWELL_MS)
        for name in (_WORK_SOCKET, _CONTROL_SOCKET):  # libzmq leaves them
            (self._folder / name).unlink(missing_ok=True)
        self._lock.release()


def _only(parts: list[bytes]) -> bytes:
    if len(parts) != 1:
        raise UnreadableMessage(f"Not a message: it came in {len(parts)} ZeroMQ frames, not one.")
    return parts[0]


def _take_lock(folder: Path) -> InstanceLock:
    """Take a folder's lock, also from a server that leaves, or is killed before it listens.

    Raises:
        ServerError: code SERVER_RUNNING; a server owns the folder and stays.
    """
    began = time.monotonic()
    while True:
        try:
            return InstanceLock(folder)
        except ServerError:
            if time.monotonic() - began >= _patience(folder):
                raise
        time.sleep(_LOOK_SECONDS)


def _patience(folder: Path) -> float:
    """Return how long the lock's owner is waited for: a server that leaves can be found no more."""
    if not connection_path(folder).exists():
        return _LEAVING_SECONDS
    try:
        read_any_connection(folder)
    except ServerNotRunning:  # the file is a killed server's: the owner is coming up
        return _COMING_SECONDS
    return 0.0


def _bind(router: zmq.Socket[bytes], folder: Path, name: str) -> str:
    """Bind and return the endpoint: a socket file, or loopback TCP where there are none."""
    if not (has_socket_files() and zmq.has("ipc")):
        router.bind("tcp://127.0.0.1:*")
        return router.getsockopt_string(zmq.LAST_ENDPOINT)
    path = socket_path(folder, name)
    path.unlink(missing_ok=True)  # left over from a killed server: the lock is ours
    router.bind(f"ipc://{path}")
    return f"ipc://{path}"
