"""The Triton kernels of `group_norm.py`; imported only where Triton is installed.

Three passes: moments of each chunk of each channel, their join by group, and the result. Each place
in memory has one writer and every sum a fixed order, so the bits are the same in each run. Chunks
are a constant of the layout: a card or a tuner that chose them would choose the bits.
"""
# ruff: noqa: ANN001, ANN202, N803, PLR0913, PLR0917 - Triton compiles these functions; its values have no types

from __future__ import annotations

from dataclasses import dataclass

import torch
import triton
import triton.language as tl
from torch import Tensor

JOINED = 1024  # partial moments joined at once


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tile:
    """How a layout is cut: pixels whose moments are one partial, and what a program holds."""

    chunk: int
    pixels: int
    channels: int


_FIRST = _Tile(chunk=4096, pixels=1024, channels=4)
_LAST = _Tile(chunk=256, pixels=32, channels=128)


@triton.jit
def _moments(
    value, means, squares, pixels, width, stride_n, stride_p, stride_c, chunks,
    CHUNK: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Write each channel's mean in a chunk, and the sum of the squared distances from it."""
    chunk = tl.program_id(0).to(tl.int64)
    sample = tl.program_id(2).to(tl.int64)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS).to(tl.int64)
    first = chunk * CHUNK
    mean = tl.zeros((CHANNELS,), tl.float32)
    square = tl.zeros((CHANNELS,), tl.float32)
    seen = 0.0
    for start in range(0, CHUNK, PIXELS):
        pixel = first + start + tl.arange(0, PIXELS)
        inside = (pixel < pixels)[:, None] & (channel < width)[None, :]
        place = sample * stride_n + pixel[:, None] * stride_p + channel[None, :] * stride_c
        part = tl.load(value + place, mask=inside, other=0.0).to(tl.float32)
        size = tl.minimum(tl.maximum(pixels - first - start, 0), PIXELS).to(tl.float32)
        part_mean = tl.sum(part, 0) / tl.maximum(size, 1.0)
        off = tl.where(inside, part - part_mean[None, :], 0.0)
        part_mean += tl.sum(off, 0) / tl.maximum(size, 1.0)  # what the sum rounded away
        off = tl.where(inside, part - part_mean[None, :], 0.0)
        total = seen + size
        apart = part_mean - mean
        share = size / tl.maximum(total, 1.0)
        mean += apart * share
        square += tl.sum(off * off, 0) + apart * apart * (seen * share)
        seen = total
    where = (sample * chunks + chunk) * width + channel
    tl.store(means + where, mean, mask=channel < width)
    tl.store(squares + where, square, mask=channel < width)


@triton.jit(do_not_specialize=["pixels"])  # one pixel would be a constant, which has no type
def _join(
    means, squares, weight, centre, scale, pixels, width, chunks, eps,
    CHUNK: tl.constexpr, MEMBERS: tl.constexpr, BLOCK: tl.constexpr, WIDE: tl.constexpr,
):  # fmt: skip
    """Join a group's partial moments in float64; write each channel's centre and scale."""
    first = tl.program_id(0) * MEMBERS
    sample = tl.program_id(1).to(tl.int64)
    base = sample * chunks * width
    partials = chunks * MEMBERS
    total = tl.zeros((BLOCK,), tl.float64)
    start = 0
    while start < partials:  # a loop over `range` is one that the interpreter cannot run
        index = start + tl.arange(0, BLOCK)
        chunk, there = index // MEMBERS, index < partials
        size = tl.minimum(pixels - chunk.to(tl.int64) * CHUNK, CHUNK).to(tl.float64)
        where = base + chunk.to(tl.int64) * width + first + index % MEMBERS
        mean = tl.load(means + where, mask=there, other=0.0).to(tl.float64)
        total += tl.where(there, mean * size, 0.0)
        start += BLOCK
    members = (pixels * MEMBERS).to(tl.float64)
    middle = tl.sum(total, 0) / members
    spread = tl.zeros((BLOCK,), tl.float64)
    start = 0
    while start < partials:
        index = start + tl.arange(0, BLOCK)
        chunk, there = index // MEMBERS, index < partials
        size = tl.minimum(pixels - chunk.to(tl.int64) * CHUNK, CHUNK).to(tl.float64)
        where = base + chunk.to(tl.int64) * width + first + index % MEMBERS
        off = tl.load(means + where, mask=there, other=0.0).to(tl.float64) - middle
        square = tl.load(squares + where, mask=there, other=0.0).to(tl.float64)
        spread += tl.where(there, square + off * off * size, 0.0)
        start += BLOCK
    rstd = 1.0 / tl.sqrt(tl.sum(spread, 0) / members + eps)
    member = tl.arange(0, WIDE)
    channel = first + member
    kept = member < MEMBERS
    factor = tl.load(weight + channel, mask=kept, other=0.0).to(tl.float64) * rstd
    where = sample * width + channel
    tl.store(scale + where, factor.to(tl.float32), mask=kept)
    tl.store(centre + where, tl.zeros((WIDE,), tl.float32) + middle.to(tl.float32), mask=kept)


