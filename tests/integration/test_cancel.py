"""Cancel is prompt: the job ends within one window, and the server takes the next."""

from __future__ import annotations

import json
import signal
import time

from gvm_client.client import Client
from gvm_client.connection import read_connection
from tests.support.plates import write_plate
from tests.support.site import SMALL

WINDOW_SECONDS = 6 * 0.2
MARGIN_SECONDS = 1.5  # for a busy machine; the window is given up between its steps
SLOW = {"GVM_TEST_ENGINE_SECONDS": "0.2"}  # a frame


def _accepted(process) -> dict:
    for line in process.stdout:
        event = json.loads(line)
        if event["type"] == "accepted":
            return event
    raise AssertionError("The job was not accepted.")


def _started(site, tmp_path):
    site.environment |= SLOW
    plate = write_plate(tmp_path / "plate", range(1, 201))
    process = site.start("matte", plate, "-o", "out", *SMALL, "--json")
    return plate, process, _accepted(process)["job"]


def test_control_c_ends_the_job_within_one_window(site, tmp_path, eventually):
    """Ctrl-C: exit code 130, the job is cancelled, the next job runs."""
    plate, process, _ = _started(site, tmp_path)
    with Client(read_connection(site.runtime)) as watcher:
        process.send_signal(signal.SIGINT)
        asked_at = time.monotonic()
        eventually(lambda: [job.state for job in watcher.status().jobs] == ["cancelled"])
        assert time.monotonic() - asked_at < WINDOW_SECONDS + MARGIN_SECONDS
    process.communicate(timeout=20)
    assert process.returncode == 130
    assert site.matte(plate, "next", "--frames", "1").code == 0


def test_gvm_cancel_ends_the_job_and_its_client(site, tmp_path):
    """`gvm cancel` with the start of the job's name: the client ends with 130."""
    _, process, job = _started(site, tmp_path)
    assert site.gvm("cancel", job[:8]).code == 0
    asked_at = time.monotonic()
    output, _ = process.communicate(timeout=20)
    assert time.monotonic() - asked_at < WINDOW_SECONDS + MARGIN_SECONDS
    assert process.returncode == 130
    assert json.loads(output.splitlines()[-1])["type"] == "cancelled"


def test_a_farm_s_terminate_cancels_too(site, tmp_path):
    """SIGTERM ends the client as Ctrl-C does."""
    _, process, _ = _started(site, tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 130


def test_an_interactive_frame_passes_a_batch_job(site, tmp_path):
    """The frame under the playhead is made between two windows of a batch job."""
    site.environment |= SLOW
    plate = write_plate(tmp_path / "plate", range(1, 201))
    batch = site.start("matte", plate, "-o", "out", *SMALL, "--json", "--priority", "batch")
    _accepted(batch)
    frame = site.matte(plate, "frame", "--frames", "57", "--priority", "interactive")
    assert frame.done["frames_written"] == 1
    assert batch.poll() is None, "the batch job was not passed"
    assert site.gvm("stop", "--yes").code == 0
    batch.communicate(timeout=20)
    assert batch.returncode == 130


def test_cancelling_what_is_not_there_names_the_remedy(site, tmp_path):
    """An unknown job is wrong input, as a plate that is not there; without a server it is that."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    assert site.matte(plate, "out").code == 0
    ran = site.gvm("cancel", "abcdef")
    assert ran.code == 3
    assert "gvm status" in ran.stderr
    assert site.gvm("stop").code == 0
    assert site.gvm("cancel", "abcdef").code == 4
