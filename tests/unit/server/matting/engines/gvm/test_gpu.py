"""The engine on a CUDA device, where there is one: the original's alphas, the same bits."""

from __future__ import annotations

import pytest
import torch

from benchmarks.gpu.measure import plainly, window
from benchmarks.gpu.model import GOLDEN, Size
from benchmarks.gpu.parity import TOLERANCES, device_parity
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.machine import EXACT, Precision, Step

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]


@pytest.mark.parametrize("precision", TOLERANCES)
def test_the_device_gives_the_original_s_alphas(precision: Precision):
    """Within the type's rounding, twice the same bits, and release gives the memory back."""
    found = device_parity("cuda", precision)
    assert (found["holds"], found["same bits"], found["released"]) == (True, True, True), found


@pytest.mark.parametrize("leaving", [0, 1, 2])
@pytest.mark.parametrize("steps", [*({step} for step in Step if step in EXACT), EXACT])
def test_steps_that_change_no_bit_change_none(steps: set[Step], leaving: int):
    """Alone and together, over windows that follow each other, with networks that come and go."""
    sizes = [Size(height=64, width=96, frames=frames) for frames in (3, 3, 3, 2, 3)]

    def mattes(names: str) -> list[bytes]:
        options = GvmOptions(device="cuda", gpu_steps=names)
        engine = GvmEngine.load(GOLDEN / "checkpoint", options, lambda _: None)
        engine.stages.residence.leaving = leaving
        made = [window(engine, size.frame_stack(), plainly).tobytes() for size in sizes]
        engine.release()
        return made

    assert mattes(",".join(step.value for step in steps)) == mattes("")
