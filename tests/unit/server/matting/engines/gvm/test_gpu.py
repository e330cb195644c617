"""The engine on a CUDA device, where there is one: the original's alphas, the same bits twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from gvm_server.matting.engines.base import Image
from gvm_server.matting.engines.gvm.config import GvmOptions
from gvm_server.matting.engines.gvm.engine import GvmEngine
from gvm_server.matting.engines.machine import Precision

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]

# Wider than the CPU's 1e-4: convolutions may use TF32 there, and half types round.
TOLERANCES = {Precision.FLOAT32: 1e-2, Precision.BFLOAT16: 2e-1, Precision.FLOAT16: 5e-2}


def _matte(engine: GvmEngine, case: dict[str, np.ndarray]) -> Image:
    frames = case["input_u8"].astype(np.float32) / np.float32(255)
    latents = engine.denoise([engine.encode(frame) for frame in frames], steps=1)
    return engine.decode(latents, chunk=len(frames), halo=0)


@pytest.mark.parametrize("precision", TOLERANCES)
def test_the_device_gives_the_original_s_alphas(golden: Path, precision: Precision):
    """Within the type's rounding, twice the same bits, and release gives the memory back."""
    options = GvmOptions(device="cuda", precision=precision, vae_precision=Precision.FLOAT32)
    engine = GvmEngine.load(golden / "checkpoint", options, lambda _: None)
    case = load_file(golden / "a2_one_frame.safetensors")
    first, second = _matte(engine, case), _matte(engine, case)
    assert first.tobytes() == second.tobytes()
    assert abs(first - case["alpha"][:, 0]).max() <= TOLERANCES[precision]
    before = torch.cuda.memory_allocated()
    engine.release()
    assert torch.cuda.memory_allocated() < before
