"""How many cores this process may use, and how many threads share them beside the model."""

from __future__ import annotations

import os
from pathlib import Path

READERS = 2  # threads that read ahead of the model
WRITERS = 2  # threads that refine and write behind it
MOST_OF_A_FILE = 4  # threads that unpack one EXR: it has few blocks, and there is other work

_QUOTA = Path("/sys/fs/cgroup/cpu.max")  # Linux control groups, version 2: "quota period" or "max"


def usable_cores(quota: Path = _QUOTA) -> int:
    """Return how many cores this process may use: its affinity's, within a container's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    count = count or 1
    try:
        allowed, period = quota.read_text(encoding="ascii").split()
        count = min(count, -(-int(allowed) // int(period)))
    except (OSError, ValueError, ZeroDivisionError):
        pass  # no such control, or no limit
    return max(count, 1)
