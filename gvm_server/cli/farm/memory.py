"""The GPU memory that a farm's host must have for a job's settings, by the planner."""

from __future__ import annotations

from pathlib import Path

import torch

from gvm_client.settings import WindowSettings
from gvm_server.matting.engines.gvm.config import RELEASED
from gvm_server.matting.engines.gvm.device import place_on
from gvm_server.matting.engines.gvm.fit import HEADROOM, least_bytes, plan_window
from gvm_server.matting.engines.gvm.info import PAD_MULTIPLE
from gvm_server.matting.engines.gvm.options import GvmOptions
from gvm_server.matting.engines.gvm.reading import read_config
from gvm_server.matting.engines.gvm.store import find_weights
from gvm_server.matting.working import working_size

MIB = 1 << 20


def gpu_mib(size: tuple[int, int], window: WindowSettings, weights: Path | None) -> int:
    """Return the MiB of a CUDA device that run these settings on a plate of width x height.

    Where the weights are not on this machine, the released ones' configuration is taken.

    Raises:
        EngineError: the weights' configuration cannot be read.
    """
    width, height = size
    folder = find_weights(weights)
    config = read_config(folder, folder / "unet") if folder else RELEASED
    placement = place_on(torch.device("cuda"), GvmOptions(), config.vae)
    working = working_size(height, width, window, PAD_MULTIPLE)
    needed = least_bytes(plan_window(config, placement, working, window), placement)
    return -int(-needed // (HEADROOM * MIB))
