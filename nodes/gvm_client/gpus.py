"""Which GPUs a farm gave to this task, in the words that farms have for it.

`CUDA_VISIBLE_DEVICES` is CUDA's own word: a child inherits it, and the driver shows no other.
Where only a farm's word is set, it is written out as CUDA's, in the order that the farm counts in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gvm_client.errors import SettingsError

CUDA_WORD = "CUDA_VISIBLE_DEVICES"
CUDA_ORDER = "CUDA_DEVICE_ORDER"
# Of farms that name a task's GPUs, and leave it to the task to keep to them. Each counts as
# `nvidia-smi` does, by the place on the bus.
FARM_WORDS = (
    "CUE_GPU_CORES",  # OpenCue, rqd/rqcore.py: the GPUs that the frame reserved, such as "0,2"
)
_NUMBERS = re.compile(r"\d+(,\d+)*")


def gpu_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables by which a server keeps to the GPUs that this task was given.

    None where CUDA's own word says it already, or no farm says anything.

    Raises:
        SettingsError: a farm's word is not a list of numbers.
    """
    if CUDA_WORD in environment:
        return {}
    for word in FARM_WORDS:
        numbers = environment.get(word, "").strip()
        if not numbers:
            continue
        if not _NUMBERS.fullmatch(numbers):
            raise SettingsError(
                f"{word} is {numbers!r}; it must be GPU numbers such as 0,2.",
                remedy=f"Set {CUDA_WORD} to the GPUs of this task, or unset {word}.",
            )
        return {CUDA_WORD: numbers, CUDA_ORDER: "PCI_BUS_ID"}
    return {}
