"""Finding and starting the server, with a server process that has no model."""

from __future__ import annotations

import json
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from gvm_client import launcher, platform
from gvm_client.client import Client
from gvm_client.connection import connection_path, read_connection, write_connection
from gvm_client.errors import (
    ErrorCode,
    ServerError,
    ServerLost,
    ServerNotRunning,
    ServerStartFailed,
)
from gvm_client.folders import LOG_NAME
from gvm_client.launcher import ensure_server, server_command
from tests.support.processes import kill_all_of
from tests.support.serving import serving, until

SMALL = [sys.executable, "-m", "tests.fakes.small_server"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A run-time folder whose server, if a test started one, is ended after it."""
    folder = tmp_path / "run"
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("GVM_SERVER", shlex.join(SMALL))
    yield folder
    with suppress(ServerNotRunning), Client(read_connection(folder)) as client:
        pid = client.connection.pid
        client.stop()
        assert until(lambda: not psutil.pid_exists(pid))
    kill_all_of(folder)


def test_a_server_is_started_once_and_found_afterwards(folder: Path):
    """The second call returns the first one's server, which has answered."""
    first = ensure_server()
    assert ensure_server() == first == read_connection(folder)


def test_the_log_is_private_and_named(folder: Path):
    """What the server writes goes to a file of the run-time folder that only its owner reads."""
    log = Path(ensure_server().log)
    assert log == folder / LOG_NAME
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_it_lives_in_a_session_of_its_own():
    """Closing the host or its terminal does not end the server."""
    server = psutil.Process(ensure_server().pid)
    assert subprocess.check_output(["ps", "-o", "sid=", str(server.pid)]).strip() == (
        str(server.pid).encode()
    )


def test_clients_that_start_at_once_share_one_server(folder: Path):
    """Two processes that both find no server end up with the same one."""
    code = "from gvm_client import ensure_server; print(ensure_server().pid)"
    racers = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) for _ in range(3)
    ]
    pids = {int(racer.communicate(timeout=60)[0]) for racer in racers}
    assert pids == {read_connection(folder).pid}


def test_a_server_that_ends_at_once_is_reported_with_its_log(
    monkeypatch: pytest.MonkeyPatch, folder: Path
):
    """The artist reads the server's own last words; an older log's words are not among them."""
    folder.mkdir(mode=0o700)
    (folder / LOG_NAME).write_text("words of yesterday\n")
    monkeypatch.setenv("GVM_SERVER", shlex.join([*SMALL, "fail"]))
    monkeypatch.setattr(launcher, "_RIVAL_SECONDS", 0.1)
    with pytest.raises(ServerStartFailed) as caught:
        ensure_server()
    assert "exit code 3" in caught.value.message
    assert "no such device: cuda:7" in caught.value.message
    assert "yesterday" not in caught.value.message
    assert caught.value.path == str(folder / LOG_NAME)


def test_a_server_that_does_not_come_up_is_given_up(monkeypatch: pytest.MonkeyPatch):
    """After the limit it is ended, so that it cannot come up behind our back."""
    code = "import time; print('loading', flush=True); time.sleep(60)"
    monkeypatch.setenv("GVM_SERVER", shlex.join([sys.executable, "-c", code]))
    before = set(psutil.Process().children())
    with pytest.raises(ServerStartFailed, match=r"within 0\.7 s[^$]*loading"):
        ensure_server(seconds=0.7)
    assert until(lambda: set(psutil.Process().children()) <= before)


def test_a_command_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    """The error says the command and where it is set."""
    monkeypatch.setenv("GVM_SERVER", "/no/such/python -m gvm_server serve")
    with pytest.raises(ServerStartFailed, match="/no/such/python") as caught:
        ensure_server()
    assert "GVM_SERVER" in caught.value.remedy


