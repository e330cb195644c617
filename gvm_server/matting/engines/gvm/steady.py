"""Operators whose float32 results on the CPU do not depend on how many threads they run on.

Most of PyTorch's do not. These would: a thread's last elements leave the vector loop for other
arithmetic, and products of few rows, or of an odd count of columns, are summed in another order
for another count of threads. Which do was measured (docs/decisions/0009); the tests hash every
layer at six counts.

On other devices, and in half types, each is PyTorch's own kernel.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

# PyTorch's grain: at most so many elements go to one thread, whatever the count of threads.
BLOCK = 1 << 15
# A product of fewer rows is summed by the count of threads (MKL 2024.2 on AVX2: up to 11 rows).
FEWEST_ROWS = 16


def applies_to(value: Tensor) -> bool:
    """Say whether a value is of the kind that these operators are for: float32 on the CPU."""
    return value.device.type == "cpu" and value.dtype is torch.float32


def silu_(value: Tensor) -> Tensor:
    """Replace a value by its SiLU, and return it."""
    return in_blocks_(lambda part: functional.silu(part, inplace=True), value)


def gelu(value: Tensor) -> Tensor:
    """Return the GELU of a value, in a new tensor."""
    if not applies_to(value):
        return functional.gelu(value)
    return in_blocks_(torch.ops.aten.gelu_, value.clone(memory_format=torch.contiguous_format))


def in_blocks_(operator: Callable[[Tensor], Tensor], value: Tensor) -> Tensor:
    """Apply an in-place operator of single elements, one thread's share at a time.

    Args:
        operator: writes to the tensor that it is given.
        value: contiguous, or [N, C, h, w] in the channels-last format.
    """
    if not applies_to(value) or value.numel() <= BLOCK:
        return operator(value)
    in_memory = value if value.is_contiguous() else value.permute(0, 2, 3, 1)
    for part in torch.split(in_memory.view(-1), BLOCK):
        operator(part)
    return value


class Linear(nn.Linear):
    """A linear layer."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Map [..., before] to [..., width]."""
        rows = tokens.shape[:-1].numel()
        if rows >= FEWEST_ROWS or not applies_to(tokens):
            return super().forward(tokens)
        padded = functional.pad(tokens.reshape(rows, -1), (0, 0, 0, FEWEST_ROWS - rows))
        return super().forward(padded)[:rows].view(*tokens.shape[:-1], -1)


class PointConvolution(nn.Conv2d):
    """A 1x1 convolution: a linear layer on pixels."""

    def __init__(self, before: int, width: int) -> None:
        super().__init__(before, width, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, before, h, w] to [T, width, h, w], in the format that it has."""
        if not applies_to(frames):
            return super().forward(frames)
        frames, pixels = _wide_enough(frames)
        tokens = frames.permute(0, 2, 3, 1)
        result = functional.linear(tokens, self.weight[:, :, 0, 0], self.bias).permute(0, 3, 1, 2)
        return _formatted(result, frames)[..., :pixels]


class TimeConvolution(nn.Conv2d):
    """A convolution over three frames, zeros beyond the ends: three linear layers on pixels.

    Its kernel is [width, width, 3, 1], over (time, pixels) of a window seen as one image.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width, width, (3, 1), padding=(1, 0))

    def forward(self, window: Tensor) -> Tensor:
        """Map [1, C, T, pixels] to the same shape, in the format that it has."""
        if not applies_to(window):
            return super().forward(window)
        window, kept = _wide_enough(window)
        _, width, count, pixels = window.shape
        before, now, after = self.weight[..., 0].unbind(dim=2)
        rows = window.permute(0, 2, 3, 1).reshape(count * pixels, width)
        result = functional.linear(rows, now, self.bias)
        result[pixels:].addmm_(rows[:-pixels], before.T)
        result[:-pixels].addmm_(rows[pixels:], after.T)
        image = result.view(1, count, pixels, width).permute(0, 3, 1, 2)
        return _formatted(image, window)[..., :kept]


def _wide_enough(image: Tensor) -> tuple[Tensor, int]:
    """Return an image whose every row is FEWEST_ROWS or more pixels, and how many to keep."""
    width = image.shape[-1]
    if width >= FEWEST_ROWS:
        return image, width
    return functional.pad(image, (0, FEWEST_ROWS - width)), width


def _formatted(image: Tensor, like: Tensor) -> Tensor:
    """Return a channels-last image in the format of another."""
    return image.contiguous() if like.is_contiguous() else image
