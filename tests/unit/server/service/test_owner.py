"""A server of one command ends with it, also where it would rather go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gvm_client.folders import TASK_PREFIX
from gvm_server.service.owner import remove

# A server whose device is busy for long, and hears nothing meanwhile.
STUBBORN = """
import sys, time
from pathlib import Path
from gvm_server.service import owner
owner.LEAVE_SECONDS = 0.1
owner.end_with(0, lambda: print("asked", flush=True), Path(sys.argv[1]))
time.sleep(60)
"""


@pytest.mark.parametrize("name", [f"{TASK_PREFIX}abc", "gvm"])
def test_one_that_does_not_leave_is_ended_when_its_owner_has_gone(tmp_path: Path, name: str):
    """Asked first; its folder goes, and one that was not made for it stays."""
    folder = tmp_path / name
    folder.mkdir()
    server = subprocess.Popen(
        [sys.executable, "-c", STUBBORN, folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    server.stdin.write("what an owner says counts for nothing")
    server.stdin.flush()
    with pytest.raises(subprocess.TimeoutExpired):
        server.wait(timeout=1)
    said, _ = server.communicate(timeout=30)
    assert (said, server.returncode) == ("asked\n", 130)
    assert folder.exists() == (name == "gvm")


def test_a_folder_that_is_gone_is_no_trouble(tmp_path: Path):
    """The command may have deleted it."""
    remove(tmp_path / f"{TASK_PREFIX}gone")
