"""`gvm cache`: how full the cache of finished work is, and emptying it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gvm_client.process import Exit
from gvm_client.text import counted
from gvm_server.cli.running import other_cache, running_status
from gvm_server.cli.words import as_json, size_in_words
from gvm_server.media.store.cache import CacheUsage, DiskCache
from gvm_server.settings import ServerSettings


def run(parsed: argparse.Namespace) -> int:
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


def cache_in_use() -> tuple[DiskCache, str]:
    """Return the running server's cache, else this shell's, and what is to be said of it."""
    settings = ServerSettings.from_environment()
    own = DiskCache(settings.cache_dir, settings.cache_limit_bytes)
    status = running_status()
    if status is None:
        return own, ""
    cache = DiskCache(Path(status.cache_path), status.cache_limit_bytes)
    return cache, other_cache(status, settings.cache_dir)


def _in_words(usage: CacheUsage) -> str:
    return f"{size_in_words(usage.nbytes)} in {counted(usage.files, 'file')} of {usage.path}"
