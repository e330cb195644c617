"""The engine on a CUDA device, where there is one: the original's alphas, the same bits twice."""

from __future__ import annotations

import pytest
import torch

from benchmarks.gpu.parity import TOLERANCES, device_parity
from gvm_server.matting.engines.machine import Precision

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here"),
]


@pytest.mark.parametrize("precision", TOLERANCES)
def test_the_device_gives_the_original_s_alphas(precision: Precision):
    """Within the type's rounding, twice the same bits, and release gives the memory back."""
    found = device_parity("cuda", precision)
    assert (found["holds"], found["same bits"], found["released"]) == (True, True, True), found
