"""Servers that are forked for tests are to their starter what the real command is."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from gvm_client.process import is_alive
from gvm_client.server_config import server_environment
from tests.support import forked
from tests.support.serving import until
from tests.support.site import Site, machine

PATIENCE = 20.0  # seconds


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A machine of its own."""
    with machine(tmp_path) as site:
        yield site


def start(site: Site, **more: str) -> subprocess.Popen[bytes]:
    """Start a server as a host does."""
    environment = server_environment({**os.environ, **site.environment}, more, same_python=True)
    words = shlex.split(forked.command())
    return subprocess.Popen(words, env=environment, stderr=subprocess.PIPE)


def pid_of(site: Site) -> int:
    """Return the server's process, once it answers."""
    assert until(lambda: site.server() is not None, PATIENCE)
    server = site.server()
    assert server is not None
    return server.pid


def test_it_is_a_process_of_its_own_that_ends_as_its_program_does(site: Site):
    """A word ends it with 0; who starts it is told, and its log is that program's stream."""
    program = start(site)
    server = pid_of(site)
    assert server != program.pid
    assert psutil.Process(server).cmdline()[1:3] == ["-m", "tests.support.nursery"]
    assert os.getsid(server) == server
    assert site.gvm("stop").code == 0
    _, log = program.communicate(timeout=PATIENCE)
    assert program.returncode == 0
    assert b"Serving in" in log


@pytest.mark.parametrize("killed", ["server", "program"])
def test_either_takes_the_other_along(site: Site, killed: str):
    """A killed server is a killed program; with a killed program no server is left."""
    program = start(site)
    server = pid_of(site)
    os.kill(server if killed == "server" else program.pid, signal.SIGKILL)
    program.communicate(timeout=PATIENCE)
    assert program.returncode == -signal.SIGKILL
    assert until(lambda: not is_alive(server, 0), PATIENCE)


def test_variables_that_are_read_at_a_start_get_a_start(site: Site):
    """Of the interpreter, and of a library."""
    program = start(site, OMP_NUM_THREADS="7")
    server = psutil.Process(pid_of(site))
    assert server.pid == program.pid
    assert server.cmdline()[1:] == ["-m", "gvm_server", "serve"]
    assert server.environ()["OMP_NUM_THREADS"] == "7"
    site.kill_server()
    program.communicate(timeout=PATIENCE)
