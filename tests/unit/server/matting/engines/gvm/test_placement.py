"""What a device's errors mean, and how much memory it has to give."""

from __future__ import annotations

import pytest
import torch

from gvm_server.matting.engines.gvm import placement
from gvm_server.matting.engines.gvm.placement import (
    is_out_of_memory,
    lost_its_context,
    obtainable_bytes,
)

NO_MEMORY = (
    "CUDA out of memory. Tried to allocate 2.00 GiB.",
    "CUDA error: out of memory",
    "CUDA driver error: out of memory",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
    "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED",
    "MPS backend out of memory (MPS allocated: 9.00 GB)",
    "[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes.",
    "std::bad_alloc",
)
LOST = (
    "CUDA error: an illegal memory access was encountered",
    "CUDA error: device-side assert triggered",
    "CUDA error: unspecified launch failure",
    "CUDA error: the launch timed out and was terminated",
    "CUDA error: misaligned address",
    "CUDA error: uncorrectable ECC error encountered",
    "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
    "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
)
OTHER = (
    "CUDA error: no kernel image is available for execution on the device",
    "CUDA error: invalid configuration argument",
    "mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)",
)


@pytest.mark.parametrize("says", NO_MEMORY + LOST + OTHER)
def test_each_error_is_known_by_its_words(says: str):
    """As PyTorch 2.13 passes on what allocators and libraries say."""
    error = RuntimeError(says)
    assert is_out_of_memory(error) == (says in NO_MEMORY)
    assert lost_its_context(error) == (says in LOST)


def test_what_this_process_holds_is_obtainable(monkeypatch: pytest.MonkeyPatch):
    """The first job and the tenth get the same window; what others hold is theirs."""
    total, others = 24 << 30, 6 << 30
    for reserved in (0, 9 << 30):
        monkeypatch.setattr(placement, "free_bytes", lambda _, held=reserved: total - others - held)
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda _, held=reserved: held)
        assert obtainable_bytes(torch.device("cuda")) == total - others


def test_a_cpu_has_what_the_machine_has_available(monkeypatch: pytest.MonkeyPatch):
    """Files that the system keeps in memory do not make the window smaller."""
    monkeypatch.setattr(placement, "available_bytes", lambda: 7)
    assert obtainable_bytes(torch.device("cpu")) == 7
