"""`gvm matte --own-server`: a farm counts the server with the task, and it ends with the task."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from gvm_client.folders import TASK_PREFIX
from tests.support.plates import read_alpha, write_plate
from tests.support.site import SMALL, Site

FRAMES = 12
# Linux counts a process's pages per core, and adds them up in batches: its most may lack some.
ROUGH = 1 << 20  # bytes
# Runs a task as a farm's worker does, and says the most memory that one of its processes had.
WORKER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
sys.exit(code)
"""

Until = Callable[..., object]


@pytest.fixture
def plate(tmp_path: Path) -> str:
    """A short plate."""
    return str(write_plate(tmp_path / "plate", range(1, FRAMES + 1)))


def words(plate: str, out: str) -> list[str]:
    """Return the command of a farm's task."""
    gvm = [sys.executable, "-m", "gvm_server"]
    return [*gvm, "matte", plate, "--out", out, *SMALL, "--own-server"]


def start(site: Site, command: list[str], **variables: str) -> subprocess.Popen[str]:
    """Start a task as farms do: in a session of its own, its output in a pipe."""
    return subprocess.Popen(
        command,
        env={**os.environ, **site.environment, **variables},
        cwd=site.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        text=True,
    )


def server_of(task: subprocess.Popen[str], eventually: Until) -> psutil.Process:
    """Return the server below a task, once the task's job is on its way there."""
    found: list[psutil.Process] = []

    def runs() -> bool:
        # While a program is loaded its words are there before its variables.
        below = psutil.Process(task.pid).children(recursive=True)
        found[:] = [one for one in below if "--owned" in one.cmdline() and one.environ()]
        return bool(found)

    eventually(runs)
    return found[0]


def folder_of(server: psutil.Process) -> Path:
    """Return a server's run-time folder."""
    folder = Path(server.environ()["GVM_RUNTIME_DIR"])
    assert folder.name.startswith(TASK_PREFIX)
    return folder


def made(out: Path) -> int:
    """Return how many alphas stand in a folder."""
    return len(list(out.glob("*.exr")))


def test_it_is_counted_with_the_task_and_leaves_nothing(site, tmp_path, plate, eventually):
    """In its session and on its cores; its memory is in what the parent is told at the end."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.05"
    one = min(os.sched_getaffinity(0))
    bound = ["taskset", "-c", str(one), *words(plate, "out")]
    task = start(site, [sys.executable, "-c", WORKER, *bound])
    server = server_of(task, eventually)
    folder = folder_of(server)
    assert os.getsid(server.pid) == os.getpgid(server.pid) == task.pid
    assert server.cpu_affinity() == [one]
    held = 0

    def working() -> bool:
        nonlocal held
        held = max(held, server.memory_info().rss)
        return bool(made(tmp_path / "out"))

    eventually(working)
    said, _ = task.communicate(timeout=60)
    assert task.returncode == 0, said
    assert int(said.rpartition("peak ")[2]) >= held - ROUGH > 0
    assert not server.is_running()
    assert not folder.exists()
    assert made(tmp_path / "out") == FRAMES


def test_it_makes_the_shared_server_s_files_and_leaves_that_alone(site, tmp_path, plate):
    """The artist's server on that host is neither used nor ended."""
    assert site.matte(plate, "shared").code == 0
    artist = site.server()
    assert artist is not None
    before = len(site.windows_denoised())
    assert site.gvm("cache", "clear").code == 0
    own = site.gvm(*words(plate, "own")[3:])
    assert own.code == 0, own.stderr
    assert len(site.windows_denoised()) == 2 * before
    assert site.server() == artist
    for path in sorted((tmp_path / "shared").glob("*.exr")):
        assert (read_alpha(tmp_path / "own" / path.name) == read_alpha(path)).all()


@pytest.mark.parametrize("ended_by", ["the task's process", "its group"])
def test_it_ends_with_a_task_that_is_killed(site, tmp_path, plate, eventually, ended_by):
    """SIGKILL to the task alone, and SIGTERM to its group: no process and no folder is left."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.2"
    task = start(site, words(plate, "out"))
    server = server_of(task, eventually)
    folder = folder_of(server)
    eventually(lambda: made(tmp_path / "out"))
    if ended_by == "its group":
        os.killpg(task.pid, signal.SIGTERM)
        assert task.wait(timeout=30) == 130
    else:
        task.kill()
    eventually(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    eventually(lambda: not folder.exists())
    task.communicate(timeout=30)
    assert 0 < made(tmp_path / "out") < FRAMES


def test_a_server_that_is_killed_is_replaced_by_another_of_the_task(
    site, tmp_path, plate, eventually
):
    """As where the memory ran out; the job is asked again, and nothing is left at the end."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.1"
    task = start(site, words(plate, "out"))
    server = server_of(task, eventually)
    folder = folder_of(server)
    eventually(lambda: made(tmp_path / "out"))
    server.kill()
    said, _ = task.communicate(timeout=60)
    assert task.returncode == 0, said
    assert "The job is asked for again." in said
    assert made(tmp_path / "out") == FRAMES
    assert not folder.exists()


def test_two_tasks_on_two_gpus_have_two_servers_that_see_one_each(site, plate, eventually):
    """By CUDA's own word and by OpenCue's, which is written out as CUDA's."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.1"
    tasks = [
        start(site, words(plate, "a"), CUDA_VISIBLE_DEVICES="0", CUE_GPU_CORES="7"),
        start(site, words(plate, "b"), CUE_GPU_CORES="1"),
    ]
    servers = [server_of(task, eventually) for task in tasks]
    assert len(set(servers)) == len({folder_of(server) for server in servers}) == 2
    assert [server.environ()["CUDA_VISIBLE_DEVICES"] for server in servers] == ["0", "1"]
    assert servers[1].environ()["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"
    for task in tasks:
        said, _ = task.communicate(timeout=60)
        assert task.returncode == 0, said


def test_a_server_that_does_not_start_is_told_and_leaves_nothing(site, plate):
    """Exit 4 with the end of its log, which goes with its folder."""
    code = "import os; print(os.environ['GVM_RUNTIME_DIR'], 'no such device'); raise SystemExit(7)"
    site.environment["GVM_SERVER"] = f'{sys.executable} -c "{code}"'
    ran = site.gvm(*words(plate, "out")[3:])
    assert ran.code == 4
    assert "exit code 7" in ran.stderr
    assert "no such device" in ran.stderr
    (folder,) = {word for word in ran.stderr.split() if Path(word).name.startswith(TASK_PREFIX)}
    assert not Path(folder).exists()


def test_gpus_that_are_not_understood_start_nothing(site, plate):
    """A task must not take another task's GPU because its own was not understood."""
    site.environment["CUE_GPU_CORES"] = "GPU-7"
    ran = site.gvm(*words(plate, "out")[3:])
    assert ran.code == 2
    assert "CUE_GPU_CORES is 'GPU-7'" in ran.stderr
