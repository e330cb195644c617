"""The two networks, simplified: the UNet that denoises, and the autoencoder (VAE) around it.

- The timestep is folded into the UNet's weights: at one step a window's latents are its only input.
- In the decoder, what does not look across time runs on one frame at a time, and an upsampler runs
  together with the block that follows it: its large result is held for one frame only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from gvm_server.matting.engines.gvm.blocks import (
    ImageAttention,
    Resnet,
    SpatialResnet,
    Transformer,
    each_frame,
    norm_silu,
)
from gvm_server.matting.engines.gvm.config import Level, UNetConfig, VaeConfig
from gvm_server.matting.engines.gvm.operators import Convolution, DoublingConvolution, GroupNorm
from gvm_server.matting.engines.gvm.simplify import POSITIONS
from gvm_server.matting.engines.machine import Step

_EPS = 1e-6
_TEMPORAL_EPS = 1e-5


def take_steps(network: nn.Module, steps: Collection[Step]) -> None:
    """Have a network's layers take the faster ways that are a layer's own."""
    for module in network.modules():
        if isinstance(module, ImageAttention):
            module.whole = Step.WHOLE_ATTENTION in steps
        elif isinstance(module, GroupNorm):
            module.fills = Step.GROUP_NORM in steps


class UNetLevel(nn.Module):
    """One resolution: resnet blocks, each followed by its transformer where the level attends."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(
            Resnet(before, width, level.eps, level.eps) for before, width in level.resnets
        )
        attention, width = level.attention, level.width
        count = len(level.resnets) - (level.name == "mid_block")
        self.attentions = nn.ModuleList(
            Transformer(width, attention.heads, attention.depth, POSITIONS)
            for _ in range(count if attention else 0)
            if attention
        )

    def run(self, index: int, frames: Tensor) -> Tensor:
        """Run the resnet block of this index and the transformer that follows it."""
        frames = self.resnets[index](frames)
        return self.attentions[index](frames) if index < len(self.attentions) else frames


class DownLevel(UNetLevel):
    """A level of the way down."""

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        width = level.width
        self.downsamplers = nn.ModuleList([_Resampler(width, stride=2)] if level.resampler else [])

    def forward(self, frames: Tensor, skips: list[Tensor]) -> Tensor:
        """Map [T, C, h, w] to the next level, putting aside what the way up joins."""
        for index in range(len(self.resnets)):
            frames = self.run(index, frames)
            skips.append(frames)
        for downsampler in self.downsamplers:
            frames = downsampler(frames)
            skips.append(frames)
        return frames


class UpLevel(UNetLevel):
    """A level of the way up."""

    def __init__(self, level: Level) -> None:
        super().__init__(level)
        width = level.width
        self.upsamplers = nn.ModuleList([_Resampler(width, stride=1)] if level.resampler else [])

    def forward(self, frames: Tensor, skips: list[Tensor]) -> Tensor:
        """Map [T, C, h, w] to the next finer level, taking one skip for each resnet block.

        The finer level's size is that of the skip it will join: twice this one's, or one less
        where the way down rounded an odd side up.
        """
        for index in range(len(self.resnets)):
            frames = self.run(index, torch.cat((frames, skips.pop()), dim=1))
        for upsampler in self.upsamplers:
            frames = upsampler(functional.interpolate(frames, size=skips[-1].shape[2:]))
        return frames


class _Resampler(nn.Module):
    """A 3x3 convolution under the name that the checkpoint gives it."""

    def __init__(self, width: int, stride: int) -> None:
        super().__init__()
        self.conv = Convolution(width, width, stride=stride)

    def forward(self, frames: Tensor) -> Tensor:
        result: Tensor = self.conv(frames)
        return result


class UNet(nn.Module):
    """Maps the latents of a window to alpha latents; the timestep is folded into the weights."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        first = config.widths[0]
        latent = config.in_channels // 2
        self.conv_in = Convolution(latent, first)
        self.conv_noise = Convolution(latent, first, bias=False)
        self.down_blocks = nn.ModuleList(DownLevel(level) for level in config.down_levels())
        self.mid_block = UNetLevel(config.middle())
        self.up_blocks = nn.ModuleList(UpLevel(level) for level in config.up_levels())
        self.conv_norm_out = GroupNorm(first, 1e-5)
        self.conv_out = Convolution(first, config.out_channels)

    def forward(self, latents: Tensor, noise: Tensor | None) -> Tensor:
        """Map the frames' latents [T, C, h, w] and a noise latent (None: zeros) to [T, C, h, w]."""
        frames = self.conv_in(latents)
        if noise is not None:
            frames = frames.add_(self.conv_noise(noise))
        skips = [frames]
        for level in self.down_blocks:
            frames = level(frames, skips)
        for index in range(len(self.mid_block.resnets)):
            frames = self.mid_block.run(index, frames)
        for level in self.up_blocks:
            frames = level(frames, skips)
        result: Tensor = self.conv_out(norm_silu(self.conv_norm_out, frames))
        return result


class EncoderLevel(nn.Module):
    """One resolution of the encoder."""

    def __init__(self, level: Level) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(SpatialResnet(*pair, level.eps) for pair in level.resnets)
        width = level.width
        self.downsamplers = nn.ModuleList([_Downsampler(width)] if level.resampler else [])

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, C, h, w] to the next level."""
        for step in (*self.resnets, *self.downsamplers):
            frames = step(frames)
        return frames


class _Downsampler(nn.Module):
    """A 3x3 convolution of stride 2 that pads below and to the right only."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = Convolution(width, width, stride=2, padding=0)

    def forward(self, frames: Tensor) -> Tensor:
        result: Tensor = self.conv(functional.pad(frames, (0, 1, 0, 1)))
        return result


