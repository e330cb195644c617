"""A task's GPUs, in a farm's words and in CUDA's."""

from __future__ import annotations

import pytest

from gvm_client.errors import SettingsError
from gvm_client.gpus import gpu_variables


@pytest.mark.parametrize(
    ("environment", "added"),
    [
        ({}, {}),
        ({"CUE_GPU_CORES": ""}, {}),
        (
            {"CUE_GPU_CORES": "0,2"},
            {"CUDA_VISIBLE_DEVICES": "0,2", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"},
        ),
        ({"CUDA_VISIBLE_DEVICES": "GPU-1f2e", "CUE_GPU_CORES": "1"}, {}),
        ({"CUDA_VISIBLE_DEVICES": "", "CUE_GPU_CORES": "1"}, {}),
    ],
)
def test_cuda_s_own_word_wins_and_a_farm_s_is_written_out(environment, added):
    """An empty word of CUDA's means no GPU, and stays one."""
    assert gpu_variables(environment) == added


@pytest.mark.parametrize("said", ["all", "0-1", "1,", "-1", "0 1"])
def test_what_is_no_list_of_numbers_is_refused(said):
    """Any other reading could take another task's GPU."""
    with pytest.raises(SettingsError, match="CUE_GPU_CORES"):
        gpu_variables({"CUE_GPU_CORES": said})
