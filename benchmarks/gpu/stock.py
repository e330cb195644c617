"""The plain diffusers pipeline beside the engine, where diffusers is installed."""

from __future__ import annotations

import statistics
import time
from contextlib import suppress
from importlib.util import find_spec

import torch

from benchmarks.gpu.measure import GIB, Effort, synchronise
from benchmarks.gpu.model import Model, Size
from benchmarks.gpu.report import Report


def run(report: Report, model: Model, size: Size, effort: Effort) -> None:
    """Add its row: the same weights and types as the engine as it is, whole batches."""
    what = f"{size} plain pipeline"
    if find_spec("diffusers") is None:
        report.add("diffusers", what, left_out="diffusers is not installed: pip install diffusers")
        return
    if report.late("diffusers", what):
        return
    with report.row("diffusers", what) as row:
        from gvm_server.matting.engines.gvm.stock import Straightforward, stock_of  # noqa: PLC0415

        on_card = model.device.type == "cuda"
        unet, vae = stock_of(model.config, model.weights)
        half = torch.float16 if on_card else torch.float32
        unet.to(model.device, half)
        vae.to(model.device)
        pipeline = Straightforward(unet, vae)
        frames = torch.from_numpy(size.frame_stack()).to(model.device)
        resident = torch.cuda.memory_allocated(model.device) if on_card else 0
        seconds = []
        for _ in range(1 + effort.rounds):
            synchronise(model.device)
            begun = time.perf_counter()
            denoised = pipeline.denoise(pipeline.encode(frames).to(half))
            pipeline.decode(denoised.float(), size.frames)
            synchronise(model.device)
            seconds.append(time.perf_counter() - begun)
        row["all s/f"] = statistics.median(seconds[1:]) / size.frames
        if on_card:
            peak = torch.cuda.max_memory_allocated(model.device)
            row["above weights GiB"] = (peak - resident) / GIB
    with suppress(NameError):
        del unet, vae, pipeline
    model.gone([])
