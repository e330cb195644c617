"""The reference checkpoint's numbers on a device: the original's alphas, and the CPU's by stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from safetensors.numpy import load_file

from benchmarks.gpu.measure import digest, plainly, window
from benchmarks.gpu.model import GOLDEN
from benchmarks.gpu.report import Report, Row
from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.machine import Precision

# Of an alpha. Wider than the CPU's: convolutions may use TF32 there, and half types round.
TOLERANCES: Mapping[Precision, float] = MappingProxyType(
    {Precision.FLOAT32: 1e-2, Precision.BFLOAT16: 2e-1, Precision.FLOAT16: 5e-2}
)


def device_parity(device: str, precision: Precision) -> Row:
    """Matte the reference frames on a device, with the UNet in a type.

    Returns:
        the largest difference to the original's alpha, whether it `holds`, whether two runs gave
        the `same bits`, and whether release gave memory back (`released`; always, on a CPU).
    """
    options = GvmOptions(device=device, precision=precision, vae_precision=Precision.FLOAT32)
    engine = GvmEngine.load(GOLDEN / "checkpoint", options, lambda _: None)
    case = load_file(GOLDEN / "a2_one_frame.safetensors")
    frames = case["input_u8"].astype(np.float32) / np.float32(255)
    first, second = (window(engine, frames, plainly) for _ in range(2))
    off = float(abs(first - case["alpha"][:, 0]).max())
    on_card = engine.networks.placement.device.type == "cuda"
    before = torch.cuda.memory_allocated() if on_card else 1
    engine.release()
    after = torch.cuda.memory_allocated() if on_card else 0
    return {
        "alpha off": off,
        "holds": off <= TOLERANCES[precision],
        "same bits": first.tobytes() == second.tobytes(),
        "released": after < before,
    }


def against_the_cpu(device: str) -> Row:
    """Run three frames in float32 on the CPU and on a device: largest difference by stage."""
    sides = [_stages(device), _stages("cpu")]
    return {
        f"{stage} off": float(abs(mine - theirs).max())
        for (stage, mine), theirs in zip(sides[0].items(), sides[1].values(), strict=True)
    }


def digest_of(device: str) -> str:
    """Return the hash of the reference frames' alphas on a device."""
    engine = GvmEngine.load(GOLDEN / "checkpoint", GvmOptions(device=device), lambda _: None)
    case = load_file(GOLDEN / "c_steps3.safetensors")
    return digest(window(engine, case["input_u8"].astype(np.float32) / np.float32(255), plainly))


def run(report: Report, device: torch.device) -> None:
    """Add the rows of this part."""
    # Half types are a card's; on a CPU they only take long.
    types = [Precision.FLOAT32] if device.type == "cpu" else list(TOLERANCES)
    for precision in types:
        if report.late("parity", precision.value):
            continue
        with report.row("parity", f"original, UNet {precision.value}") as row:
            row.update(device_parity(str(device), precision))
    with report.row("parity", "the CPU, by stage") as row:
        row.update(against_the_cpu(str(device)))


def _stages(device: str) -> dict[str, Image]:
    options = GvmOptions(
        device=device, precision=Precision.FLOAT32, vae_precision=Precision.FLOAT32
    )
    engine = GvmEngine.load(GOLDEN / "checkpoint", options, lambda _: None)
    case = load_file(GOLDEN / "c_steps3.safetensors")
    frames = case["input_u8"].astype(np.float32) / np.float32(255)
    made: dict[str, Image] = {}

    def keep(stage: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - any stage's result
        result = work()
        made[stage] = np.stack([np.asarray(part) for part in result])
        return result

    window(engine, frames, keep)
    engine.release()
    return made
