"""The connection file: written whole and private, read with suspicion."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from gvm_client.connection import (
    MAX_CONNECTION_BYTES,
    ConnectionFile,
    connection_path,
    read_connection,
    remove_connection,
    write_connection,
)
from gvm_client.errors import ErrorCode, ServerError, ServerNotRunning
from gvm_client.process import is_alive, start_ticks
from gvm_client.protocol import PROTOCOL_VERSION

MINE = ConnectionFile(
    protocol=PROTOCOL_VERSION,
    version="0.1.0",
    pid=os.getpid(),
    started=start_ticks(os.getpid()),
    work="ipc:///run/work.sock",
    control="ipc:///run/control.sock",
    server_public_key="s" * 40,
    client_public_key="c" * 40,
    client_secret_key="SECRET" * 6,
    log="/run/server.log",
)


def test_it_comes_back_as_it_was_written(tmp_path: Path):
    """Every field survives, only the owner can read it, and nothing else is left in the folder."""
    write_connection(tmp_path, MINE)
    assert read_connection(tmp_path) == MINE
    assert stat.S_IMODE(connection_path(tmp_path).stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [connection_path(tmp_path)]


def test_the_secret_key_is_never_shown():
    """A log line or a traceback with the object in it gives nothing away."""
    assert "SECRET" not in repr(MINE)


def test_no_file_means_no_server(tmp_path: Path):
    """The remedy is the command that starts one."""
    with pytest.raises(ServerNotRunning) as caught:
        read_connection(tmp_path)
    assert "gvm serve" in caught.value.remedy


def test_a_dead_process_means_no_server(tmp_path: Path):
    """The error says that the file is left over, and from whom."""
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    started = start_ticks(child.pid)
    child.wait()
    write_connection(tmp_path, replace(MINE, pid=child.pid, started=started))
    with pytest.raises(ServerNotRunning, match=f"left over from process {child.pid}"):
        read_connection(tmp_path)


def test_a_process_number_that_was_used_again_means_no_server(tmp_path: Path):
    """The start time tells a living stranger from the server."""
    write_connection(tmp_path, replace(MINE, started=MINE.started + 1))
    with pytest.raises(ServerNotRunning):
        read_connection(tmp_path)


def test_a_zombie_is_dead():
    """A server that was killed and that nobody has waited for does not count as alive."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    started = start_ticks(child.pid)
    assert is_alive(child.pid, started)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(child.pid, started)
    child.communicate()


def test_a_living_server_of_another_protocol_is_a_version_mismatch(tmp_path: Path):
    """Both numbers are named, whatever else such a file may hold."""
    other = {"protocol": 99, "pid": MINE.pid, "started": MINE.started, "later": []}
    connection_path(tmp_path).write_text(json.dumps(other))
    connection_path(tmp_path).chmod(0o600)
    with pytest.raises(
        ServerError, match=f"version 99; this client speaks {PROTOCOL_VERSION}"
    ) as caught:
        read_connection(tmp_path)
    assert caught.value.code is ErrorCode.VERSION_MISMATCH


def test_a_file_that_others_can_read_is_refused(tmp_path: Path):
    """Its keys are no secret any more."""
    write_connection(tmp_path, MINE)
    connection_path(tmp_path).chmod(0o644)
    with pytest.raises(ServerError, match="mode 644") as caught:
        read_connection(tmp_path)
    assert caught.value.code is ErrorCode.RUNTIME_UNSAFE


def test_a_link_is_refused(tmp_path: Path):
    """The file is the server's own, not a pointer to another."""
    write_connection(tmp_path, MINE)
    connection_path(tmp_path).rename(tmp_path / "elsewhere")
    connection_path(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ServerError) as caught:
        read_connection(tmp_path)
    assert caught.value.code is ErrorCode.RUNTIME_UNSAFE


GOOD = asdict(MINE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "[" * 5000,
        json.dumps({}),
        json.dumps({**GOOD, "pid": "1"}),
        json.dumps({**GOOD, "pid": True}),
        json.dumps({**GOOD, "work": None}),
        json.dumps({**GOOD, "extra": 1}),
        json.dumps({name: value for name, value in GOOD.items() if name != "control"}),
        json.dumps({**GOOD, "log": "x" * MAX_CONNECTION_BYTES}),
        "\xff",
    ],
)
def test_what_is_no_connection_file_means_no_server(tmp_path: Path, text: str):
    """Damage is named, and starting a server mends it."""
    path = connection_path(tmp_path)
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(ServerNotRunning, match="not a connection file"):
        read_connection(tmp_path)


def test_a_server_removes_its_own_file_and_no_other(tmp_path: Path):
    """A server that ends late does not cut off its successor."""
    write_connection(tmp_path, replace(MINE, server_public_key="t" * 40))
    remove_connection(tmp_path, MINE)
    assert connection_path(tmp_path).exists()
    write_connection(tmp_path, MINE)
    remove_connection(tmp_path, MINE)
    remove_connection(tmp_path, MINE)
    assert not connection_path(tmp_path).exists()


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A full disk leaves the old file or none, and no temporary one."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space"):
        write_connection(tmp_path, MINE)
    assert list(tmp_path.iterdir()) == []
