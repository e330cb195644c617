"""3x3 convolutions with four products a pixel instead of nine (Winograd's F(2x2, 3x3)).

Two outputs y0, y1 of a row need four pixels d0..d3 and a kernel g0..g2. With

    m0 = (d0 - d2) g0                     m1 = (d1 + d2) (g0 + g1 + g2) / 2
    m3 = (d1 - d3) g2                     m2 = (d2 - d1) (g0 - g1 + g2) / 2

they are y0 = m0 + m1 + m2 and y1 = m1 - m2 - m3: four products for six. Over rows and columns it is
sixteen for thirty-six, each a product of matrices, pixels times channels. The kernels' sums are
made anew for each image, for kept they would be 16 / 9 of the weights.

It is exact within rounding, and nearer to float64 than oneDNN's direct way, whose sums are nine
times as long (docs/performance.md). Its bits depend neither on threads nor on the memory format.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

TILE = 2  # pixels a side that one tile gives
SEEN = 4  # pixels a side that it sees
BLOCK = 1 << 21  # transformed values that are held at once: 8 MiB, which stays in a cache
FEWEST_TILES = 256  # that are worth the sums of a kernel
FEWEST_CHANNELS = 256  # of the result, whose products are worth the sums of pixels
LARGEST_KERNEL = 1 << 19  # channels times channels, whose sums are worth making anew


def pays(frames: Tensor, width: int) -> bool:
    """Say whether convolving [T, before, h, w] to `width` channels is faster this way."""
    count, before, height, breadth = frames.shape
    tiles = count * -(-height // TILE) * -(-breadth // TILE)
    few = tiles < FEWEST_TILES or width < FEWEST_CHANNELS
    return not few and before * width <= LARGEST_KERNEL


def convolve(frames: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve with a padding of one pixel, by blocks of rows of tiles.

    Args:
        frames: [T, before, h, w].
        weight: [width, before, 3, 3].
        bias: [width]; None is none.

    Returns:
        [T, width, h, w], in the channels-last format.
    """
    count, before, height, breadth = frames.shape
    width = len(weight)
    down, across = -(-height // TILE), -(-breadth // TILE)
    seen = frames.new_empty(count, TILE * down + 2, TILE * across + 2, before)
    seen[:, 0], seen[:, height + 1 :] = 0, 0
    seen[:, :, 0], seen[:, :, breadth + 1 :] = 0, 0
    seen[:, 1 : height + 1, 1 : breadth + 1] = frames.permute(0, 2, 3, 1)
    result = frames.new_empty(count, TILE * down, TILE * across, width)
    kernels = transformed(weight)
    rows = max(1, BLOCK // (SEEN**2 * across * max(before, width)))
    together = max(1, rows // down)  # small frames are convolved together: products of many rows
    for first in range(0, count, together):
        several = slice(first, first + together)
        for start in range(0, down, rows):
            end = min(start + rows, down)
            part = seen[several, TILE * start : TILE * end + 2]
            _block(part, kernels, bias, result[several, TILE * start : TILE * end])
    return result[:, :height, :breadth].permute(0, 3, 1, 2)


def transformed(weight: Tensor) -> Tensor:
    """Return the sums of a kernel [width, before, 3, 3] as matrices [16, before, width]."""
    width, before = weight.shape[:2]
    rows = weight.new_empty(SEEN, 3, before, width)
    _kernel_sums(weight.permute(2, 3, 1, 0), rows)
    kernels = weight.new_empty(SEEN, SEEN, before, width)
    _kernel_sums(rows.unbind(1), kernels.transpose(0, 1))
    return kernels.view(SEEN**2, before, width)


def _block(seen: Tensor, kernels: Tensor, bias: Tensor | None, result: Tensor) -> None:
    """Write to [N, 2 down, 2 across, width] what the pixels [N, 2 down + 2, .., before] give."""
    count, height, breadth, width = result.shape
    down, across = height // TILE, breadth // TILE
    before = seen.shape[3]
    rows = seen.new_empty(SEEN, count, down, seen.shape[2], before)
    _differences([seen[:, i : i + TILE * down - 1 : TILE] for i in range(SEEN)], rows)
    tiles = seen.new_empty(SEEN, SEEN, count, down, across, before)
    columns = [rows[:, :, :, i : i + TILE * across - 1 : TILE] for i in range(SEEN)]
    _differences(columns, tiles.transpose(0, 1))
    products = torch.bmm(tiles.view(SEEN**2, -1, before), kernels)
    products = products.view(SEEN, SEEN, count, down, across, width)
    halves = products.new_empty(TILE, SEEN, count, down, across, width)
    _sums(products, halves)
    if bias is not None:
        halves[:, 1].add_(bias)  # of which both sums have one
    pixels = result.view(count, down, TILE, across, TILE, width).permute(4, 2, 0, 1, 3, 5)
    _sums(halves.transpose(0, 1), pixels)


def _kernel_sums(kernel: Sequence[Tensor] | Tensor, into: Tensor) -> None:
    into[0], into[3] = kernel[0], kernel[2]
    outer = (kernel[0] + kernel[2]).mul_(0.5)
    torch.add(outer, kernel[1], alpha=0.5, out=into[1])
    torch.sub(outer, kernel[1], alpha=0.5, out=into[2])


def _differences(pixels: Sequence[Tensor], into: Tensor) -> None:
    torch.sub(pixels[0], pixels[2], out=into[0])
    torch.add(pixels[1], pixels[2], out=into[1])
    torch.sub(pixels[2], pixels[1], out=into[2])
    torch.sub(pixels[1], pixels[3], out=into[3])


def _sums(products: Tensor, into: Tensor) -> None:
    torch.add(products[0], products[1], out=into[0]).add_(products[2])
    torch.sub(products[1], products[2], out=into[1]).sub_(products[3])
