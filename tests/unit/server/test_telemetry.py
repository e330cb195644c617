"""Nothing leaves the machine: what a library would report, it is told not to."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gvm_server.telemetry import REFUSALS, refuse_telemetry

# Everything of ours that a library comes with, and a picture looked at.
LOOK = """
import numpy as np
from gvm_server.matting.engines.preview.nets import SQUARE, Nets
Nets().see(SQUARE, np.zeros((1, 3, 256, 256), np.float32))
"""
REPORTS = "import onnxruntime"  # by itself


def left_behind(tmp_path, code, **variables: str):
    """Return the files that a process leaves in a user's folders."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: os.environ[name] for name in ("PATH",) if name in os.environ}
    environment = {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache"), **variables}
    command = [sys.executable, "-B", "-c", code]
    subprocess.run(command, check=True, env=environment)
    return sorted(path.name for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize("value", ["", "0"])
def test_the_preview_engine_leaves_no_identifier_and_no_events(tmp_path, value):
    """It keeps both from 1.32 on, and sends them: also where someone's variable lets it."""
    variables = {"ORT_DISABLE_TELEMETRY": value} if value else {}
    assert left_behind(tmp_path, LOOK, **variables) == []


def test_without_the_variable_it_would(tmp_path):
    """Else the test above could not fail. A release that reports nothing may leave nothing."""
    found = left_behind(tmp_path, REPORTS)
    assert found in ([], ["deviceid", "onnxruntime.db"]), found


def test_they_are_set_whatever_they_were():
    """It is a promise, and no default."""
    environment = {"ORT_DISABLE_TELEMETRY": "0", "PATH": "/bin"}
    refuse_telemetry(environment)
    assert environment == {**REFUSALS, "PATH": "/bin"}


def test_every_process_of_ours_has_them():
    """The package's first import says so, before any library's."""
    code = "import gvm_server, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    environment = {name: value for name, value in os.environ.items() if name not in REFUSALS}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert ran.stdout.split() == ["1"]
