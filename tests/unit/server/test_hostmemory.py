"""What memory there is to be had, as Linux and its control groups say it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gvm_server.hostmemory import available_bytes

MEMINFO = "MemTotal:  2000 kB\nMemFree:  10 kB\nMemAvailable:  1000 kB\nCached:  900 kB\n"


@pytest.mark.parametrize(
    ("limit", "used", "kib"),
    [("max", "5", 1000), (f"{300 << 10}", f"{100 << 10}", 200), ("5", "7", 0), (None, None, 1000)],
)
def test_what_is_available_counts_within_a_containers_limit(
    tmp_path: Path, limit: str | None, used: str | None, kib: int
):
    """Not what is free: files in memory are given back."""
    (tmp_path / "meminfo").write_text(MEMINFO)
    for name, text in (("memory.max", limit), ("memory.current", used)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert available_bytes(tmp_path / "meminfo", tmp_path) == kib << 10


def test_elsewhere_the_system_is_asked(tmp_path: Path):
    """Without the kernel's file."""
    assert available_bytes(tmp_path / "none", tmp_path) > 1 << 20


def test_freed_memory_is_given_back():
    """What the C library keeps of many small pieces goes; elsewhere it is harmless."""
    code = """
import psutil
from gvm_server.hostmemory import give_back
pieces = [bytes(2000) for _ in range(40_000)]
kept = pieces[::400]
del pieces
before = psutil.Process().memory_info().rss
give_back()
print(before - psutil.Process().memory_info().rss)
"""
    ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, check=True)
    assert int(ran.stdout) >= (20 << 20 if sys.platform == "linux" else 0)
