"""Killed, it loses nothing: servers and clients that die in mid-job."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import OpenImageIO as oiio

from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.windows import Plan, windows_for
from tests.support.plates import write_plate
from tests.support.site import SMALL

PLAN = Plan(first=1, last=60, frames_per_window=6, overlap=2)
SLOW = {"GVM_TEST_ENGINE_SECONDS": "0.03"}  # a frame; 0.18 s a window


def _event(stream, word: str) -> dict:
    """Read events until one of this type comes."""
    for line in stream:
        event = json.loads(line)
        if event["type"] == word:
            return event
    raise AssertionError(f"No {word} came.")


def _finished(folder: Path) -> list[Path]:
    return sorted(folder.glob("plate.*.exr"))


def test_a_killed_server_is_started_again_and_no_finished_window_runs_twice(site, tmp_path):
    """Kill -9 in mid-job: whole files only, word within 5 seconds, the job finishes."""
    site.environment |= SLOW
    plate = write_plate(tmp_path / "plate", range(1, 61))
    client = site.start("matte", plate, "-o", "out", *SMALL, "--json")
    for _ in range(12):
        _event(client.stdout, "frame_ready")
    site.server().send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    for path in _finished(tmp_path / "out"):
        image = oiio.ImageInput.open(str(path))
        assert image is not None, f"{path} is not whole"
        assert image.read_image() is not None, f"{path} is not whole"
    recovered = _event(client.stdout, "recovered")
    assert time.monotonic() - killed_at < 5
    assert "died" in recovered["message"]
    rest, errors = client.communicate(timeout=60)
    assert client.returncode == 0, errors
    done = json.loads(rest.splitlines()[-1])
    assert done["type"] == "done"
    assert len(_finished(tmp_path / "out")) == 60
    everything = len(list(windows_for(PLAN, range(1, 61))))
    # The window that ran, and those still in the writers' hands, were not finished.
    assert len(site.windows_denoised()) <= everything + 3
    assert not list((tmp_path / "out").glob(".*")), "a temporary file was left"


def test_without_leave_to_start_the_client_says_what_happened(site, tmp_path):
    """With --no-start a dead server ends the client in 5 seconds with exit code 4."""
    site.environment |= SLOW
    plate = write_plate(tmp_path / "plate", range(1, 61))
    assert site.matte(plate, "warm", "--frames", "1").code == 0
    client = site.start("matte", plate, "-o", "out", *SMALL, "--json", "--no-start")
    _event(client.stdout, "frame_ready")
    site.server().send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    _, errors = client.communicate(timeout=20)
    assert time.monotonic() - killed_at < 5
    assert client.returncode == 4
    assert "server" in errors


def test_a_killed_client_ends_its_job_and_the_server_stays(site, tmp_path, eventually):
    """The server cancels the job of a client that vanished, and takes the next job."""
    site.environment |= SLOW
    plate = write_plate(tmp_path / "plate", range(1, 61))
    client = site.start("matte", plate, "-o", "out", *SMALL, "--json")
    _event(client.stdout, "frame_ready")
    client.send_signal(signal.SIGKILL)
    client.communicate()
    with Client(read_connection(site.runtime)) as watcher:
        eventually(lambda: [job.state for job in watcher.status().jobs] == ["cancelled"])
    assert len(_finished(tmp_path / "out")) < 60
    assert site.matte(plate, "next", "--frames", "1-3").code == 0


def test_a_killed_client_leaves_its_batch_job_running(site, tmp_path, eventually):
    """A batch job goes on without its client."""
    site.environment |= SLOW
    plate = write_plate(tmp_path / "plate", range(1, 31))
    client = site.start("matte", plate, "-o", "out", *SMALL, "--json", "--priority", "batch")
    _event(client.stdout, "frame_ready")
    client.send_signal(signal.SIGKILL)
    client.communicate()
    eventually(lambda: len(_finished(tmp_path / "out")) == 30)


def test_a_stale_connection_file_is_seen_through(site, tmp_path):
    """A server that was killed while idle leaves a file behind; the next job starts another."""
    plate = write_plate(tmp_path / "plate", range(1, 4))
    assert site.matte(plate, "one").code == 0
    site.kill_server()
    assert (site.runtime / "connection.json").exists()
    assert site.gvm("status").code == 4
    assert site.matte(plate, "two").code == 0
