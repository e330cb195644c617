"""PyTorch's flags on CUDA by which the same work gives the same bits, and words for the maker.

TF32 is not chosen here: PyTorch's own choice is named by the maker (`torch_maker`).
"""

from __future__ import annotations

import os

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def set_determinism() -> str:
    """Set the flags of this process, before its first product on a device; return them in words.

    cuBLAS reads its variable when a handle is made; one that the user has set stays ("Results
    reproducibility" in its documentation). cuDNN neither tries kernels by time nor takes those
    whose sums have no order (PyTorch, "Reproducibility").
    """
    import torch  # noqa: PLC0415 - heavy

    workspace = os.environ.setdefault(WORKSPACE, ":4096:8")
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cuda.matmul.allow_fp16_reduced_precision_reduction = False
    return f"cudnn, no benchmark, float16 sums in float32, cublas {workspace}"