def test_a_host_s_python_variables_do_not_reach_another_python(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """A host's PYTHONHOME would break the server's own Python."""
    other = tmp_path / "python"
    seen = tmp_path / "seen"
    other.write_text(f'#!/bin/sh\nenv > {seen}\nexec {sys.executable} "$@"\n')
    other.chmod(0o700)
    monkeypatch.setenv("GVM_SERVER", shlex.join([str(other), *SMALL[1:]]))
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    assert ensure_server() == read_connection(folder)
    assert "PYTHONHOME" not in seen.read_text()


def test_a_stale_connection_file_is_no_obstacle(folder: Path):
    """The file of a killed server is replaced by that of a new one."""
    first = ensure_server()
    psutil.Process(first.pid).kill()
    assert until(lambda: not psutil.pid_exists(first.pid))
    assert connection_path(folder).exists()
    assert ensure_server().pid != first.pid


def test_a_server_that_does_not_answer_is_not_doubled(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """A living process that is silent is an error, not a reason to start another."""
    monkeypatch.setattr(launcher, "SILENT_SECONDS", 0.1)
    monkeypatch.setattr(launcher, "PING_SECONDS", 0.2)
    with serving(folder) as server:
        deaf = replace(server.endpoint.connection, control=f"ipc://{folder}/nobody")
        write_connection(folder, deaf)
        with pytest.raises(ServerLost, match="silent"):
            ensure_server()


def test_a_long_log_is_put_aside(folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Logs do not grow for ever."""
    monkeypatch.setattr(launcher, "MAX_LOG_BYTES", 10)
    folder.mkdir(mode=0o700)
    (folder / LOG_NAME).write_text("x" * 11)
    ensure_server()
    assert (folder / "server.log.1").read_text() == "x" * 11
    assert "x" not in (folder / LOG_NAME).read_text()


def configure(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config" / "gvm" / "server.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return path


def test_the_variable_names_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """It is split as a shell would, and comes before the configuration."""
    configure(tmp_path, json.dumps({"command": ["other"]}))
    monkeypatch.setenv("GVM_SERVER", "'/my python/bin/python' -m gvm_server serve")
    assert server_command() == ["/my python/bin/python", "-m", "gvm_server", "serve"]


@pytest.mark.parametrize("system", ["Linux", "Windows"])
def test_a_variable_that_is_no_command_line_is_shown(monkeypatch: pytest.MonkeyPatch, system: str):
    """A quotation mark too many ends with the value and a remedy, as any wrong command does."""
    monkeypatch.setattr(platform, "is_windows", lambda: system == "Windows")
    monkeypatch.setenv("GVM_SERVER", "'/my python/bin/python -m gvm_server serve")
    with pytest.raises(ServerError, match="'/my python") as caught:
        server_command()
    assert caught.value.code is ErrorCode.SERVER_START_FAILED
    assert "quotation mark" in caught.value.remedy


def test_a_variable_of_blanks_names_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """As one that is empty; so the OpenFX plug-in reads it."""
    configure(tmp_path, json.dumps({"command": ["other"]}))
    monkeypatch.setenv("GVM_SERVER", " ")
    assert server_command() == ["other"]


def test_then_the_configuration_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A host's Python has no server; the installer wrote down whose Python has."""
    monkeypatch.delenv("GVM_SERVER")
    configure(tmp_path, json.dumps({"command": ["/venv/bin/python", "-m", "gvm_server", "serve"]}))
    assert server_command()[0] == "/venv/bin/python"


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"command": []}', '{"command": "gvm serve"}'])
def test_a_configuration_that_names_nothing_is_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
):
    """It is not passed over in silence; the remedy shows what to write."""
    monkeypatch.delenv("GVM_SERVER")
    path = configure(tmp_path, text)
    with pytest.raises(ServerError, match=str(path)) as caught:
        server_command()
    assert '"command"' in caught.value.remedy


def test_then_this_pythons_own_server(monkeypatch: pytest.MonkeyPatch):
    """Where the server is installed beside the client nothing needs to be set."""
    monkeypatch.delenv("GVM_SERVER")
    assert server_command() == [sys.executable, "-m", "gvm_server", "serve"]


def test_no_server_anywhere_is_an_error_with_the_line_to_type(monkeypatch: pytest.MonkeyPatch):
    """The remedy is the install command."""
    monkeypatch.delenv("GVM_SERVER")
    monkeypatch.setattr(launcher, "find_spec", lambda _: None)
    with pytest.raises(ServerError, match="No GVM server is installed") as caught:
        server_command()
    assert caught.value.code is ErrorCode.SERVER_START_FAILED
    assert "pip install" in caught.value.remedy


def test_the_server_gets_the_variables_that_its_file_gives(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A library path of the host's stays behind; one that `server.json` names is the server's."""
    configured = tmp_path / "config" / "gvm" / "server.json"
    configured.parent.mkdir(parents=True)
    own = {"LD_LIBRARY_PATH": "/cuda/lib64", "OCIO_ACTIVE_VIEWS": "Film"}
    configured.write_text(json.dumps({"env": own}))
    monkeypatch.setenv("LD_LIBRARY_PATH", "/host/lib")
    monkeypatch.setenv("LD_AUDIT", "")
    environment = psutil.Process(ensure_server().pid).environ()
    assert {name: environment[name] for name in own} == own
    assert "LD_AUDIT" not in environment
    assert environment["GVM_RUNTIME_DIR"] == str(folder)


@pytest.mark.parametrize("text", ["[]", '{"env": {"A": 1}}', '{"env": []}', '{"command": []}'])
def test_a_damaged_file_is_said_whatever_command_is_chosen(tmp_path: Path, text: str):
    """Its variables would otherwise be left out in silence."""
    configured = tmp_path / "config" / "gvm" / "server.json"
    configured.parent.mkdir(parents=True)
    configured.write_text(text)
    with pytest.raises(ServerError, match=r"server\.json"):
        ensure_server()


def test_a_server_that_is_killed_while_it_starts_is_started_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Twice; one that ends by itself is not."""
    count = tmp_path / "count"
    code = (
        "import os, runpy, signal, sys; file = open(sys.argv[1], 'a+'); file.write('x');"
        " file.flush(); file.seek(0);"
        " len(file.read()) < 3 and os.kill(os.getpid(), signal.SIGKILL);"
        " runpy.run_module('tests.fakes.small_server', run_name='__main__')"
    )
    monkeypatch.setenv("GVM_SERVER", shlex.join([sys.executable, "-c", code, str(count)]))
    assert ensure_server() == read_connection(folder)
    assert count.read_text() == "xxx"


def test_one_that_is_always_killed_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Not for ever: a machine without memory kills each."""
    monkeypatch.setattr(launcher, "_STARTS", 3)
    count = tmp_path / "count"
    words = ["sh", "-c", f"echo x >> {count}; kill -9 $$"]
    monkeypatch.setenv("GVM_SERVER", shlex.join(words))
    with pytest.raises(ServerStartFailed, match="exit code -9"):
        ensure_server()
    assert count.read_text().split() == ["x"] * 3


def test_a_server_that_lost_to_one_that_is_then_killed_is_started_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """Another client's server was faster, so ours ended; when it dies too, nobody serves."""
    lost = tmp_path / "lost"
    code = (
        "import os, pathlib, runpy, sys; lost, file = map(pathlib.Path, sys.argv[1:]);"
        " os.umask(0o077); again = lost.exists(); lost.touch();"
        " again or file.write_text('{}') and sys.exit(4);"
        " runpy.run_module('tests.fakes.small_server', run_name='__main__')"
    )
    words = [sys.executable, "-c", code, str(lost), str(connection_path(folder))]
    monkeypatch.setenv("GVM_SERVER", shlex.join(words))
    monkeypatch.setattr(launcher, "_RIVAL_SECONDS", 0.1)
    assert ensure_server() == read_connection(folder)
