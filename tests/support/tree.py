"""Where the parts of the source tree lie, for tests that read them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
GOLDEN = ROOT / "tests" / "golden"


def copy_source(folder: Path) -> None:
    """Copy the program's packages into a folder, for a test that changes them."""
    for package in ("nodes/gvm_client", "nodes/gvm_nodes", "gvm_server", "plugin_host"):
        shutil.copytree(
            ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__")
        )


def run_in_copy(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with the packages that `copy_source` put into a folder."""
    paths = os.pathsep.join([str(folder / "nodes"), str(folder)])
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
