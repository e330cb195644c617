"""Operators whose float32 results on the CPU depend neither on threads nor on the memory format.

Most of PyTorch's do not depend on the number of threads. These would: a thread's last elements
leave the vector loop for other arithmetic, and products of few rows, or of an odd count of columns,
are summed in another order for another count of threads. Which do was measured
(docs/decisions/0009); test_threads.py hashes every layer at six counts.

PyTorch's group norm for channels-last sums a whole group one after the other in float32: at one
million pixels its result is wrong in the third decimal (measured with torch 2.13: 3e-4 at
128 x 4 x 256 x 256, contiguous 1e-6). Here it runs on short blocks of pixels, and the blocks'
moments are joined in float64.

On other devices, and in half types, each is PyTorch's own kernel.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import gcd

import torch
from torch import Tensor, nn
from torch.nn import functional

from gvm_server.matting.engines.gvm.config import NORM_GROUPS
from gvm_server.matting.engines.gvm.group_norm import normalise

# PyTorch's grain: at most so many elements go to one thread, whatever the count of threads.
ELEMENT_BLOCK = 1 << 15
# A product of fewer rows is summed by the count of threads (MKL 2024.2 on AVX2: up to 11 rows).
FEWEST_ROWS = 16
# A convolution of one image to fewer pixels is summed by the count of threads, one of several
# images is not (oneDNN 3.12 on AVX2: up to 105 pixels).
FEWEST_PIXELS = 128
PIXEL_BLOCK = 256  # pixels summed one after the other


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
    if not applies_to(value) or value.numel() <= ELEMENT_BLOCK:
        return operator(value)
    in_memory = value if value.is_contiguous() else value.permute(0, 2, 3, 1)
    for part in torch.split(in_memory.view(-1), ELEMENT_BLOCK):
        operator(part)
    return value


class _Unfilled:
    """A layer without PyTorch's own first values: they take long, and a checkpoint has others."""

    def reset_parameters(self) -> None:
        """Leave the weights as they are in memory."""


class Linear(_Unfilled, nn.Linear):
    """A linear layer."""

    def forward(self, tokens: Tensor) -> Tensor:
        """Map [..., before] to [..., width]."""
        rows = tokens.shape[:-1].numel()
        if rows >= FEWEST_ROWS or not applies_to(tokens):
            return super().forward(tokens)
        padded = functional.pad(tokens.reshape(rows, -1), (0, 0, 0, FEWEST_ROWS - rows))
        return super().forward(padded)[:rows].view(*tokens.shape[:-1], -1)


class Convolution(_Unfilled, nn.Conv2d):
    """A 3x3 convolution."""

    def __init__(
        self, before: int, width: int, *, stride: int = 1, padding: int = 1, bias: bool = True
    ) -> None:
        super().__init__(before, width, 3, stride=stride, padding=padding, bias=bias)

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, before, h, w] to [T, width, h / stride, w / stride], in the format it has."""
        stride = self.stride[0]
        padding = 2 * int(self.padding[0])
        rows = (frames.shape[2] + padding - 3) // stride + 1
        return _steady(super().forward, frames, rows, stride)


class DoublingConvolution(nn.Module):
    """Doubles both sides, each pixel standing for four, and convolves by 3x3: four 2x2 kernels.

    Its weight is [4 width, width, 2, 2], made by `simplify.fold_upsampling`: for each row and
    column of two, a kernel on the small image. The doubled image is never made.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(4 * width, width, 2, 2))
        self.bias = nn.Parameter(torch.empty(width))

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, C, h, w] to [T, C, 2h, 2w], in the format that it has."""
        count, width, height, breadth = frames.shape
        padded = functional.pad(frames, (1, 1, 1, 1))
        if applies_to(frames):  # the other format depends on threads
            padded = padded.contiguous(memory_format=torch.channels_last)
        result = padded.new_empty(count, width, 2 * height, 2 * breadth)
        if not padded.is_contiguous():
            result = result.contiguous(memory_format=torch.channels_last)
        for phase, kernel in enumerate(self.weight.chunk(4)):
            row, column = divmod(phase, 2)
            seen = padded[:, :, row : row + height + 1, column : column + breadth + 1]
            convolve = partial(functional.conv2d, weight=kernel, bias=self.bias)
            result[:, :, row::2, column::2] = _steady(convolve, seen, height)
        return _formatted(result, frames)


def _steady(
    convolve: Callable[[Tensor], Tensor], image: Tensor, rows: int, stride: int = 1
) -> Tensor:
    """Convolve; a small image alone gets zeros below it, where its sums depend on threads.

    Args:
        convolve: takes the image.
        image: [T, C, h, w].
        rows: of the result.
        stride: of the convolution.
    """
    height, width = image.shape[2:]
    least = FEWEST_PIXELS * stride**2
    if len(image) > 1 or height * width >= least or not applies_to(image):
        return convolve(image)
    below = -(-least // width) - height
    return convolve(functional.pad(image, (0, 0, 0, below)))[:, :, :rows]


class PointConvolution(_Unfilled, nn.Conv2d):
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


class TimeConvolution(_Unfilled, nn.Conv2d):
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


class GroupNorm(nn.GroupNorm):
    """The group norm of this family of networks: 32 groups.

    `fills` is set where the step `group-norm` is taken.
    """

    fills = False

    def __init__(self, width: int, eps: float) -> None:
        super().__init__(NORM_GROUPS, width, eps=eps)

    def forward(self, value: Tensor) -> Tensor:
        """Normalise [N, C, h, w] over each group's channels and all pixels."""
        if self.fills:
            return normalise(value, self, silu=False)
        pixels = value.shape[2:].numel()
        last = value.is_contiguous(memory_format=torch.channels_last) and not value.is_contiguous()
        if not last or value.device.type != "cpu" or pixels <= PIXEL_BLOCK:
            return super().forward(value)
        return _blocked(self, value)


def _blocked(norm: nn.GroupNorm, value: Tensor) -> Tensor:
    """Normalise block by block, then move each block from its own moments to those of all.

    With block moments m_b, v_b the group has m = mean(m_b), v = mean(v_b + (m_b - m)^2).
    """
    count, width, *sides = value.shape
    block = gcd(sides[0] * sides[1], PIXEL_BLOCK)
    blocks = value.permute(0, 2, 3, 1).reshape(-1, block, 1, width).permute(0, 3, 1, 2)
    result, mean, rstd = torch.native_group_norm(
        blocks, None, None, len(blocks), width, block, norm.num_groups, norm.eps
    )
    mean, rstd = (part.double().view(count, -1, norm.num_groups) for part in (mean, rstd))
    centre = mean.mean(dim=1, keepdim=True)
    variance = (rstd**-2 - norm.eps + (mean - centre) ** 2).mean(dim=1, keepdim=True)
    whole = torch.rsqrt(variance + norm.eps)
    channels = width // norm.num_groups
    scale = (whole / rstd).repeat_interleave(channels, dim=2) * norm.weight
    shift = ((mean - centre) * whole).repeat_interleave(channels, dim=2) * norm.weight + norm.bias
    flat = result.permute(0, 2, 3, 1).view(len(blocks), block, width)
    scale, shift = (part.to(flat.dtype).view(-1, 1, width) for part in (scale, shift))
    torch.addcmul(shift, flat, scale, out=flat)
    return flat.view(count, *sides, width).permute(0, 3, 1, 2)
