"""The device that models run on; PyTorch is loaded only where a GPU has to be looked for."""

from __future__ import annotations

import sys

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.maker import version


def device_memory(name: str) -> tuple[int, int]:
    """Return the bytes that this process uses on its GPU, and those that are free; 0, 0 without.

    Args:
        name: the server's choice of a device. No GPU is touched that no engine has used: a look at
            one takes some hundred megabytes of it.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0, 0
    device = _cuda(name)
    free, _total = torch.cuda.mem_get_info(device)
    return int(torch.cuda.memory_reserved(device)), int(free)


def device_name(name: str) -> str:
    """Return the device in words; as `device_memory`, it touches none."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "not looked at before an engine is loaded"
    if torch.cuda.is_initialized():
        return str(torch.cuda.get_device_name(_cuda(name)))
    return "CPU"


def _cuda(name: str) -> str:
    return name if name.startswith("cuda") else "cuda"


def resolved_device(name: str) -> str:
    """Return PyTorch's name of the device that a choice comes to, `auto` included.

    Raises:
        EngineError: it is not there.
    """
    built_for_the_cpu = version("torch").endswith("+cpu")
    if name == "cpu" or (name == "auto" and built_for_the_cpu):
        return "cpu"
    import torch  # noqa: PLC0415 - heavy

    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    device = torch.device(name)
    there = {"mps": mps, "cuda": cuda and (device.index or 0) < torch.cuda.device_count()}
    if not there[device.type]:
        raise EngineError(
            f"The device {name!r} is not available to this PyTorch ({torch.__version__}).",
            remedy="Choose another device, or install a PyTorch build for it.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        )
    return name
