"""The faster ways on a GPU, each held to the plain way before it is taken.

A step whose result differs on this device is left out, aloud. What is left is part of the maker,
so it is known before a key is made: the check needs no weights, only the network's widths.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn import functional

from gvm_server.matting.engines.gvm.blocks import attend
from gvm_server.matting.engines.gvm.operators import DoublingConvolution
from gvm_server.matting.engines.gvm.simplify import fold_upsampling
from gvm_server.matting.engines.machine import Step

log = logging.getLogger(__name__)

# Of the largest value: both ways may use TF32, and each sums in its own order.
TOLERANCES: Mapping[torch.dtype, float] = MappingProxyType(
    {torch.float32: 5e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}
)
SIDE = 80  # latent pixels of the check: above the budget that cuts attention into slices


@cache
def in_effect(
    steps: tuple[Step, ...], device: torch.device, dtype: torch.dtype, width: int
) -> tuple[Step, ...]:
    """Return those of the steps that give the plain way's result here; asked once a process.

    Args:
        steps: that were chosen.
        device: that will run them.
        dtype: of the VAE.
        width: of the VAE's coarsest level.
    """
    taken = []
    for step in steps:
        off = difference(step, device, dtype, width)
        if off <= TOLERANCES[dtype]:
            taken.append(step)
        else:
            log.warning(
                "The step %s is not taken: on %s in %s it is %.1e from the plain way, of which"
                " %.1e is allowed.",
                step.value,
                device,
                dtype,
                off,
                TOLERANCES[dtype],
            )
    return tuple(taken)


@torch.inference_mode()
def difference(step: Step, device: torch.device, dtype: torch.dtype, width: int) -> float:
    """Return how far a step is from the plain way, as a part of the largest value."""
    generator = torch.Generator().manual_seed(0)

    def values(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator).to(device, dtype)

    plain, fast = _WAYS[step](values, width)
    off = (fast - plain).abs().max() / plain.abs().max()
    return float(off) if bool(off.isfinite()) else float("inf")


def _attention(values: Callable[..., Tensor], width: int) -> tuple[Tensor, Tensor]:
    query, key, value = (values(1, SIDE * SIDE, width) for _ in range(3))
    return attend(query, key, value), attend(query, key, value, whole=True)


def _fold(values: Callable[..., Tensor], width: int) -> tuple[Tensor, Tensor]:
    frames = values(1, width, SIDE, SIDE)
    weight, bias = values(width, width, 3, 3) / (3 * width**0.5), values(width)
    name = "decoder.upsamplers.0.conv.weight"
    weights = {name: weight}
    fold_upsampling(weights)
    folded = DoublingConvolution(width).to(frames)
    folded.load_state_dict({"weight": weights[name], "bias": bias})
    doubled = functional.interpolate(frames, scale_factor=2.0)
    return functional.conv2d(doubled, weight, bias, padding=1), folded(frames)


_WAYS: Mapping[Step, Callable[[Callable[..., Tensor], int], tuple[Tensor, Tensor]]] = (
    MappingProxyType({Step.WHOLE_ATTENTION: _attention, Step.FOLD: _fold})
)
