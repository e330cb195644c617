"""The server's sockets: who gets in, what is answered, and that nothing ends them."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import msgpack
import psutil
import pytest
import zmq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gvm_client.client import Client
from gvm_client.connection import (
    ConnectionFile,
    connection_path,
    read_connection,
    write_connection,
)
from gvm_client.errors import (
    ErrorCode,
    JobFailed,
    ServerError,
    ServerNotRunning,
    ServerStartFailed,
)
from gvm_client.folders import pixels_dir
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.messages import MAX_TEXT, Failed, Message, Ok, Ping, Pong
from gvm_client.protocol.wire import MAX_MESSAGE_BYTES, decode, encode
from gvm_server.service import endpoint as endpoint_module
from gvm_server.service.endpoint import TICK_SECONDS, Endpoint
from gvm_server.service.instance_lock import LOCK_NAME, InstanceLock
from tests.support.messages import SAMPLES, SUMMARY
from tests.support.serving import REQUEST, SmallServer, progress, serving, until

SHORT_MS = 300  # to hear nothing; an answer takes some milliseconds
PATIENT_MS = 20_000  # for an answer that must come, on a machine that others keep busy


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def server(folder: Path) -> Iterator[SmallServer]:
    with serving(folder) as small:
        yield small


@contextmanager
def raw_socket(
    connection: ConnectionFile, endpoint: str, *, secure: bool = True
) -> Iterator[zmq.Socket[bytes]]:
    """A bare DEALER, with the connection file's keys or with none."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as dealer:
        dealer.setsockopt(zmq.LINGER, 0)
        if secure:
            dealer.setsockopt(zmq.CURVE_SERVERKEY, connection.server_public_key.encode())
            dealer.setsockopt(zmq.CURVE_PUBLICKEY, connection.client_public_key.encode())
            dealer.setsockopt(zmq.CURVE_SECRETKEY, connection.client_secret_key.encode())
        dealer.connect(endpoint)
        yield dealer


def ask(dealer: zmq.Socket[bytes], data: bytes, wait_ms: int = PATIENT_MS) -> Message | None:
    """Send bytes and return the answer, or None where there is none."""
    dealer.send(data)
    return decode(dealer.recv()).message if dealer.poll(wait_ms) else None


def assert_alive(server: SmallServer) -> None:
    with Client(server.endpoint.connection) as client:
        assert client.ping() == Pong(pid=os.getpid(), version="small")


# ---- who gets in ------------------------------------------------------------------------------


