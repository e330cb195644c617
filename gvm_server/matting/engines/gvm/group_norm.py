"""A group norm, with the SiLU after it, that keeps a whole card busy.

PyTorch's own takes one thread block for each group of each sample: 32 for a card with a hundred
multiprocessors, whatever the size. Here the pixels are cut into chunks, whose moments are joined in
float64; sums of squares would lose what a mean far from zero leaves of them.

Where Triton is installed its kernels do it, in three passes over memory and for any type; elsewhere
PyTorch's parallel reduction does, for float32. Half types without Triton get PyTorch's own norm.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from types import ModuleType

import torch
from torch import Tensor, nn
from torch.nn import functional

TRITON, REDUCTION = "Triton", "PyTorch"


def normalise(value: Tensor, norm: nn.GroupNorm, *, silu: bool) -> Tensor:
    """Normalise [N, C, h, w] over each group's channels and all pixels, in a new tensor.

    Args:
        value: contiguous or channels-last, and so is the result; of another layout a copy is made.
        norm: says weights, groups and eps.
        silu: whether its SiLU is returned.
    """
    if value.device.type == "meta":
        return _plainly(value, norm, silu=silu)
    if not value.is_contiguous() and not is_last(value):
        value = value.contiguous()
    if value.device.type == "cuda" and (kernels := triton_kernels()):
        result: Tensor = kernels.normalise(
            value, norm.weight, norm.bias, groups=norm.num_groups, eps=norm.eps, silu=silu
        )
        return result
    if value.dtype is not torch.float32:
        return _plainly(value, norm, silu=silu)
    return _reduced(value, norm, silu=silu)


def is_last(value: Tensor) -> bool:
    """Say whether [N, C, h, w] lies in memory with its channels last, and not also contiguous."""
    return not value.is_contiguous() and value.is_contiguous(memory_format=torch.channels_last)


def made_by() -> str:
    """Return whose kernels normalise on a CUDA device: they round differently."""
    return TRITON if triton_kernels() else REDUCTION


@cache
def triton_kernels() -> ModuleType | None:
    """Return the module of kernels, or None where Triton is not installed."""
    if find_spec("triton") is None:
        return None
    from gvm_server.matting.engines.gvm import group_norm_kernels  # noqa: PLC0415 - optional

    return group_norm_kernels


def _plainly(value: Tensor, norm: nn.GroupNorm, *, silu: bool) -> Tensor:
    result = functional.group_norm(value, norm.num_groups, norm.weight, norm.bias, norm.eps)
    return functional.silu(result, inplace=True) if silu else result


def _reduced(value: Tensor, norm: nn.GroupNorm, *, silu: bool) -> Tensor:
    """Normalise by PyTorch's reduction, which several thread blocks share."""
    groups, (count, width) = norm.num_groups, value.shape[:2]
    if is_last(value):
        members = value.permute(0, 2, 3, 1).view(count, -1, groups, width // groups)
        variance, mean = torch.var_mean(members, (1, 3), correction=0)
    else:
        variance, mean = torch.var_mean(value.view(count, groups, -1), 2, correction=0)
    rstd = torch.rsqrt(variance + norm.eps)
    mean, rstd = (part.repeat_interleave(width // groups, 1) for part in (mean, rstd))
    # The mean goes first: a scale and a shift would leave the rounding of their difference.
    result = value - mean.view(count, width, 1, 1)
    result.mul_((rstd * norm.weight).view(count, width, 1, 1)).add_(norm.bias.view(width, 1, 1))
    return functional.silu(result, inplace=True) if silu else result
