"""A client's connection to the server: ask for a matte and hear how it goes.

    with Client() as client:
        for event in client.matte(request):
            ...

- Every wait has an end: a server that dies or falls silent is an error, never a hang.
- A job's events obey the state table; leaving the loop early cancels the job.
- One thread iterates; `cancel`, `status` and the other control calls may come from any thread.
- No error of ZeroMQ leaves this file.
"""

from __future__ import annotations

import secrets
import struct
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TypeVar

import zmq

from gvm_client.connection import ConnectionFile, read_connection
from gvm_client.errors import (
    ErrorCode,
    GvmError,
    LocalProtocolError,
    RemoteProtocolError,
    ServerLost,
)
from gvm_client.folders import runtime_dir
from gvm_client.limits import MAX_MESSAGE_BYTES
from gvm_client.process import is_alive
from gvm_client.protocol.lifecycle import JobState, error_of, next_state
from gvm_client.protocol.messages import (
    Cancel,
    Failed,
    GiveFrames,
    JobEvent,
    Matte,
    Ok,
    Ping,
    Pong,
    Release,
    Request,
    ServerStatus,
    Status,
    Stop,
)
from gvm_client.protocol.wire import (
    Envelope,
    decode,
    encode,
    encode_question,
    unpack_envelope,
)

SILENCE_SECONDS = 5.0  # the server says something about each job every second
CONTROL_SECONDS = 2.0
_LOOK_SECONDS = 0.25  # how often a silent server's process is looked at

# What libzmq tells of wrong keys: the client's is refused by a word, the server's just ends it.
# zmq_socket_monitor(3): an event's first frame is its number and a value. PyZMQ's own reader of it
# loads asyncio, which takes longer than all else of a client.
_EVENT = struct.Struct("=hi")
_WRONG_KEYS = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL

_Answer = TypeVar("_Answer", Pong, Ok, ServerStatus)

HEARTBEAT_MS = 1000
HEARTBEAT_TIMEOUT_MS = 5000  # a peer that is silent for so long is cut off
HANDSHAKE_MS = 5000
HIGH_WATER_MARK = 256  # messages waiting in each direction for each peer


