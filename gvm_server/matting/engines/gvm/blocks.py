"""The blocks of the simplified networks: convolution blocks in space and in time, and attention.

- The frames of one window lie in the first axis: [T, C, h, w]. There is no batch of windows.
- Inference only: a block may write to a tensor that it made; only `TemporalResnet` writes to its
  input.
- Attention never holds a full score matrix: kernels that would are given few queries at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from gvm_server.matting.engines.gvm.group_norm import normalise
from gvm_server.matting.engines.gvm.operators import (
    Convolution,
    GroupNorm,
    Linear,
    PointConvolution,
    TimeConvolution,
    gelu,
    silu_,
)

SCORES_BUDGET = 1 << 24  # scores held at once, 64 MiB in float32: matrix products stay large
WIDEST_FUSED_HEAD = 256  # CUDA's fused attention kernels take no wider head
LARGEST_BATCH = 1 << 15  # CUDA's attention kernels fail above 65,535


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    budget: int = SCORES_BUDGET,
    *,
    whole: bool = False,
) -> Tensor:
    """Return softmax(q k^T / sqrt(d)) v for [..., L, d], few queries at a time where it must be.

    The budget of scores is one number: another would round otherwise at long sequences. `whole`
    takes all queries at once, as the step of that name does.
    """
    if len(query) > LARGEST_BATCH:
        parts = zip(
            *(torch.split(part, LARGEST_BATCH) for part in (query, key, value)), strict=True
        )
        return torch.cat([attend(q, k, v, budget, whole=whole) for q, k, v in parts])
    length = query.shape[-2]
    scores_a_query = key.shape[-2] * query[..., 0, 0].numel()
    step = length
    wide = query.shape[-1] > WIDEST_FUSED_HEAD or query.device.type not in ("cuda", "cpu")
    if wide and not (whole and _holds_no_scores(query, key, value)):
        step = max(1, budget // scores_a_query)
    if step >= length:
        return functional.scaled_dot_product_attention(query, key, value)
    result = torch.empty_like(query)
    for start in range(0, length, step):
        rows = slice(start, start + step)
        result[..., rows, :] = functional.scaled_dot_product_attention(
            query[..., rows, :], key, value
        )
    return result


def _holds_no_scores(query: Tensor, key: Tensor, value: Tensor) -> bool:
    """Say whether the device has a kernel for heads so wide that holds no scores."""
    if query.device.type != "cuda":
        return query.device.type in ("cpu", "meta")
    cuda = torch.backends.cuda
    asked = cuda.SDPAParams(query, key, value, None, 0.0, False, False)
    return cuda.can_use_efficient_attention(asked)


def norm_silu(norm: GroupNorm, value: Tensor) -> Tensor:
    """Return SiLU of the normalised value, in one new tensor."""
    if norm.fills:
        return normalise(value, norm, silu=True)
    return silu_(norm(value))


def each_frame(frames: Tensor, *steps: Callable[[Tensor], Tensor]) -> Tensor:
    """Run steps that do not look across time on one frame at a time: exact, and bounded memory."""
    result = None
    for index in range(len(frames)):
        frame = frames[index : index + 1]
        for step in steps:
            frame = step(frame)
        if result is None:
            result = torch.empty(
                (len(frames), *frame.shape[1:]),
                dtype=frame.dtype,
                device=frame.device,
                memory_format=_format_of(frame),
            )
        result[index : index + 1] = frame
    if result is None:
        raise ValueError("a window has at least one frame")
    return result


def _format_of(value: Tensor) -> torch.memory_format:
    if value.is_contiguous(memory_format=torch.channels_last) and not value.is_contiguous():
        return torch.channels_last
    return torch.contiguous_format


class SpatialResnet(nn.Module):
    """Two 3x3 convolutions on each frame, with a shortcut."""

    def __init__(self, before: int, width: int, eps: float) -> None:
        super().__init__()
        self.norm1 = GroupNorm(before, eps)
        self.conv1 = Convolution(before, width)
        self.norm2 = GroupNorm(width, eps)
        self.conv2 = Convolution(width, width)
        self.conv_shortcut = PointConvolution(before, width) if before != width else None

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, before, h, w] to [T, width, h, w]."""
        hidden = self.conv1(norm_silu(self.norm1, frames))
        hidden = norm_silu(self.norm2, hidden)
        hidden = self.conv2(hidden)
        shortcut = self.conv_shortcut(frames) if self.conv_shortcut else frames
        result: Tensor = hidden.add_(shortcut)
        return result


class TemporalResnet(nn.Module):
    """Two convolutions over three frames, normalised over the whole window.

    A kernel of 3x1x1 over (time, rows, columns) is a 3x1 kernel over (time, pixels): the window
    is seen as one image whose rows are its frames.
    """

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.norm1 = GroupNorm(width, eps)
        self.conv1 = TimeConvolution(width)
        self.norm2 = GroupNorm(width, eps)
        self.conv2 = TimeConvolution(width)

    def forward(self, frames: Tensor) -> Tensor:
        """Add the temporal branch to [T, C, h, w], in place."""
        window = frames.transpose(0, 1).flatten(2)[None]
        hidden = norm_silu(self.norm1, window)
        hidden = self.conv1(hidden)
        hidden = norm_silu(self.norm2, hidden)
        hidden = self.conv2(hidden)[0].unflatten(2, frames.shape[2:])
        return frames.add_(hidden.transpose(0, 1))


