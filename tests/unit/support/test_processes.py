"""A test's processes end with it, and nothing that other tests need."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.support.tree import ROOT

_FIRST_TEST = """
import os
import psutil
from tests.support import forked

os.environ["GVM_RUNTIME_DIR"] = "/nowhere"
forked.share_nurseries()
assert len(nurseries := psutil.Process().children()) == 2
assert all("GVM_RUNTIME_DIR" not in nursery.environ() for nursery in nurseries)
assert os.environ["GVM_RUNTIME_DIR"] == "/nowhere"
"""


def test_what_serves_all_tests_does_not_belong_to_the_one_that_starts_it():
    """`kill_all_of` would end it; a test that is a client has its folder in the variables."""
    own = "GVM_TESTS_NURSERY_OF_"
    theirs = {name: text for name, text in os.environ.items() if not name.startswith(own)}
    ran = subprocess.run(
        [sys.executable, "-c", _FIRST_TEST],
        env=theirs,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