class Client:
    """A connection to the running server; close it, or use it as a context manager.

    Args:
        connection: where the server is; by default the connection file of the run-time folder.

    Raises:
        ServerNotRunning: no server runs.
        ServerError: the run-time folder is unsafe, or the server speaks another protocol version.
    """

    def __init__(self, connection: ConnectionFile | None = None) -> None:
        self.connection = connection or read_connection(runtime_dir())
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._monitors: dict[zmq.Socket[bytes], zmq.Socket[bytes]] = {}  # of each socket
        name = secrets.token_bytes(16)  # libzmq keeps names that begin with a zero for itself
        try:
            with _renamed():
                self._work = self._dealer(self.connection.work, b"\1" + name)
                self._control = self._dealer(self.connection.control, b"\1" + name)
        except ServerLost:
            self._context.destroy(linger=0)
            raise
        self._control_lock = threading.RLock()  # re-entered by a signal handler that cancels
        self._job = ""  # the request that is being iterated, which is also its job

    def __enter__(self) -> Client:  # noqa: PYI034 - `Self` is not in Python 3.10
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; a job that is still being iterated is cancelled."""
        if self._job:
            with suppress(GvmError):
                self.cancel(self._job)
        self._context.destroy(linger=0)

    def matte(self, request: Matte) -> Generator[JobEvent, None, None]:
        """Ask for a matte and yield what the server says, up to `Done`, `Failed` or `Cancelled`.

        One at a time; another job at the same time takes another client.

        Raises:
            ServerLost: the server died, leaves, or said nothing for `SILENCE_SECONDS`.
            RemoteProtocolError: the server broke the protocol.
            LocalProtocolError: the request cannot be sent, or another job is being iterated.
        """
        if self._job:
            raise LocalProtocolError(
                f"This client is busy with job {self._job}.",
                remedy="Make another client for another job.",
                code=ErrorCode.ILLEGAL_MOVE,
            )
        self._job, state = request.job, JobState.ASKED
        try:
            self._send(self._work, request, request.job, SILENCE_SECONDS)
            while not state.is_final:
                event = self._next_event()
                state = next_state(state, event, blame=RemoteProtocolError)
                yield event
        except ServerLost:
            state = JobState.FAILED  # nobody is left to cancel it
            raise
        finally:
            self._job = ""
            if not state.is_final:
                with suppress(GvmError):  # it ended meanwhile, or the server did
                    self.cancel(request.job)

    def answer(self, frames: GiveFrames) -> None:
        """Answer a `NeedFrames` of the job that is being iterated, on the same thread.

        Raises:
            ServerLost: the server takes no messages.
            LocalProtocolError: the message cannot be sent.
        """
        self._send(self._work, frames, frames.job, SILENCE_SECONDS)

    def cancel(self, job: str) -> None:
        """End a job, of whatever client.

        Raises:
            JobFailed: code UNKNOWN_JOB.
            ServerLost: the server does not answer.
        """
        self._ask(Cancel(job=job), Ok)

    def ping(self, *, seconds: float = CONTROL_SECONDS) -> Pong:
        """Return the server's proof of life.

        Raises:
            ServerLost: it does not answer within `seconds`.
        """
        return self._ask(Ping(), Pong, seconds)

    def status(self) -> ServerStatus:
        """Return what the server is doing.

        Raises:
            ServerLost: the server does not answer.
        """
        return self._ask(Status(), ServerStatus)

    def stop(self) -> None:
        """End the server; running jobs are cancelled.

        Raises:
            ServerLost: the server does not answer.
        """
        self._ask(Stop(), Ok)

    def release(self) -> None:
        """Have the server give the device's memory back.

        Raises:
            ServerLost: the server does not answer.
        """
        self._ask(Release(), Ok)

    def ask_plainly(self, word: str) -> dict[str, object]:
        """Ask a question without a body of a server of any protocol version.

        Returns:
            The answer's body, whose values nobody has looked at.

        Raises:
            ServerLost: the server does not answer.
            RemoteProtocolError: what it answers is no message.
        """
        version = self.connection.protocol
        while True:
            name = secrets.token_hex(8)
            data = encode_question(word, request=name, version=version)
            answer = self._exchange(data, name)
            body, spoken = answer.get("body"), answer.get("v")
            if type(spoken) is not int or spoken == version or not isinstance(body, dict):
                return body if isinstance(body, dict) else {}
            version = spoken  # another than its file says: asked once more, in its own

    def _exchange(self, data: bytes, name: str) -> dict[str, object]:
        """Send a question's bytes and return the answer's envelope."""
        deadline = time.monotonic() + CONTROL_SECONDS
        with self._control_lock:
            self._put(self._control, data, deadline)
            while True:
                answer = unpack_envelope(self._take(self._control, deadline))
                if answer.get("request") == name:
                    return answer

    def _dealer(self, endpoint: str, name: bytes) -> zmq.Socket[bytes]:
        dealer = self._context.socket(zmq.DEALER)
        set_limits(dealer)
        dealer.setsockopt(zmq.ROUTING_ID, name)
        # Not IMMEDIATE: with it, libzmq drops what a server said just before it went.
        dealer.setsockopt(zmq.CURVE_SERVERKEY, self.connection.server_public_key.encode())
        dealer.setsockopt(zmq.CURVE_PUBLICKEY, self.connection.client_public_key.encode())
        dealer.setsockopt(zmq.CURVE_SECRETKEY, self.connection.client_secret_key.encode())
        self._monitors[dealer] = dealer.get_monitor_socket(_WRONG_KEYS)
        dealer.connect(endpoint)
        return dealer

    def _next_event(self) -> JobEvent:
        """Return the next event of the job; what came late for an earlier one is dropped."""
        deadline = time.monotonic() + SILENCE_SECONDS
        while True:
            envelope = self._receive(self._work, deadline)
            if envelope.request == self._job:
                event = envelope.message
                if not isinstance(event, JobEvent):
                    raise _misplaced(envelope)
                if isinstance(event, Failed) and event.code is ErrorCode.SERVER_LOST:
                    raise ServerLost(event.message, remedy=event.remedy)  # it leaves
                return event

    def _ask(
        self, request: Request, kind: type[_Answer], seconds: float = CONTROL_SECONDS
    ) -> _Answer:
        name = secrets.token_hex(8)
        deadline = time.monotonic() + seconds
        with self._control_lock:
            self._send(self._control, request, name, seconds)
            while True:
                envelope = self._receive(self._control, deadline)
                if envelope.request == name:  # else: the late answer to a question given up on
                    break
        if isinstance(envelope.message, Failed):
            raise error_of(envelope.message)
        if not isinstance(envelope.message, kind):
            raise _misplaced(envelope)
        return envelope.message

    def _send(self, dealer: zmq.Socket[bytes], message: Request, name: str, seconds: float) -> None:
        self._put(dealer, encode(message, request=name), time.monotonic() + seconds)

    def _receive(self, dealer: zmq.Socket[bytes], deadline: float) -> Envelope:
        return decode(self._take(dealer, deadline))

    def _put(self, dealer: zmq.Socket[bytes], data: bytes, deadline: float) -> None:
        """Send bytes as soon as the socket takes them."""
        while True:
            self._wait(dealer, zmq.POLLOUT, deadline)
            # A refused handshake can end the pipe after the wait: then it is waited for again,
            # and the wait says who refused.
            with _renamed(), suppress(zmq.Again):
                dealer.send(data, zmq.NOBLOCK)
                return

    def _take(self, dealer: zmq.Socket[bytes], deadline: float) -> bytes:
        """Return the next message's bytes."""
        while True:
            self._wait(dealer, zmq.POLLIN, deadline)
            with _renamed(), suppress(zmq.Again):
                return dealer.recv(zmq.NOBLOCK)

    def _wait(self, dealer: zmq.Socket[bytes], what: int, deadline: float) -> None:
        """Wait until the socket is ready.

        Raises:
            ServerLost: the deadline passed, the server's process has ended, or the server refuses
                the connection file's keys.
        """
        pid = self.connection.pid
        started, broken = time.monotonic(), 0
        poller = zmq.Poller()
        poller.register(dealer, what)
        poller.register(self._monitors[dealer], zmq.POLLIN)
        while True:
            left = deadline - time.monotonic()
            alive = is_alive(pid, self.connection.started)
            with _renamed():  # looked at before, so that a dead server's last words are heard
                ready = dict(poller.poll(round(1000 * max(0.0, min(left, _LOOK_SECONDS)))))
            if dealer in ready:
                return
            if not alive:
                raise _lost(f"The GVM server (process {pid}) has died.", self.connection)
            if self._monitors[dealer] in ready:
                with _renamed():
                    event, _ = _EVENT.unpack(self._monitors[dealer].recv_multipart()[0])
                # One that goes ends a handshake without a word too, and is not there for another.
                broken += event == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
                if event == zmq.EVENT_HANDSHAKE_FAILED_AUTH or broken > 1:
                    raise _refused(self.connection)
            if left <= 0:
                waited = time.monotonic() - started
                raise _lost(
                    f"The GVM server (process {pid}) has been silent for {waited:.1f} s.",
                    self.connection,
                )


