"""The GVM engine: the released checkpoint, run exactly and in bounded memory."""

from __future__ import annotations

from pathlib import Path

from gvm_client.settings import ModelSettings, WindowSettings
from gvm_server.matting.engines.base import EngineEntry, EngineInfo
from gvm_server.matting.engines.machine import Machine

# Each function imports its module when it is called: the weights are looked after by modules of
# this package where numpy and PyTorch need not be installed.


def _describe(model: ModelSettings, machine: Machine) -> EngineInfo:
    from gvm_server.matting.engines.gvm.info import describe  # noqa: PLC0415

    return describe(model, machine)


def _gpu_bytes(size: tuple[int, int], window: WindowSettings, weights: Path | None) -> int:
    from gvm_server.matting.engines.gvm.fit import gpu_bytes  # noqa: PLC0415

    return gpu_bytes(size, window, weights)


def _host_bytes(size: tuple[int, int], window: WindowSettings, weights: Path | None) -> int:
    from gvm_server.matting.engines.gvm.fit import host_bytes  # noqa: PLC0415

    return host_bytes(size, window, weights)


ENTRY = EngineEntry(describe=_describe, gpu_bytes=_gpu_bytes, host_bytes=_host_bytes)
