"""Exact algebra over the weights, done once at load: what is constant at run time is folded away.

- Each function changes the dictionary in place and one tensor at a time, so that a load never holds
  a second copy of the weights; tensors themselves are never written to.
- Each is exact: in float64 a network before and after agrees to rounding
  (test_whole_networks_are_the_same_after_all_simplifications).
- Sums are made in float64 and rounded once to the weights' own type.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch.nn import functional

from gvm_server.matting.engines.gvm.operators import in_blocks_, silu_

Weights: TypeAlias = dict[str, torch.Tensor]

POSITIONS = 256  # rows of a position table: the longest window that settings allow


@dataclass(frozen=True, kw_only=True, slots=True)
class SimplificationReport:
    """What the weights held before and after, over all networks."""

    parameters_before: int
    parameters_after: int
    bytes_before: int
    bytes_after: int

    def __add__(self, other: SimplificationReport) -> SimplificationReport:
        return SimplificationReport(
            parameters_before=self.parameters_before + other.parameters_before,
            parameters_after=self.parameters_after + other.parameters_after,
            bytes_before=self.bytes_before + other.bytes_before,
            bytes_after=self.bytes_after + other.bytes_after,
        )

    def __str__(self) -> str:
        return (
            f"{self.parameters_before / 1e6:.1f} M parameters became "
            f"{self.parameters_after / 1e6:.1f} M ({self.bytes_before / 2**20:.0f} MiB became "
            f"{self.bytes_after / 2**20:.0f} MiB)"
        )


def fold_cross_attention(weights: Weights) -> None:
    """Fold every cross-attention into the output bias of the self-attention before it.

    The context is one zero token and the value projection has no bias, so the attention's result
    is its output bias, whatever the query is.
    """
    for name in _ending(weights, ".attn2.to_out.0.bias"):
        block = name.removesuffix(".attn2.to_out.0.bias")
        target = f"{block}.attn1.to_out.0.bias"
        weights[target] = _sum(weights[target], weights[name])
        _drop(weights, f"{block}.attn2.")
        _drop(weights, f"{block}.norm2.")


def fold_timestep(weights: Weights, timestep: float) -> None:
    """Fold the embedding of a constant timestep into the first bias of every resnet block."""
    weights |= timestep_biases(weights, timestep)
    for name in _ending(weights, ".time_emb_proj.weight"):
        _drop(weights, name.removesuffix("weight"))
    _drop(weights, "time_embedding.")


def timestep_biases(weights: Weights, timestep: float) -> Weights:
    """Return every resnet block's first bias with the embedding of a timestep added."""
    width = weights["time_embedding.linear_1.weight"].shape[1]
    embedding = _mlp(weights, "time_embedding", sinusoids(torch.tensor([timestep]), width))
    biases = {}
    for name in _ending(weights, ".time_emb_proj.weight"):
        block = name.removesuffix(".time_emb_proj.weight")
        shift = functional.linear(
            functional.silu(embedding).double(),
            weights[name].double(),
            weights[f"{block}.time_emb_proj.bias"].double(),
        )
        biases[f"{block}.conv1.bias"] = _sum(weights[f"{block}.conv1.bias"], shift[0])
    return biases


def tabulate_positions(weights: Weights, count: int = POSITIONS) -> None:
    """Turn each embedding of the frame's place in its window into a table of `count` rows."""
    for name in _ending(weights, ".time_pos_embed.linear_1.weight"):
        transformer = name.removesuffix(".time_pos_embed.linear_1.weight")
        waves = sinusoids(torch.arange(count), weights[name].shape[1])
        weights[f"{transformer}.positions"] = _mlp(weights, f"{transformer}.time_pos_embed", waves)
        _drop(weights, f"{transformer}.time_pos_embed.")


def split_noise_input(weights: Weights, latent_channels: int) -> None:
    """Split the input convolution: the noise half sees zeros in the first step and is left out."""
    weight = weights["conv_in.weight"]
    weights["conv_in.weight"] = weight[:, latent_channels:].clone()
    weights["conv_noise.weight"] = weight[:, :latent_channels].clone()


