"""A server that leaves, and those who come meanwhile."""

from __future__ import annotations

import subprocess
import threading
import uuid
from pathlib import Path

import pytest

from gvm_client.client import Client
from gvm_client.connection import read_connection
from gvm_client.process import is_alive
from gvm_client.protocol.messages import Done, EngineName, FileOutput, FilePlate, Matte
from gvm_client.session import resilient_matte
from gvm_client.settings import WindowSettings
from tests.support.plates import write_plate
from tests.support.serving import until
from tests.support.site import SMALL, Site

FRAMES = range(1, 4)


@pytest.fixture
def here(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """This process is a client on the site's machine."""
    for name, value in site.environment.items():
        monkeypatch.setenv(name, value)
    return site


def request(plate: str, out: Path) -> Matte:
    """Return a request for the plate's alphas."""
    return Matte(
        job=uuid.uuid4().hex,
        plate=FilePlate(path=plate),
        output=FileOutput(path=str(out)),
        window=WindowSettings(frames_per_window=6, overlap=2, size=32),
        engine=EngineName.TEST,
    )


def test_a_job_that_arrives_while_the_server_leaves_is_served_by_the_next(
    here: Site, tmp_path: Path
):
    """By clients that hold its connection already, and by those that look for one."""
    plate = write_plate(tmp_path / "plate", FRAMES, width=48, height=32)
    assert here.matte(plate, tmp_path / "warm").code == 0
    for number in range(3):
        connection = read_connection(here.runtime)
        with Client(connection) as client:
            client.stop()
            late = [
                threading.Thread(target=matte, args=(plate, tmp_path / f"{number}{name}"))
                for name in "abc"
            ]
            for thread in late:
                thread.start()
            for thread in late:
                thread.join()
        for name in "abc":
            assert len(list((tmp_path / f"{number}{name}").iterdir())) == len(FRAMES)
        assert until(lambda gone=connection: not is_alive(gone.pid, gone.started), seconds=60)


def matte(plate: str, out: Path) -> None:
    """Ask once, and hear it to its end."""
    events = list(resilient_matte(request(plate, out)))
    assert isinstance(events[-1], Done)


def test_a_server_whose_device_failed_ends_and_the_next_takes_up_its_jobs(
    here: Site, tmp_path: Path
):
    """After some CUDA errors a process cannot use the GPU any more; no job is lost with it."""
    lost = tmp_path / "lost"
    lost.touch()
    here.environment |= {"GVM_TEST_ENGINE_LOST": str(lost), "GVM_TEST_ENGINE_SECONDS": "0.01"}
    plate = write_plate(tmp_path / "plate", range(1, 13), width=48, height=32)
    jobs = [here.start("matte", plate, "-o", str(tmp_path / name), *SMALL) for name in "ab"]
    for job in jobs:
        _, said = job.communicate(timeout=60)
        assert job.returncode == 0, said
    assert not lost.exists()
    for name in "ab":
        assert len(list((tmp_path / name).iterdir())) == 12
    assert "The server ends" in (here.runtime / "server.log").read_text()


def test_a_second_server_waits_for_one_that_leaves_and_no_other(here: Site):
    """One that stays is named at once."""
    first = here.start("serve")
    assert until(lambda: here.server() is not None, seconds=60)
    refused = here.gvm("serve")
    assert refused.code == 4
    assert str(first.pid) in refused.stderr
    with Client(read_connection(here.runtime)) as client:
        client.stop()
    second = here.start("serve")
    assert first.wait(60) == 0
    assert until(
        lambda: (found := here.server()) is not None and found.pid == second.pid, seconds=60
    )
    assert here.gvm("stop").code == 0
    assert second.wait(60) == 0
    for process in (first, second):
        close(process)


def close(process: subprocess.Popen[str]) -> None:
    """Close a process's pipes."""
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