class Resnet(nn.Module):
    """A spatial and a temporal resnet block, the latter's share folded into its weights."""

    def __init__(self, before: int, width: int, eps: float, temporal_eps: float) -> None:
        super().__init__()
        self.spatial_res_block = SpatialResnet(before, width, eps)
        self.temporal_res_block = TemporalResnet(width, temporal_eps)

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, before, h, w] to [T, width, h, w]."""
        result: Tensor = self.temporal_res_block(self.spatial_res_block(frames))
        return result


class ImageAttention(nn.Module):
    """The VAE's attention: one head as wide as the level, over the pixels of each frame.

    `whole` is set where the step of that name is taken.
    """

    whole = False

    def __init__(self, width: int) -> None:
        super().__init__()
        self.group_norm = GroupNorm(width, 1e-6)
        self.to_q = Linear(width, width)
        self.to_k = Linear(width, width)
        self.to_v = Linear(width, width)
        self.to_out = nn.ModuleDict({"0": Linear(width, width)})

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, C, h, w] to the same shape."""
        pixels = self.group_norm(frames).flatten(2).transpose(1, 2)
        parts = (self.to_q(pixels), self.to_k(pixels), self.to_v(pixels))
        hidden = attend(*parts, whole=self.whole)
        hidden = self.to_out["0"](hidden).transpose(1, 2).unflatten(2, frames.shape[2:])
        result: Tensor = frames + hidden
        return result


class SelfAttention(nn.Module):
    """Attention over the pixels of each frame, or over the frames of each pixel."""

    def __init__(self, width: int, heads: int, *, over_time: bool) -> None:
        super().__init__()
        self.heads = heads
        self.over_time = over_time
        self.to_q = Linear(width, width, bias=False)
        self.to_k = Linear(width, width, bias=False)
        self.to_v = Linear(width, width, bias=False)
        self.to_out = nn.ModuleDict({"0": Linear(width, width)})

    def forward(self, tokens: Tensor) -> Tensor:
        """Map [T, pixels, C] to the same shape."""
        parts = (self.to_q(tokens), self.to_k(tokens), self.to_v(tokens))
        # [T, pixels, heads, d] -> [T, heads, pixels, d] or [pixels, heads, T, d]
        order = (1, 2, 0, 3) if self.over_time else (0, 2, 1, 3)
        hidden = attend(*(part.unflatten(2, (self.heads, -1)).permute(order) for part in parts))
        back = (2, 0, 1, 3) if self.over_time else (0, 2, 1, 3)
        result: Tensor = self.to_out["0"](hidden.permute(back).flatten(2))
        return result


class GatedFeedForward(nn.Module):
    """Two linear layers with a GELU gate between them."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.ModuleDict(
            {
                "0": nn.ModuleDict({"proj": Linear(width, 8 * width)}),
                "2": Linear(4 * width, width),
            }
        )

    def forward(self, tokens: Tensor) -> Tensor:
        """Map [..., C] to the same shape."""
        value, gate = self.net["0"].get_submodule("proj")(tokens).chunk(2, dim=-1)
        result: Tensor = self.net["2"](gelu(gate).mul_(value))
        return result


class SpatialBlock(nn.Module):
    """Attention over each frame's pixels, then a feed-forward layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = SelfAttention(width, heads, over_time=False)
        self.norm3 = nn.LayerNorm(width)
        self.ff = GatedFeedForward(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map [T, pixels, C] to the same shape."""
        hidden = self.attn1(self.norm1(tokens)).add_(tokens)
        result: Tensor = self.ff(self.norm3(hidden)).add_(hidden)
        return result


class TemporalBlock(nn.Module):
    """A feed-forward layer, attention over each pixel's frames, and a feed-forward layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm_in = nn.LayerNorm(width)
        self.ff_in = GatedFeedForward(width)
        self.norm1 = nn.LayerNorm(width)
        self.attn1 = SelfAttention(width, heads, over_time=True)
        self.norm3 = nn.LayerNorm(width)
        self.ff = GatedFeedForward(width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map [T, pixels, C] to the same shape."""
        hidden = self.ff_in(self.norm_in(tokens)).add_(tokens)
        hidden = self.attn1(self.norm1(hidden)).add_(hidden)
        result: Tensor = self.ff(self.norm3(hidden)).add_(hidden)
        return result


class Transformer(nn.Module):
    """Spatial and temporal blocks in turn, each pair joined by one lerp."""

    def __init__(self, width: int, heads: int, depth: int, positions: int) -> None:
        super().__init__()
        self.norm = GroupNorm(width, 1e-6)
        self.proj_in = Linear(width, width)
        self.transformer_blocks = nn.ModuleList(SpatialBlock(width, heads) for _ in range(depth))
        self.temporal_transformer_blocks = nn.ModuleList(
            TemporalBlock(width, heads) for _ in range(depth)
        )
        self.positions = nn.Parameter(torch.empty(positions, width))
        self.temporal_share = nn.Parameter(torch.empty(()))
        self.proj_out = Linear(width, width)

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, C, h, w] to the same shape."""
        tokens = self.proj_in(self.norm(frames).permute(0, 2, 3, 1).flatten(1, 2))
        places = self.positions[: len(frames), None]
        blocks = zip(self.transformer_blocks, self.temporal_transformer_blocks, strict=True)
        for spatial, temporal in blocks:
            tokens = spatial(tokens)
            tokens = torch.lerp(tokens, temporal(tokens + places), self.temporal_share)
        hidden = self.proj_out(tokens).unflatten(1, frames.shape[2:]).permute(0, 3, 1, 2)
        result: Tensor = frames + hidden
        return result
