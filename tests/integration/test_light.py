"""Light where it must be: what starts often answers at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.support.plates import write_plate

HEAVY = {"numpy", "torch", "OpenImageIO", "cv2", "PIL", "av", "rich"}
TRIES = 5  # the fastest of them: the machine may be busy with other tests


def _least_work(command: list[str], environment: Mapping[str, str] | None = None) -> float:
    """Return the seconds of a core that a command takes: what it has to wait for is not its own."""
    seconds = []
    for _ in range(TRIES):
        before = os.times()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        after = os.times()
        user = after.children_user - before.children_user
        seconds.append(user + after.children_system - before.children_system)
    return min(seconds)


def _loaded(imports: str, modules: set[str]) -> list[str]:
    """Return which of some modules a fresh interpreter has loaded after it imported others."""
    code = f"import sys; import {imports}; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    return sorted(modules.intersection(loaded))


def test_the_light_client_loads_neither_numpy_nor_torch(tmp_path):
    """A host's Python imports the client; only the standard library, zmq and msgpack come along."""
    imports = "gvm_client, gvm_client.client, gvm_client.session"
    assert _loaded(imports, HEAVY | {"gvm_server"}) == []


def test_a_command_that_mattes_loads_no_more_than_it_shows():
    """Neither what draws a bar, where nobody watches one, nor what the server reads files by."""
    assert _loaded("gvm_server.cli.matte.command", HEAVY | {"asyncio"}) == []


def test_help_answers_in_under_0_3_seconds():
    """`gvm --help` and `gvm matte --help`."""
    for words in (["--help"], ["matte", "--help"]):
        command = [sys.executable, "-m", "gvm_server", *words]
        assert _least_work(command) < 0.3


def test_status_answers_in_under_half_a_second(site, tmp_path):
    """`gvm status` with a running server."""
    assert site.matte(write_plate(tmp_path / "plate", range(1, 3)), "out").code == 0
    command = [sys.executable, "-m", "gvm_server", "status"]
    environment = {**os.environ, **site.environment}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert "GVM server" in ran.stdout
    assert _least_work(command, environment) < 0.5
