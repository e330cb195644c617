"""How many cores there are, and what each library gets of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gvm_server.cores import usable_cores
from gvm_server.threads import share_cores, thread_variables


@pytest.mark.parametrize(
    ("text", "cores"),
    [("100000 100000", 1), ("1 100000", 1), ("max 100000", 0), ("x", 0), ("5 0", 0), (None, 0)],
)
def test_a_containers_quota_counts(tmp_path: Path, text: str | None, cores: int):
    """A farm's container has few of the host's cores; 0 stands for all that the process may use."""
    quota = tmp_path / "cpu.max"
    if text is not None:
        quota.write_text(text)
    assert usable_cores(quota) == (cores or len(os.sched_getaffinity(0)))


@pytest.mark.parametrize("cores", [1, 2, 4, 16, 96])
def test_calls_that_run_at_once_have_no_more_than_the_cores(cores: int):
    """Two readers and two writers."""
    given = thread_variables(cores)
    for name in ("OPENCV_FOR_THREADS_NUM", "OPENIMAGEIO_THREADS"):
        assert 4 * int(given[name]) <= max(cores, 4)
    assert int(given["OMP_NUM_THREADS"]) == cores


def test_what_a_user_set_stays():
    """The rest is filled in."""
    environment = {"OMP_NUM_THREADS": "3"}
    share_cores(environment)
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["OMP_WAIT_POLICY"] == "PASSIVE"


def test_the_libraries_follow():
    """Each says the number of threads that its variable names, once it is loaded."""
    code = """
import json, os
from gvm_server.threads import share_cores, thread_variables
os.environ.update(thread_variables(12))
import cv2, OpenImageIO, torch
print(json.dumps([torch.get_num_threads(), cv2.getNumThreads(),
                  OpenImageIO.get_int_attribute("threads")]))
"""
    cleared = {name: text for name, text in os.environ.items() if name not in thread_variables(1)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=cleared, stdout=subprocess.PIPE, check=True
    )
    assert json.loads(said.stdout) == [min(12, os.cpu_count() or 1), 3, 3]  # PyTorch has its bound
