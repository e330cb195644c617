"""Libraries that report to their makers are told not to: nothing leaves the machine.

onnxruntime does so by default from its wheel for Linux 1.32.0 on (`Privacy.md` in it): where it is
imported it keeps an identifier of the machine and a file of events below the user's cache folder,
and a thread that sends them. Its own call against that comes too late; the variable does not.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from types import MappingProxyType

REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "ORT_DISABLE_TELEMETRY": "1",  # onnxruntime's, read where it is imported
        "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub's and diffusers', as early
        "DO_NOT_TRACK": "1",  # of whatever keeps to it
    }
)


def refuse_telemetry(environment: MutableMapping[str, str] = os.environ) -> None:
    """Set the variables, whatever they were: it is promised to everybody."""
    environment.update(REFUSALS)
