"""The preview engine's network: an inverted-residual encoder, a pooled head, a gated decoder.

1. Both published nets (square 256x256, landscape 144x256) are this one graph with other weights.
2. Parameter names and layouts are those of the `.safetensors` files beside this module.
3. Padding is TensorFlow's SAME, which puts the odd pixel at the bottom and the right.

The graph is that of MediaPipe Selfie Segmentation (Apache-2.0, see NOTICE). Its parts are published
in Howard et al., "Searching for MobileNetV3", ICCV 2019 (inverted residuals with hard-swish and
squeeze-and-excite gates, section 5; the pooled head is LR-ASPP, section 6.3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

Activation: TypeAlias = Callable[[Tensor], Tensor]


class Convolution(nn.Conv2d):
    """A convolution with SAME padding, for inputs whose sides are multiples of the stride."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, *, stride: int = 1, groups: int = 1
    ) -> None:
        super().__init__(inputs, outputs, kernel, stride=stride, groups=groups)
        before = (kernel - stride) // 2
        after = kernel - stride - before
        self._same = (before, after, before, after)

    def forward(self, image: Tensor) -> Tensor:
        """Convolve [N, C, h, w] to [N, C', h / stride, w / stride]."""
        if any(self._same):
            image = functional.pad(image, self._same)
        return super().forward(image)


def _depthwise(channels: int, kernel: int, *, stride: int = 1) -> Convolution:
    return Convolution(channels, channels, kernel, stride=stride, groups=channels)


def _mean(image: Tensor) -> Tensor:
    return image.mean(dim=(2, 3), keepdim=True)


class Gate(nn.Module):
    """Squeeze-and-excite: one weight in 0..1 per channel, from the channel means."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.squeeze = Convolution(channels, hidden)
        self.excite = Convolution(hidden, channels)

    def forward(self, image: Tensor) -> Tensor:
        """Return the gate [N, C, 1, 1] of an image [N, C, h, w]."""
        hidden = functional.relu(self.squeeze(_mean(image)))
        return torch.sigmoid(self.excite(hidden))


class InvertedResidual(nn.Module):
    """Widen, filter each channel, gate, narrow; added to its input where the shapes agree."""

    def __init__(
        self,
        channels: tuple[int, int, int],
        kernel: int,
        activation: Activation,
        *,
        stride: int = 1,
        gate: int = 0,
    ) -> None:
        super().__init__()
        inputs, wide, outputs = channels
        self.expand = Convolution(inputs, wide)
        self.depthwise = _depthwise(wide, kernel, stride=stride)
        self.gate = Gate(wide, gate) if gate else None
        self.project = Convolution(wide, outputs)
        self._activation = activation
        self._residual = stride == 1 and inputs == outputs

    def forward(self, image: Tensor) -> Tensor:
        """Transform [N, inputs, h, w] to [N, outputs, h / stride, w / stride]."""
        wide = self._activation(self.expand(image))
        wide = self._activation(self.depthwise(wide))
        if self.gate is not None:
            wide = wide * self.gate(wide)
        narrow: Tensor = self.project(wide)
        return narrow + image if self._residual else narrow


class Head(nn.Module):
    """LR-ASPP: features weighted by a gate from their means."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.project = Convolution(inputs, outputs)
        self.gate = Convolution(inputs, outputs)

    def forward(self, image: Tensor) -> Tensor:
        """Transform [N, inputs, h, w] to [N, outputs, h, w]."""
        return functional.relu(self.project(image)) * torch.sigmoid(self.gate(_mean(image)))


class Up(nn.Module):
    """Double the size and join the encoder's features of that size, as far as a gate lets them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.reduce = Convolution(inputs, outputs)
        self.gate = Gate(outputs, outputs)
        self.blend = Convolution(outputs, outputs)
        self.depthwise = _depthwise(outputs, 3)

    def forward(self, image: Tensor, skip: Tensor) -> Tensor:
        """Join [N, inputs, h, w] and a skip [N, outputs, 2h, 2w] to [N, outputs, 2h, 2w]."""
        doubled = functional.interpolate(
            image, scale_factor=2, mode="bilinear", align_corners=False
        )
        coarse = self.reduce(doubled)
        joined = skip * self.gate(skip + coarse) + coarse
        blended = functional.relu(self.blend(joined))
        return blended + functional.relu(self.depthwise(blended))


class PersonNetwork(nn.Module):
    """Segment people: sides of the input are multiples of 16."""

    def __init__(self) -> None:
        super().__init__()
        relu, swish = functional.relu, functional.hardswish
        self.stem = Convolution(3, 16, 3, stride=2)
        self.quarter = InvertedResidual((16, 16, 16), 3, relu, stride=2, gate=8)
        self.eighth = nn.Sequential(
            InvertedResidual((16, 72, 24), 3, relu, stride=2),
            InvertedResidual((24, 88, 24), 3, relu),
        )
        self.sixteenth = nn.Sequential(
            InvertedResidual((24, 96, 32), 5, swish, stride=2, gate=24),
            InvertedResidual((32, 128, 32), 5, swish, gate=32),
            InvertedResidual((32, 128, 32), 5, swish, gate=32),
            InvertedResidual((32, 96, 32), 5, swish, gate=24),
            InvertedResidual((32, 96, 32), 5, swish, gate=24),
        )
        self.head = Head(32, 128)
        self.to_eighth = Up(128, 24)
        self.to_quarter = Up(24, 16)
        self.to_half = Up(16, 16)
        self.segment = nn.ConvTranspose2d(16, 1, 2, stride=2)

    def forward(self, image: Tensor) -> Tensor:
        """Return the person's alpha [N, 1, h, w] in 0..1 of images [N, 3, h, w], sRGB in 0..1."""
        half = functional.hardswish(self.stem(image))
        quarter = self.quarter(half)
        eighth = self.eighth(quarter)
        coarse = self.head(self.sixteenth(eighth))
        coarse = self.to_eighth(coarse, eighth)
        coarse = self.to_quarter(coarse, quarter)
        coarse = self.to_half(coarse, half)
        return torch.sigmoid(self.segment(coarse))
