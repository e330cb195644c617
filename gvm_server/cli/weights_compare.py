"""`gvm weights compare`: the engine beside diffusers' stock networks, on the user's own frames."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path

import numpy as np

from gvm_client.errors import SettingsError
from gvm_client.process import Exit
from gvm_client.protocol.messages import EngineName, MappedOutput, Matte
from gvm_client.settings import ModelSettings, window_settings
from gvm_server.cli.cache import cache_in_use
from gvm_server.cli.matte.request import absolute, context_of, file_plate
from gvm_server.cli.terminal import as_json
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.compare import StageDifference, compare
from gvm_server.matting.engines.gvm.weights_folder import weights_dir
from gvm_server.matting.engines.machine import Machine, MachineOptions
from gvm_server.matting.preprocess import preprocess
from gvm_server.matting.stage_timer import StageTimer
from gvm_server.media.file_access import Roots
from gvm_server.service.prepare import ServerContext, prepare
from gvm_server.settings import ServerSettings
from gvm_server.threads import share_cores

DIFFERS = 1  # the exit code where a stage is further from the stock networks than is allowed


def run(parsed: argparse.Namespace) -> int:
    """Print each stage's largest difference; 1 where one is more than is allowed.

    Raises:
        GvmError: the plate or the weights are wrong, or diffusers is not installed.
    """
    share_cores()
    settings = ServerSettings.from_environment()
    folder = weights_dir(parsed.weights or settings.weights)
    frames = _frames(parsed, settings, folder)
    stages = compare(folder, frames, lambda text: print(text, file=sys.stderr))
    _print(stages, frames.shape, json=parsed.json)
    return Exit.DONE if all(stage.holds for stage in stages) else DIFFERS


def _frames(parsed: argparse.Namespace, settings: ServerSettings, folder: Path) -> Image:
    """Return [T, 3, h, w] of the clip's first frames, as the model would see them."""
    if not 1 <= parsed.count <= 16:
        raise SettingsError(f"--count is {parsed.count}; it must be from 1 to 16.")
    request = Matte(
        job="0" * 32,
        plate=file_plate(parsed),
        output=MappedOutput(),
        window=window_settings(size=parsed.size, max_resolution=parsed.max_resolution),
        model=ModelSettings(weights=absolute(str(folder))),
        engine=EngineName.GVM,
        context=context_of(parsed),
    )
    with tempfile.TemporaryDirectory(prefix="gvm-") as buffers:
        context = ServerContext(
            roots=Roots(settings.root),
            cache=cache_in_use()[0],
            buffers=Path(buffers),
            machine=Machine(options=MachineOptions(device="cpu"), weights=folder),
        )
        spec = prepare(request, request.window, context, lambda _: None).spec
        try:
            taken = spec.frames[: parsed.count]
            return np.stack([preprocess(spec, frame, StageTimer()).working for frame in taken])
        finally:
            spec.plate.close()


def _print(stages: tuple[StageDifference, ...], shape: tuple[int, ...], *, json: bool) -> None:
    holds = all(stage.holds for stage in stages)
    if json:
        rows = [dataclasses.asdict(stage) | {"holds": stage.holds} for stage in stages]
        print(as_json({"stages": rows, "holds": holds}))
        return
    for stage in stages:
        says = "holds" if stage.holds else "DIFFERS"
        print(f"{stage.stage:8} {stage.difference:.1e}, {stage.allowed:.0e} is allowed: {says}")
    count, _, height, width = shape
    print(
        f"On {count} frames at {width}x{height}, the engine"
        f" {'gives' if holds else 'does not give'} what diffusers' stock networks give."
    )