class EncoderMiddle(nn.Module):
    """The coarsest level: resnet, attention, resnet."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.resnets = nn.ModuleList(SpatialResnet(width, width, _EPS) for _ in range(2))
        self.attentions = nn.ModuleList([ImageAttention(width)])

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, C, h, w] to the same shape."""
        for step in (self.resnets[0], self.attentions[0], self.resnets[1]):
            frames = step(frames)
        return frames


class Encoder(nn.Module):
    """Maps pixels in -1..1 to the mode of their latent, not yet scaled."""

    def __init__(self, config: VaeConfig) -> None:
        super().__init__()
        first, last = config.widths[0], config.widths[-1]
        self.conv_in = Convolution(config.in_channels, first)
        self.down_blocks = nn.ModuleList(EncoderLevel(level) for level in config.encoder_levels())
        self.mid_block = EncoderMiddle(last)
        self.conv_norm_out = GroupNorm(last, _EPS)
        self.conv_out = Convolution(last, config.latent_channels)

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, 3, h, w] to [T, C, h / reduction, w / reduction]."""
        for step in (self.conv_in, *self.down_blocks, self.mid_block):
            frames = step(frames)
        result: Tensor = self.conv_out(norm_silu(self.conv_norm_out, frames))
        return result


class _Stage(nn.Module):
    """The modules of one resolution of the decoder, under the checkpoint's names."""

    def __init__(self, pairs: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.blocks = [Resnet(*pair, _EPS, _TEMPORAL_EPS) for pair in pairs]
        self.resnets = nn.ModuleList(self.blocks)
        self.attentions = nn.ModuleList()
        self.upsamplers = nn.ModuleList()


class _Upsampler(nn.Module):
    """Doubles both sides and convolves."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = Convolution(width, width)

    def forward(self, frames: Tensor) -> Tensor:
        result: Tensor = self.conv(functional.interpolate(frames, scale_factor=2.0))
        return result


class _FoldedUpsampler(nn.Module):
    """The same in one, under the same name."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = DoublingConvolution(width)

    def forward(self, frames: Tensor) -> Tensor:
        result: Tensor = self.conv(frames)
        return result


class Decoder(nn.Module):
    """Maps unscaled alpha latents of consecutive frames to the mean of their decoded channels.

    Args:
        config: of the VAE.
        folded: whether its weights went through `simplify.fold_upsampling`.
    """

    def __init__(self, config: VaeConfig, *, folded: bool = False) -> None:
        super().__init__()
        first, last = config.widths[0], config.widths[-1]
        self.conv_in = Convolution(config.latent_channels, last)
        self.mid_block = _middle(last, config.layers)
        stages = [_stage(level, folded=folded) for level in config.decoder_levels()]
        self.up_blocks = nn.ModuleList(stages)
        self.conv_norm_out = GroupNorm(first, _EPS)
        self.conv_out = Convolution(first, 3)
        self.bias = nn.Parameter(torch.empty(()))
        self.way_up = list(self._way_up(stages))

    def _way_up(self, stages: Sequence[_Stage]) -> Iterator[tuple[Sequence[nn.Module], Resnet]]:
        """Yield every resnet block with the spatial steps between it and the one before."""
        first, *others = self.mid_block.blocks
        yield (self.conv_in,), first
        for attention, resnet in zip(self.mid_block.attentions, others, strict=True):
            yield (attention,), resnet
        lead_in: Sequence[nn.Module] = ()
        for stage in stages:
            for resnet in stage.blocks:
                yield lead_in, resnet
                lead_in = ()
            lead_in = tuple(stage.upsamplers)

    def forward(self, frames: Tensor) -> Tensor:
        """Map [T, C, h, w] to [T, h * reduction, w * reduction], about -1..1."""
        for lead_in, resnet in self.way_up:
            frames = each_frame(frames, *lead_in, resnet.spatial_res_block)
            frames = resnet.temporal_res_block(frames)
        taps = each_frame(frames, self._taps)
        return _join_taps(taps).add_(self.bias)

    def _taps(self, frame: Tensor) -> Tensor:
        result: Tensor = self.conv_out(norm_silu(self.conv_norm_out, frame))
        return result


def _join_taps(taps: Tensor) -> Tensor:
    """Sum what each frame gives to the frame after it, to itself and to the frame before it.

    Args:
        taps: [T, 3, h, w].
    """
    result = taps[:, 1].clone()
    result[1:] += taps[:-1, 0]
    result[:-1] += taps[1:, 2]
    return result


def _middle(width: int, layers: int) -> _Stage:
    """Return the coarsest stage: a resnet, and where the config has more, attention and another.

    Further resnets of the checkpoint are never reached: diffusers pairs them with attentions.
    """
    reached = min(layers, 2)
    stage = _Stage([(width, width)] * reached)
    stage.attentions.extend(ImageAttention(width) for _ in range(reached - 1))
    return stage


def _stage(level: Level, *, folded: bool) -> _Stage:
    stage = _Stage(level.resnets)
    if level.resampler:
        upsampler = _FoldedUpsampler if folded else _Upsampler
        stage.upsamplers.append(upsampler(level.width))
    return stage