@triton.jit
def _apply(
    value, result, bias, centre, scale, pixels, width, stride_n, stride_p, stride_c,
    SILU: tl.constexpr, PIXELS: tl.constexpr, CHANNELS: tl.constexpr,
):  # fmt: skip
    """Write (value - centre) * scale + bias, or the SiLU of it, rounded once.

    With the centre first what is flat is exactly the bias.
    """
    sample = tl.program_id(2).to(tl.int64)
    pixel = tl.program_id(0).to(tl.int64) * PIXELS + tl.arange(0, PIXELS)
    channel = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS).to(tl.int64)
    known = channel < width
    factor = tl.load(scale + sample * width + channel, mask=known, other=0.0)
    middle = tl.load(centre + sample * width + channel, mask=known, other=0.0)
    offset = tl.load(bias + channel, mask=known, other=0.0).to(tl.float32)
    inside = (pixel < pixels)[:, None] & known[None, :]
    place = sample * stride_n + pixel[:, None] * stride_p + channel[None, :] * stride_c
    made = tl.load(value + place, mask=inside, other=0.0).to(tl.float32)
    made = (made - middle[None, :]) * factor[None, :] + offset[None, :]
    if SILU:
        made = made / (1.0 + tl.exp(-made))
    tl.store(result + place, made.to(result.dtype.element_ty), mask=inside)


def normalise(
    value: Tensor, weight: Tensor, bias: Tensor, *, groups: int, eps: float, silu: bool
) -> Tensor:
    """Normalise [N, C, h, w], contiguous or channels-last, in a new tensor of the same format."""
    count, width = value.shape[:2]
    pixels = value.shape[2:].numel()
    last = not value.is_contiguous()
    tile = _LAST if last else _FIRST
    strides = (width * pixels, *((width, 1) if last else (1, pixels)))
    chunks, parts = triton.cdiv(pixels, tile.chunk), triton.cdiv(width, tile.channels)
    means, squares = value.new_empty((2, count, chunks, width), dtype=torch.float32)
    centre, scale = value.new_empty((2, count, width), dtype=torch.float32)
    held = {"PIXELS": tile.pixels, "CHANNELS": tile.channels}
    _moments[(chunks, parts, count)](
        value, means, squares, pixels, width, *strides, chunks, CHUNK=tile.chunk, **held
    )
    members = width // groups
    wide = triton.next_power_of_2(members)
    _join[(groups, count)](
        means, squares, weight, centre, scale, pixels, width, chunks, eps,
        CHUNK=tile.chunk, MEMBERS=members, BLOCK=JOINED, WIDE=wide,
    )  # fmt: skip
    result = torch.empty_like(value)
    tiles = triton.cdiv(pixels, tile.pixels)
    _apply[(tiles, parts, count)](
        value, result, bias, centre, scale, pixels, width, *strides, SILU=silu, **held
    )
    return result