def fold_posterior_mean(weights: Weights) -> None:
    """Fold the mean half of `quant_conv` into the encoder's last convolution.

    The log-variance half is not needed: the latent is the posterior's mode.
    """
    moments = weights["quant_conv.weight"].shape[0]
    mixing = weights["quant_conv.weight"][: moments // 2, :, 0, 0].double()
    offset = weights["quant_conv.bias"][: moments // 2].double()
    weight, bias = weights["encoder.conv_out.weight"], weights["encoder.conv_out.bias"]
    folded = torch.einsum("om,mchw->ochw", mixing, weight.double())
    weights["encoder.conv_out.weight"] = folded.to(weight.dtype)
    weights["encoder.conv_out.bias"] = (mixing @ bias.double() + offset).to(bias.dtype)
    _drop(weights, "quant_conv.")


def fold_mix_factors(weights: Weights, *, switched: bool) -> None:
    """Fold the constant blend of each spatial result with its temporal one.

    A resnet block gives `a s + (1 - a) (s + r) = s + (1 - a) r`: the share of r scales the
    temporal branch's last convolution. A transformer keeps the share `1 - a` for one lerp.

    Args:
        weights: of one network.
        switched: the VAE's mixers, which swap the two sides of the blend.
    """
    for name in _ending(weights, ".time_mixer.mix_factor"):
        module = name.removesuffix(".time_mixer.mix_factor")
        spatial = torch.sigmoid(weights.pop(name).double())
        share = spatial if switched else 1.0 - spatial
        last = f"{module}.temporal_res_block.conv2"
        if f"{last}.weight" not in weights:
            weights[f"{module}.temporal_share"] = share[0].to(weights[f"{module}.norm.bias"].dtype)
            continue
        for part in (f"{last}.weight", f"{last}.bias"):
            weights[part] = weights[part] * share.to(weights[part].dtype)


def fold_channel_mean(weights: Weights) -> None:
    """Fold the decoder's convolution over time and the mean of its channels into `conv_out`.

    Afterwards `conv_out` has three outputs: what a frame gives to the frame after it, to itself,
    and to the frame before it. `decoder.bias` is added once to each frame.
    """
    over_time = weights["decoder.time_conv_out.weight"][..., 0, 0].double().mean(dim=0)
    weight, bias = weights["decoder.conv_out.weight"], weights["decoder.conv_out.bias"]
    folded = torch.einsum("ck,cdhw->kdhw", over_time, weight.double())
    weights["decoder.conv_out.weight"] = folded.to(weight.dtype)
    weights["decoder.conv_out.bias"] = (bias.double() @ over_time).to(bias.dtype)
    mean = weights["decoder.time_conv_out.bias"].double().mean()
    weights["decoder.bias"] = mean.to(bias.dtype)
    _drop(weights, "decoder.time_conv_out.")


def flatten_time_kernels(weights: Weights) -> None:
    """Make 2-D kernels [out, in, 3, 1] over (time, pixels) of the kernels [out, in, 3, 1, 1]."""
    for name, weight in weights.items():
        if weight.dim() == 5:
            weights[name] = weight[..., 0]


def fold_upsampling(weights: Weights) -> None:
    """Fold the doubling of both sides into each of the decoder's convolutions after one.

    A 3x3 kernel on pixels that stand twice sees two of the small image's a side: an even pixel
    the one before and its own, with the taps [w0, w1 + w2], an odd one its own and the next, with
    [w0 + w1, w2]. `upsamplers.0.conv` keeps the four kernels, [4 out, in, 2, 2]: of even rows and
    even columns, of even rows and odd columns, and so on.
    """
    for name in _ending(weights, ".upsamplers.0.conv.weight"):
        if name.startswith("decoder."):
            weight = weights[name]
            rows = _phases(weight.double(), 2)
            folded = torch.cat([kernel for row in rows for kernel in _phases(row, 3)])
            weights[name] = folded.to(weight.dtype)


def _phases(weight: torch.Tensor, axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the two taps of an even and of an odd pixel for the three of one axis."""
    before, middle, after = weight.unbind(axis)
    even = torch.stack([before, middle + after], axis)
    return even, torch.stack([before + middle, after], axis)


def drop_unreached(weights: Weights) -> None:
    """Drop what the decoder's middle never runs: it pairs resnets 1.. with its one attention."""
    middle = "decoder.mid_block"
    names = _ending(weights, ".spatial_res_block.norm1.weight")
    count = sum(name.startswith(f"{middle}.resnets.") for name in names)
    for index in range(2, count):
        _drop(weights, f"{middle}.resnets.{index}.")
    if count == 1:
        _drop(weights, f"{middle}.attentions.")


def simplify_unet(
    weights: Weights, *, latent_channels: int, timestep: float | None
) -> SimplificationReport:
    """Apply every fold of the UNet; a timestep of None keeps the time embedding's layers."""
    before = _count(weights)
    fold_cross_attention(weights)
    if timestep is not None:
        fold_timestep(weights, timestep)
    tabulate_positions(weights)
    split_noise_input(weights, latent_channels)
    fold_mix_factors(weights, switched=False)
    flatten_time_kernels(weights)
    return _report(before, weights)


def simplify_vae(weights: Weights, *, folded: bool = False) -> SimplificationReport:
    """Apply every fold of the VAE; `folded` says whether upsampling is one of them."""
    before = _count(weights)
    drop_unreached(weights)
    fold_posterior_mean(weights)
    fold_mix_factors(weights, switched=True)
    fold_channel_mean(weights)
    flatten_time_kernels(weights)
    if folded:
        fold_upsampling(weights)
    return _report(before, weights)


def sinusoids(values: torch.Tensor, width: int) -> torch.Tensor:
    """Return [N, width] float32: cosines, then sines, of the values at falling frequencies.

    The embedding of "Attention Is All You Need" in float32, as the network was trained with it:
    at timestep 999 another rounding of the phase would already show.
    """
    half = width // 2
    exponent = -math.log(10000.0) * torch.arange(half, dtype=torch.float32) / half
    phase = values.float()[:, None] * torch.exp(exponent)[None]
    waves = (in_blocks_(torch.cos_, phase.clone()), in_blocks_(torch.sin_, phase))
    return torch.cat(waves, dim=-1)


def _mlp(weights: Weights, name: str, value: torch.Tensor) -> torch.Tensor:
    first, second = f"{name}.linear_1", f"{name}.linear_2"
    value = value.to(weights[f"{first}.weight"])
    value = functional.linear(value, weights[f"{first}.weight"], weights[f"{first}.bias"])
    value = silu_(value)
    return functional.linear(value, weights[f"{second}.weight"], weights[f"{second}.bias"])


def _sum(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return (one.double() + other.double()).to(one.dtype)


def _ending(weights: Weights, suffix: str) -> list[str]:
    return [name for name in weights if name.endswith(suffix)]


def _drop(weights: Weights, prefix: str) -> None:
    for name in [name for name in weights if name.startswith(prefix)]:
        del weights[name]


def _count(weights: Weights) -> tuple[int, int]:
    tensors = weights.values()
    return sum(t.numel() for t in tensors), sum(t.nbytes for t in tensors)


def _report(before: tuple[int, int], weights: Weights) -> SimplificationReport:
    parameters, size = _count(weights)
    return SimplificationReport(
        parameters_before=before[0],
        parameters_after=parameters,
        bytes_before=before[1],
        bytes_after=size,
    )
