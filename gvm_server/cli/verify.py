"""`gvm verify`: read every alpha of a folder and say which are not whole."""

from __future__ import annotations

import argparse
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError
from gvm_client.plural import counted
from gvm_server.cli.exits import Exit
from gvm_server.media.output import EXTENSION
from gvm_server.media.stamp import is_ours, prove_file


def run(parsed: argparse.Namespace) -> int:
    """Name each file that is damaged or not ours; exit OUTPUT where there is one."""
    folder = Path(parsed.folder)
    try:
        files = sorted(
            path
            for path in folder.iterdir()
            if path.suffix.lower() == EXTENSION and not path.name.startswith(".")
        )
    except OSError as error:
        raise InputError(
            f"{folder} cannot be read: {error.strerror}.",
            remedy="Name the folder of the alphas.",
            code=ErrorCode.PLATE_MISSING,
            path=str(folder),
        ) from error
    wrong = 0
    for path in files:
        if prove_file(path) is None:
            wrong += 1
            print(f"{path}: {_why(path)}")
    alphas = counted(len(files), "alpha", (f"in {folder} is", f"in {folder} are"))
    print(f"{len(files) - wrong} of {alphas} whole.")
    return Exit.OUTPUT if wrong else Exit.DONE


def _why(path: Path) -> str:
    if is_ours(path):
        return "damaged, or made by a version that wrote no checksum; ask for it again"
    return "not made by this program, or damaged from its first bytes on"
