"""`gvm cache` and `gvm verify`: the cache of finished work, and which finished alphas are whole."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from gvm_client.errors import ErrorCode, GvmError, InputError
from gvm_client.process import Exit
from gvm_client.text import counted
from gvm_server.cli.running_server import other_cache, running_status
from gvm_server.cli.terminal import as_json, size_in_words
from gvm_server.media.outputs.alpha_files import EXTENSION
from gvm_server.media.store.alpha_registry import AlphaRegistry, Verdict
from gvm_server.media.store.cache import CacheUsage, DiskCache
from gvm_server.media.store.memo import NOTHING
from gvm_server.settings import ServerSettings

_SAYS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.DAMAGED: "damaged, or made by a version that wrote no checksum; ask for it again",
        Verdict.CHANGED: "changed by another program since it was made",
        Verdict.FOREIGN: "not made by this program, or damaged beyond recognition",
    }
)


def run_cache(parsed: argparse.Namespace) -> int:
    """Show or clear the cache; a running server goes on with an empty one."""
    cache, says = cache_in_use()
    if says:
        print(says, file=sys.stderr)
    if parsed.action == "clear":
        freed = cache.clear()
        print(f"Freed {_in_words(freed)}.")
    elif parsed.json:
        usage = cache.usage()
        fields = {
            "path": str(usage.path),
            "files": usage.files,
            "bytes": usage.nbytes,
            "limit_bytes": usage.limit_bytes,
        }
        print(as_json(fields))
    else:
        usage = cache.usage()
        print(f"{_in_words(usage)}; the limit is {size_in_words(usage.limit_bytes)}.")
    return Exit.DONE


def cache_in_use(*, writes: bool = True) -> tuple[DiskCache, str]:
    """Return the running server's cache, else this shell's, and what is to be said of it."""
    settings = ServerSettings.from_environment()
    status = running_status()
    if status is None:
        return DiskCache(settings.cache_dir, settings.cache_limit_bytes, writes=writes), ""
    cache = DiskCache(Path(status.cache_path), status.cache_limit_bytes, writes=writes)
    return cache, other_cache(status, settings.cache_dir)


def _in_words(usage: CacheUsage) -> str:
    return f"{size_in_words(usage.nbytes)} in {counted(usage.files, 'file')} of {usage.path}"


def run_verify(parsed: argparse.Namespace) -> int:
    """Name each file that is damaged or not ours; exit OUTPUT where there is one.

    Raises:
        InputError: the folder cannot be read, or holds no EXR file: nothing was verified.
    """
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
    if not files:
        raise InputError(
            f"{folder} holds no EXR file: there is nothing to verify.",
            remedy="Name the folder of the alphas itself, not one above it.",
            code=ErrorCode.PLATE_MISSING,
            path=str(folder),
        )
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
