"""The preview engine: a small embedded person-segmentation network for any machine."""

from __future__ import annotations

from gvm_client.settings import ModelSettings
from gvm_server.matting.engines.base import EngineEntry, EngineInfo
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.preview.engine import LIMITS, info


def _describe(model: ModelSettings, machine: Machine) -> EngineInfo:
    """Describe it; `auto` is the CPU, for which it is made."""
    del model
    device = machine.options.device
    return info("cpu" if device == "auto" else device)


ENTRY = EngineEntry(describe=_describe, limits=LIMITS)
