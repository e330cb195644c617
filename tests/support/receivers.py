"""The libraries of farms that read our jobs, in a Python of their own.

They want other versions of what the server needs (`pyproject.toml`, the extra `farms`), so they are
no part of the test environment. `GVM_FARMS_PYTHON` names a Python that has them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

_SCRIPTS = Path(__file__).parents[1] / "tools" / "receivers"


def run_receiver(module: str, script: str, *words: object) -> str:
    """Run a script of `tests/tools/receivers` and return what it prints; skip where it cannot be.

    Args:
        module: that it imports.
        script: its name.
        words: its arguments.
    """
    python = os.environ.get("GVM_FARMS_PYTHON", "")
    if not python and find_spec(module) is None:
        pytest.skip(f"No Python with {module}: GVM_FARMS_PYTHON is not set (tests/README.md).")
    ran = subprocess.run(
        [python or sys.executable, _SCRIPTS / script, *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout
