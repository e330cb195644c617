"""The preview engine: a small embedded person-segmentation network for any machine."""

from __future__ import annotations

from gvm_client.settings import ModelSettings
from gvm_server.matting.engines.base import EngineEntry, EngineInfo
from gvm_server.matting.engines.machine import Machine
from gvm_server.matting.engines.preview.engine import LIMITS, info


def _describe(model: ModelSettings, machine: Machine) -> EngineInfo:
    """Describe it: it runs on the CPU, whatever device the machine's owner chose for GVM."""
    del model, machine
    return info()


ENTRY = EngineEntry(describe=_describe, limits=LIMITS)
