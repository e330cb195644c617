"""The denoiser: Stable Video Diffusion's UNet as GVM uses it, simplified."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from gvm_server.matting.engines.gvm.blocks import Resnet, Transformer, norm_silu
from gvm_server.matting.engines.gvm.config import Level, UNetConfig
from gvm_server.matting.engines.gvm.norm import GroupNorm
from gvm_server.matting.engines.gvm.simplify import POSITIONS


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
        self.conv = nn.Conv2d(width, width, 3, stride=stride, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        result: Tensor = self.conv(frames)
        return result


class UNet(nn.Module):
    """Maps the latents of a window to alpha latents; the timestep is folded into the weights."""

    def __init__(self, config: UNetConfig) -> None:
        super().__init__()
        first = config.widths[0]
        latent = config.in_channels // 2
        self.conv_in = nn.Conv2d(latent, first, 3, padding=1)
        self.conv_noise = nn.Conv2d(latent, first, 3, padding=1, bias=False)
        self.down_blocks = nn.ModuleList(DownLevel(level) for level in config.down_levels())
        self.mid_block = UNetLevel(config.middle())
        self.up_blocks = nn.ModuleList(UpLevel(level) for level in config.up_levels())
        self.conv_norm_out = GroupNorm(first, 1e-5)
        self.conv_out = nn.Conv2d(first, config.out_channels, 3, padding=1)

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
