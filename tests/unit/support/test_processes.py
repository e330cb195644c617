"""A test's processes end with it, and nothing that other tests need."""

from __future__ import annotations

import subprocess
import sys

from tests.support.tree import ROOT

_FIRST_TEST = """
import os
from multiprocessing import forkserver
import psutil
from tests.support import forked
from tests.support.serving import until

def started():
    below = psutil.Process().children(recursive=True)
    return [process for process in below if "multiprocessing" in " ".join(process.cmdline())]

os.environ["GVM_RUNTIME_DIR"] = "/nowhere"
forked.context()
forkserver.ensure_running()
assert until(lambda: len(started()) == 2)  # it, and what looks after its resources
assert all("GVM_RUNTIME_DIR" not in process.environ() for process in started())
assert os.environ["GVM_RUNTIME_DIR"] == "/nowhere"
"""


def test_what_serves_all_tests_does_not_belong_to_the_one_that_starts_it():
    """`kill_all_of` would end it; a test that is a client has its folder in the variables."""
    ran = subprocess.run(
        [sys.executable, "-c", _FIRST_TEST], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
