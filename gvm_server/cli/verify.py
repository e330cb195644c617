"""`gvm verify`: read every alpha of a folder and say which are not whole."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from gvm_client.errors import ErrorCode, GvmError, InputError
from gvm_client.process import Exit
from gvm_client.text import counted
from gvm_server.cli.cache import cache_in_use
from gvm_server.media.outputs.alpha_files import EXTENSION
from gvm_server.media.store.alpha_registry import AlphaRegistry, Verdict
from gvm_server.media.store.memo import NOTHING

_SAYS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.DAMAGED: "damaged, or made by a version that wrote no checksum; ask for it again",
        Verdict.CHANGED: "changed by another program since it was made",
        Verdict.FOREIGN: "not made by this program, or damaged beyond recognition",
    }
)


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
    registry, wrong = _registry(), 0
    for path in files:
        if why := _why(path, registry):
            wrong += 1
            print(f"{path}: {why}")
    alphas = counted(len(files), "alpha", (f"in {folder} is", f"in {folder} are"))
    print(f"{len(files) - wrong} of {alphas} whole.")
    return Exit.OUTPUT if wrong else Exit.DONE


def _why(path: Path, registry: AlphaRegistry) -> str:
    """Return what is wrong with a file; "" where it is whole."""
    try:
        real = path.resolve() if path.is_symlink() else path
        if real.is_file():
            real.open("rb").close()
        verdict, _ = registry.examine(real)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except GvmError as error:
        return error.message
    return _SAYS.get(verdict, "")


def _registry() -> AlphaRegistry:
    """Return the record of what was written on this machine; an empty one where there is none."""
    try:
        cache, _ = cache_in_use()
    except GvmError:
        return AlphaRegistry(NOTHING)
    return cache.registry
