"""The build that speed is compared with, in a worktree of its own.

    python -m benchmarks.baseline

Prints the folder of commit 035ff6c, which is checked out below `build/` the first time. It runs by
this environment's Python and packages, so that both builds have the same; the one that is not here
any more, Fileseq, is installed beside it, which needs a network the first time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMMIT = "035ff6c"
FOLDER = ROOT / "build" / f"baseline-{COMMIT}"
PACKAGES = FOLDER / "build" / "packages"
LOST = "fileseq==2.3.2"


def tree() -> Path:
    """Return the baseline's folder; it is checked out where it is not there."""
    if not (FOLDER / "gvm_server").is_dir():
        subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)
        words = ["git", "worktree", "add", "--force", "--detach", str(FOLDER), COMMIT]
        subprocess.run(words, cwd=ROOT, check=True, stdout=sys.stderr)
    if not PACKAGES.is_dir():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--target", str(PACKAGES), LOST], check=True, stdout=sys.stderr)
    return FOLDER


def environment_of(folder: Path) -> dict[str, str]:
    """Return the variables by which Python imports a tree's packages and not the installed ones."""
    packages = (PACKAGES,) if folder == FOLDER else ()
    return {"PYTHONPATH": os.pathsep.join(map(str, (folder, folder / "nodes", *packages)))}


if __name__ == "__main__":
    print(tree())
