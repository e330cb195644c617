"""What a job means besides its settings, read from an environment."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gvm_client.context import job_context, read_umask


def test_paths_become_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A relative configuration is that of the asker's folder; a built-in one keeps its name."""
    monkeypatch.chdir(tmp_path)
    context = job_context({"OCIO": "a/../show.ocio", "GVM_WEIGHTS": "w"})
    assert context.ocio == str(tmp_path / "show.ocio")
    assert context.weights == str(tmp_path / "w")
    assert job_context({"OCIO": "ocio://default"}).ocio == "ocio://default"
    assert job_context({}).ocio == job_context({}).weights == ""


@pytest.mark.parametrize("umask", [0o022, 0o007, 0o077, 0o002])
def test_the_umask_is_the_processs_own(umask: int):
    """Read from the system where it says it."""
    code = "from gvm_client.context import read_umask; print(read_umask())"
    said = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, umask=umask)
    assert int(said.stdout) == umask


def test_where_the_system_does_not_say_it_is_put_back(tmp_path: Path):
    """Reading it leaves it as it was."""
    before = read_umask()
    assert read_umask(tmp_path / "none") == before
    after = os.umask(before)
    assert after == before