@contextmanager
def _renamed() -> Iterator[None]:
    try:
        yield
    except zmq.ZMQError as error:
        raise ServerLost(
            f"The connection to the GVM server failed: {error}.", remedy="Ask again."
        ) from error


def _refused(connection: ConnectionFile) -> ServerLost:
    """Return the error for wrong keys: those of a connection file whose server has gone."""
    return ServerLost(
        f"The GVM server (process {connection.pid}) refuses the connection: the keys of this client"
        " are not those of its connection file.",
        remedy="Ask again: the file is then read anew, for each server makes keys of its own.",
        path=connection.log,
    )


def _lost(sentence: str, connection: ConnectionFile) -> ServerLost:
    log = f" Its log is {connection.log}." if connection.log else ""
    return ServerLost(
        sentence,
        remedy=f"Ask again: what was finished is kept.{log}",
        path=connection.log,
    )


def _misplaced(envelope: Envelope) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"The server answered with {type(envelope.message).__name__}, which fits no question.",
        code=ErrorCode.ILLEGAL_MOVE,
    )


def set_limits(socket: zmq.Socket[bytes]) -> None:
    """Set the limits of a socket, before it binds or connects.

    Raises:
        zmq.ZMQError: libzmq refuses an option.
    """
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
    socket.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    socket.setsockopt(zmq.HANDSHAKE_IVL, HANDSHAKE_MS)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS)
