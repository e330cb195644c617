"""`gvm stop` asks before it ends others' jobs, and ends silent servers and other releases'."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from gvm_client import client, releases
from gvm_client.connection import connection_path, read_connection
from gvm_client.launcher import ensure_server
from gvm_client.process import Exit, is_alive, start_ticks
from gvm_client.session import Recovered, resilient_matte
from gvm_server.cli import stop
from gvm_server.cli.main import build_parser, main
from gvm_server.cli.matte.original import translate
from gvm_server.cli.matte.request import request_from
from gvm_server.service.instance_lock import LOCK_NAME
from tests.support.plates import write_plate
from tests.support.site import SMALL, Site


@contextmanager
def job(site: Site, tmp_path: Path):
    """Run a slow job of another client."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.1"
    plate = write_plate(tmp_path / "plate", range(1, 201))
    with site.start("matte", plate, "-o", "out", *SMALL, "--json") as process:
        assert json.loads(process.stdout.readline())
        yield process
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)


@pytest.fixture
def here(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Let this process be a shell of the site, and impatient."""
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(stop, "SILENT_SECONDS", 0.3)
    monkeypatch.setattr(stop, "START_SECONDS", 0.3)
    monkeypatch.setattr(stop, "TERM_SECONDS", 2.0)
    monkeypatch.setattr(client, "CONTROL_SECONDS", 1.0)
    return site


@pytest.fixture
def alone(here: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Let its servers be no forks: these are not known by their command lines."""
    monkeypatch.delenv("GVM_SERVER")
    return here


def rewrite(site: Site, **fields: object) -> None:
    """Change what the connection file says."""
    path = connection_path(site.runtime)
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_without_a_terminal_a_running_job_is_ended_only_with_yes(site, tmp_path):
    """Exit code 4, and the job goes on."""
    with job(site, tmp_path) as running:
        for words in ((), ("--force",)):  # force is for a silent server
            ran = site.gvm("stop", *words)
            assert ran.code == 4
            assert "1 job is running" in ran.stderr
            assert "--yes" in ran.stderr
        assert running.poll() is None
        assert site.gvm("stop", "--yes").code == 0
        running.wait(20)
    assert running.returncode == 130
    assert site.server() is None


@pytest.mark.parametrize(("answer", "code"), [(b"n\n", 130), (b"\x04", 130), (b"y\n", 0)])
def test_on_a_terminal_a_person_is_asked(site, tmp_path, answer, code):
    """Anything but yes leaves the server as it is."""
    with job(site, tmp_path):
        master, slave = pty.openpty()
        os.write(master, answer)
        ran = subprocess.run(
            [sys.executable, "-m", "gvm_server", "stop"],
            env={**os.environ, **site.environment},
            stdin=slave,
            capture_output=True,
            text=True,
        )
        os.close(master)
        os.close(slave)
        assert ran.returncode == code
        assert "1 job is running in the server. End it?" in ran.stderr
        assert (site.server() is None) is (code == 0)


def test_a_stopped_server_is_ended_by_force_only(alone, capsys):
    """It says how long the server was silent, and with force it ends in order."""
    server = ensure_server()
    os.kill(server.pid, signal.SIGSTOP)
    assert main(["stop"]) == Exit.SERVER
    assert "--force" in capsys.readouterr().err
    assert is_alive(server.pid, server.started)
    assert main(["stop", "--force"]) == Exit.DONE
    assert not is_alive(server.pid, server.started)
    assert not connection_path(alone.runtime).exists()


def test_a_server_that_takes_no_signal_is_killed(here, tmp_path):
    """One that hangs, with the lock in its hand; here before it listens."""
    here.runtime.mkdir(exist_ok=True, mode=0o700)
    code = (
        "import os, signal, sys, time; from pathlib import Path;"
        "from gvm_server.service.instance_lock import InstanceLock;"
        "lock = InstanceLock(Path(sys.argv[1]));"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)"
    )
    words = [sys.executable, "-c", code, str(here.runtime), "gvm_server", "serve"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as hung:
        assert hung.stdout.readline()
        assert main(["stop"]) == Exit.SERVER
        assert main(["stop", "--force"]) == Exit.DONE
        assert hung.wait(5) == -signal.SIGKILL
    assert main(["stop"]) == Exit.DONE


@pytest.mark.parametrize("holds_lock", [False, True])
def test_a_process_that_is_not_the_server_gets_no_signal(here, capsys, holds_lock):
    """Its number and start time stand in the file; the lock or its command line is another's."""
    server = ensure_server()
    connection = json.loads(connection_path(here.runtime).read_text())
    assert main(["stop"]) == Exit.DONE
    lock = (here.runtime / LOCK_NAME).open("r+")
    with subprocess.Popen(["sleep", "60"], pass_fds=[lock.fileno()]) as stranger:
        if holds_lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            lock.truncate(0)
            lock.write(f"{stranger.pid}\n")
        lock.close()
        path = connection_path(here.runtime)
        path.touch(0o600)
        path.write_text(json.dumps(connection))
        rewrite(here, pid=stranger.pid, started=start_ticks(stranger.pid))
        assert main(["stop", "--force"]) == Exit.SERVER
        assert f"{stranger.pid} is not known to be the server" in capsys.readouterr().err
        assert stranger.poll() is None
        stranger.kill()
    path.unlink()
    assert server.pid != stranger.pid


def test_a_server_of_another_protocol_is_asked_in_its_own(here):
    """What it speaks is heard from itself, whatever its file says."""
    server = ensure_server()
    rewrite(here, protocol=99, later=[])
    assert main(["stop"]) == Exit.DONE
    assert not is_alive(server.pid, server.started)


def test_a_server_that_is_not_understood_is_ended_by_its_process(alone):
    """Its protocol is another, and so is its way to talk."""
    server = ensure_server()
    rewrite(alone, protocol=99, control="")
    assert main(["stop"]) == Exit.DONE
    assert not is_alive(server.pid, server.started)


def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process's client be of a later release than the servers that it starts."""
    monkeypatch.setattr(releases, "__version__", "999.0.0")


def test_a_newer_client_replaces_an_older_idle_server_and_says_so(alone, tmp_path, monkeypatch):
    """Both releases are named, before the job's own story."""
    old = ensure_server()
    newer(monkeypatch)
    request = request_for(write_plate(tmp_path / "plate", range(1, 3)), tmp_path / "out")
    events = list(resilient_matte(request))
    assert isinstance(events[0], Recovered)
    assert f"release {old.version} " in events[0].message
    assert "release 999.0.0 " in events[0].message
    assert read_connection(alone.runtime).pid != old.pid


def test_an_older_server_with_a_job_is_used(alone, tmp_path, monkeypatch):
    """It speaks the same protocol."""
    newer(monkeypatch)
    with job(alone, tmp_path):
        old = read_connection(alone.runtime)
        assert ensure_server() == old
        assert main(["stop", "--yes"]) == Exit.DONE


def test_a_newer_server_and_one_with_options_of_its_own_stay(alone, tmp_path, monkeypatch):
    """What somebody confined is not replaced by what is not."""
    with alone.start("serve", "--root", str(tmp_path)) as server:
        while alone.server() is None:
            time.sleep(0.02)
        newer(monkeypatch)
        assert ensure_server().pid == server.pid
        assert main(["stop"]) == Exit.DONE
        server.communicate(timeout=20)
    ensure_server()
    monkeypatch.setattr(releases, "__version__", "0.0.1")
    assert ensure_server().pid == ensure_server().pid


def request_for(plate: str, out: Path):
    """Return a request as `gvm matte` makes it."""
    parsed = build_parser().parse_args(["matte", plate, "-o", str(out), *SMALL])
    return request_from(translate(parsed))
