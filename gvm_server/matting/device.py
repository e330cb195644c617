"""The device that models run on; costs nothing until a model has brought torch in."""

from __future__ import annotations

import sys


def device_memory() -> tuple[int, int]:
    """Return the bytes that this process uses on the GPU, and those that are free; 0, 0 without."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return 0, 0
    free, _total = torch.cuda.mem_get_info()
    return int(torch.cuda.memory_reserved()), int(free)


def device_name() -> str:
    """Return the device's name in words."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "not looked at before an engine is loaded"
    if torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    return "CPU"