def test_everything_in_the_folder_is_private(server: SmallServer, folder: Path):
    """The folder is 0700; the connection file and the lock are 0600."""
    assert server.endpoint.connection == read_connection(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(pixels_dir(folder).stat().st_mode) == 0o700
    for path in (connection_path(folder), folder / LOCK_NAME):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_client_with_a_foreign_key_gets_nothing(server: SmallServer):
    """Knowing the server's public key is not enough."""
    public, secret = (key.decode() for key in zmq.curve_keypair())
    connection = server.endpoint.connection
    stranger = replace(connection, client_public_key=public, client_secret_key=secret)
    for endpoint in (connection.work, connection.control):
        with raw_socket(stranger, endpoint) as dealer:
            assert ask(dealer, encode(Ping(), request="1"), SHORT_MS) is None
    assert_alive(server)
    assert server.work == []


def test_a_client_that_takes_another_server_for_this_one_gets_nothing(server: SmallServer):
    """A wrong server key ends the handshake."""
    public = zmq.curve_keypair()[0].decode()
    connection = replace(server.endpoint.connection, server_public_key=public)
    with raw_socket(connection, connection.control) as dealer:
        assert ask(dealer, encode(Ping(), request="1"), SHORT_MS) is None
    assert_alive(server)


def test_a_client_without_any_key_gets_nothing(server: SmallServer):
    """The NULL mechanism is turned away on both sockets."""
    connection = server.endpoint.connection
    for endpoint in (connection.work, connection.control):
        with raw_socket(connection, endpoint, secure=False) as dealer:
            assert ask(dealer, encode(Ping(), request="1"), SHORT_MS) is None
    assert_alive(server)


def test_a_key_of_an_earlier_server_opens_nothing(folder: Path):
    """Keys are made anew at every start."""
    with serving(folder) as first:
        old = first.endpoint.connection
    with serving(folder) as second, raw_socket(old, old.control) as dealer:
        assert ask(dealer, encode(Ping(), request="1"), SHORT_MS) is None
        assert_alive(second)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can try the door as another user")
def test_another_user_reaches_neither_keys_nor_sockets():
    """The folder stops them, even where every folder above it is open."""
    with tempfile.TemporaryDirectory() as above:
        Path(above).chmod(0o755)
        folder = Path(above) / "run"
        with serving(folder) as server:
            look = 'test -e "$1/work.sock" || cat "$1/connection.json"'
            words = ["sh", "-c", look, "sh", str(folder)]
            assert subprocess.run(words, check=False, capture_output=True).returncode == 0
            stranger = subprocess.run(words, check=False, capture_output=True, user=65_534)
            assert stranger.returncode != 0
            assert stranger.stdout == b""
            assert_alive(server)


# ---- what is answered -------------------------------------------------------------------------


def test_bytes_that_are_no_message_get_a_failed_that_says_so(server: SmallServer):
    """On both sockets, with the request's name where it could be read."""
    connection = server.endpoint.connection
    bad = msgpack.packb({"v": PROTOCOL_VERSION, "type": "dance", "request": "7", "body": {}})
    for endpoint in (connection.work, connection.control):
        with raw_socket(connection, endpoint) as dealer:
            dealer.send(bad)
            assert dealer.poll(PATIENT_MS)
            envelope = decode(dealer.recv())
        assert envelope.request == "7"
        assert isinstance(envelope.message, Failed)
        assert envelope.message.code is ErrorCode.MALFORMED


def test_a_message_in_several_frames_gets_a_failed_that_says_so(server: SmallServer):
    """A client that sends an empty frame first, as a REQ socket does, does not wait for ever."""
    connection = server.endpoint.connection
    for endpoint in (connection.work, connection.control):
        with raw_socket(connection, endpoint) as dealer:
            dealer.send_multipart([b"", encode(Ping(), request="7")])
            assert dealer.poll(PATIENT_MS)
            failed = decode(dealer.recv()).message
        assert isinstance(failed, Failed)
        assert failed.code is ErrorCode.MALFORMED
        assert "2 ZeroMQ frames" in failed.message


def test_another_protocol_version_is_answered_with_both_numbers(server: SmallServer):
    """A plug-in of another release learns what to do."""
    connection = server.endpoint.connection
    with raw_socket(connection, connection.work) as dealer:
        reply = ask(dealer, msgpack.packb({"v": 99, "type": "matte", "request": "7"}))
    assert isinstance(reply, Failed)
    assert reply.code is ErrorCode.VERSION_MISMATCH
    assert "99" in reply.message
    assert reply.remedy


@pytest.mark.parametrize("word", ["ping", "done"])
def test_a_message_on_the_wrong_socket_is_refused(server: SmallServer, word: str):
    """Control requests do not queue behind work, and servers' words come from servers."""
    connection = server.endpoint.connection
    with raw_socket(connection, connection.work) as dealer:
        reply = ask(dealer, encode(SAMPLES[word]["minimal"], request="7"))
    assert isinstance(reply, Failed)
    assert reply.code is ErrorCode.ILLEGAL_MOVE
    assert server.work == []


def test_an_error_of_the_handler_becomes_a_reply(server: SmallServer):
    """Errors of ours keep their code; a defect is INTERNAL, and the server goes on."""
    with Client(server.endpoint.connection) as client:
        with pytest.raises(JobFailed) as caught:
            client.cancel("f" * 32)
        assert caught.value.code is ErrorCode.UNKNOWN_JOB
        (refused,) = client.matte(replace(REQUEST, frames="refuse"))
        assert isinstance(refused, Failed)
        assert (refused.code, refused.job) == (ErrorCode.SERVER_BUSY, REQUEST.job)
        (defect,) = client.matte(replace(REQUEST, frames="defect"))
        assert isinstance(defect, Failed)
        assert defect.code is ErrorCode.INTERNAL
    assert_alive(server)


def test_a_reply_that_does_not_fit_is_a_failed_reply(server: SmallServer):
    """A status over a message's size neither ends the loop nor leaves the client waiting."""
    job = replace(SUMMARY, plate="x" * MAX_TEXT)
    fat = replace(SAMPLES["server_status"]["full"], jobs=(job,) * 200)
    server.on_control = lambda *_: fat
    with Client(server.endpoint.connection) as client, pytest.raises(JobFailed, match="bound"):
        client.status()


def test_messages_of_many_threads_arrive_each_threads_in_order(server: SmallServer):
    """`send` may be called from any thread; more messages than any queue holds get through."""
    with Client(server.endpoint.connection) as client:
        events = client.matte(replace(REQUEST, frames="forever"))
        next(events)
        assert until(lambda: server.work)
        peer = next(iter(server._beating.values()))[0]

        def talk(number: int) -> None:
            for count in range(500):
                said = replace(progress(REQUEST.job), windows_done=count, note=f"thread {number}")
                server.endpoint.send(peer, said, request=REQUEST.job)

        threads = [threading.Thread(target=talk, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        heard: dict[str, list[int]] = {f"thread {number}": [] for number in range(4)}
        while any(len(counts) < 500 for counts in heard.values()):
            event = next(events)
            if event.note:
                heard[event.note].append(event.windows_done)
        for thread in threads:
            thread.join()
        events.close()
    assert all(counts == list(range(500)) for counts in heard.values())


def test_a_peer_that_vanishes_is_reported(server: SmallServer):
    """The handler hears of it within a heartbeat or two, and only of that peer."""
    with Client(server.endpoint.connection) as stays:
        lasting = stays.matte(replace(REQUEST, frames="forever", job="a" * 32))
        next(lasting)
        leaves = Client(server.endpoint.connection)
        going = leaves.matte(replace(REQUEST, frames="forever"))
        next(going)
        peer = server._beating[REQUEST.job][0]
        leaves._context.destroy(linger=0)  # as if its process had been killed
        assert until(lambda: server.gone, 3.0)
        assert set(server.gone) == {peer}
        assert next(lasting)
        lasting.close()


def test_a_peer_that_reads_nothing_is_given_up_with_bounded_memory(server: SmallServer):
    """A client that hangs costs a few MiB, then it counts as gone."""
    connection = server.endpoint.connection
    with raw_socket(connection, connection.work) as dealer:
        dealer.send(encode(replace(REQUEST, frames="forever"), request="1"))
        assert until(lambda: server._beating)
        peer = server._beating[REQUEST.job][0]
        fat = replace(progress(REQUEST.job), note="x" * MAX_TEXT)
        for _ in range(3000):
            server.endpoint.send(peer, fat, request="1")
        assert until(lambda: peer in server.gone)
    assert_alive(server)


def test_ticks_come_in_time_while_messages_pour_in(server: SmallServer):
    """The handler's clock does not stop for a busy client."""
    with Client(server.endpoint.connection) as client:
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            client.ping()
    gaps = [b - a for a, b in zip(server.ticks, server.ticks[1:], strict=False)]
    assert max(gaps) < 4 * TICK_SECONDS


# ---- nothing ends it --------------------------------------------------------------------------


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(messages=st.lists(st.binary(max_size=2000), min_size=1, max_size=20))
def test_random_bytes_leave_it_alive(server: SmallServer, messages: list[bytes]):
    """On both sockets, in one part or in many."""
    connection = server.endpoint.connection
    for endpoint in (connection.work, connection.control):
        with raw_socket(connection, endpoint) as dealer:
            for message in messages:
                dealer.send(message)
            dealer.send_multipart(messages)
            assert dealer.poll(PATIENT_MS)
    assert_alive(server)


def test_oversized_and_deep_messages_leave_it_alive_and_small(server: SmallServer):
    """Memory stays bounded whatever the messages claim or hold."""
    connection = server.endpoint.connection
    attacks = [
        b"\x91" * (MAX_MESSAGE_BYTES - 1),
        b"\xdc\x27\x10" * 300_000,
        b"\xdd\xff\xff\xff\xff" * 1000,
        b"\xc6\xff\xff\xff\xff",
        b"\xdf\xff\xff\xff\xff" + b"\xa1a" * 1000,
        b"\xc0" * (MAX_MESSAGE_BYTES + 1),
        b"\xc0" * (20 * MAX_MESSAGE_BYTES),
    ]
    before = psutil.Process().memory_info().rss
    for _ in range(2):
        for endpoint in (connection.work, connection.control):
            for attack in attacks:
                with raw_socket(connection, endpoint) as dealer:
                    reply = ask(dealer, attack, SHORT_MS)
                assert reply is None or isinstance(reply, Failed)
    assert_alive(server)
    assert psutil.Process().memory_info().rss - before < 300 << 20


def test_complaints_do_not_flood_the_log(server: SmallServer, caplog: pytest.LogCaptureFixture):
    """A thousand bad messages are a handful of lines, and none is lost from the count."""
    connection = server.endpoint.connection
    with raw_socket(connection, connection.control) as dealer:
        for _ in range(1000):
            dealer.send(b"\xc1")
        while dealer.poll(SHORT_MS):
            dealer.recv()
    assert_alive(server)
    assert 1 <= len(caplog.records) < 20


# ---- its beginning and its end ----------------------------------------------------------------


def test_a_second_server_is_refused_with_the_first_ones_number(server: SmallServer, folder: Path):
    """The first goes on; the error says whose folder it is and what to do."""
    with pytest.raises(ServerError) as caught:
        Endpoint(folder)
    assert caught.value.code is ErrorCode.SERVER_RUNNING
    assert str(os.getpid()) in caught.value.message
    assert "gvm stop" in caught.value.remedy
    assert_alive(server)


def test_an_open_folder_is_refused(tmp_path: Path):
    """A folder that others can enter holds no keys."""
    tmp_path.chmod(0o755)
    with pytest.raises(ServerError) as caught:
        Endpoint(tmp_path)
    assert caught.value.code is ErrorCode.RUNTIME_UNSAFE
    assert list(tmp_path.iterdir()) == []


def test_a_path_too_long_for_a_socket_is_refused_and_the_folder_let_go(tmp_path: Path):
    """The error says the bound; nothing stays locked."""
    folder = tmp_path / ("x" * 100)
    for _ in range(2):
        with pytest.raises(ServerError, match="bytes in its path") as caught:
            Endpoint(folder)
        assert caught.value.code is ErrorCode.RUNTIME_UNSAFE
    InstanceLock(folder).release()


def test_what_a_killed_server_left_behind_is_taken_over(folder: Path):
    """Sockets, lock and connection file of a killed process do not stop the next one."""
    code = (
        "import os, sys; from pathlib import Path\n"
        "from gvm_server.service.endpoint import Endpoint\n"
        "Endpoint(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    dead = subprocess.run([sys.executable, "-c", code, str(folder)], check=False)
    assert dead.returncode == -9
    with pytest.raises(ServerNotRunning, match="left over from process"):
        read_connection(folder)
    with serving(folder) as server:
        assert_alive(server)


def test_one_that_is_killed_as_it_comes_up_is_waited_for_and_taken_over(folder: Path):
    """The connection file is an older server's, so whoever has the lock serves nobody yet."""
    with serving(folder) as server:
        stale = replace(server.endpoint.connection, started=1)
    write_connection(folder, stale)
    dying = InstanceLock(folder)
    threading.Timer(0.3, dying.release).start()
    with serving(folder) as server:
        assert_alive(server)


def test_it_leaves_neither_connection_file_nor_sockets(folder: Path):
    """After the end no client finds a server."""
    with serving(folder):
        assert connection_path(folder).exists()
    assert [path.name for path in folder.iterdir()] == [LOCK_NAME]


def test_without_socket_files_it_listens_on_loopback_only(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """As on Windows: TCP on 127.0.0.1, a random port, the same keys."""
    monkeypatch.setattr(zmq, "has", lambda word: word != "ipc")
    with serving(folder) as server:
        connection = server.endpoint.connection
        assert connection.work.startswith("tcp://127.0.0.1:")
        assert connection.work != connection.control
        assert_alive(server)
        with raw_socket(connection, connection.control, secure=False) as dealer:
            assert ask(dealer, encode(Ping(), request="1"), SHORT_MS) is None


def test_a_libzmq_without_curve_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """It never listens without keys; the folder is let go."""
    monkeypatch.setattr(zmq, "has", lambda word: word != "curve")
    with pytest.raises(ServerStartFailed, match="without CURVE"):
        Endpoint(folder)
    InstanceLock(folder).release()
    assert not connection_path(folder).exists()


def test_an_endpoint_that_cannot_write_its_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """A full disk at the start is our error, and nothing stays behind."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(endpoint_module, "write_connection", full)
    with pytest.raises(ServerStartFailed, match="No space left"):
        Endpoint(folder)
    assert [path.name for path in folder.iterdir()] == [LOCK_NAME]
    InstanceLock(folder).release()


def test_the_answer_to_a_stop_still_leaves(server: SmallServer):
    """A client that stops the server hears that it was heard."""
    with Client(server.endpoint.connection) as client:
        assert client._ask(SAMPLES["stop"]["minimal"], Ok) == Ok(note="Bye.")
