"""The names and shapes of a checkpoint's tensors, as its configs say they must be.

The layout is that of diffusers' `UNetSpatioTemporalConditionModel` (without the added time ids)
and `AutoencoderKLTemporalDecoder`; nothing here imports either, nor torch.
"""

from __future__ import annotations

from typing import TypeAlias

from gvm_server.matting.engines.gvm.config import Attention, Level, UNetConfig, VaeConfig

Shapes: TypeAlias = dict[str, tuple[int, ...]]


def unet_shapes(config: UNetConfig) -> Shapes:
    """Return the shape of every tensor of `unet/`, by name."""
    first, time = config.widths[0], config.time_width
    shapes = {
        **_affine("conv_in", first, config.in_channels, 3, 3),
        **_affine("time_embedding.linear_1", time, first),
        **_affine("time_embedding.linear_2", time, time),
        **_norm("conv_norm_out", first),
        **_affine("conv_out", config.out_channels, first, 3, 3),
    }
    for level in (*config.down_levels(), config.middle(), *config.up_levels()):
        for index, (before, width) in enumerate(level.resnets):
            name = f"{level.name}.resnets.{index}"
            shapes |= _spatial_resnet(f"{name}.spatial_res_block", before, width)
            shapes |= _affine(f"{name}.spatial_res_block.time_emb_proj", width, time)
            shapes |= _temporal_resnet(f"{name}.temporal_res_block", width)
            shapes |= _affine(f"{name}.temporal_res_block.time_emb_proj", width, time)
            shapes[f"{name}.time_mixer.mix_factor"] = (1,)
        if level.attention:
            count = 1 if level.name == "mid_block" else len(level.resnets)
            for index in range(count):
                name = f"{level.name}.attentions.{index}"
                shapes |= _transformer(name, level.width, level.attention)
        shapes |= _resampler(level)
    return shapes


def vae_shapes(config: VaeConfig) -> Shapes:
    """Return the shape of every tensor of `vae/`, by name."""
    return {**_encoder_shapes(config), **_decoder_shapes(config)}


def _encoder_shapes(config: VaeConfig) -> Shapes:
    last, moments = config.widths[-1], 2 * config.latent_channels
    shapes = {
        **_affine("encoder.conv_in", config.widths[0], config.in_channels, 3, 3),
        **_image_attention("encoder.mid_block.attentions.0", last),
        **_norm("encoder.conv_norm_out", last),
        **_affine("encoder.conv_out", moments, last, 3, 3),
        **_affine("quant_conv", moments, moments, 1, 1),
    }
    for level in config.encoder_levels():
        for index, (before, width) in enumerate(level.resnets):
            shapes |= _spatial_resnet(f"{level.name}.resnets.{index}", before, width)
        shapes |= _resampler(level)
    for index in range(2):
        shapes |= _spatial_resnet(f"encoder.mid_block.resnets.{index}", last, last)
    return shapes


def _decoder_shapes(config: VaeConfig) -> Shapes:
    first, last, colours = config.widths[0], config.widths[-1], config.out_channels
    shapes = {
        **_affine("decoder.conv_in", last, config.latent_channels, 3, 3),
        **_image_attention("decoder.mid_block.attentions.0", last),
        **_norm("decoder.conv_norm_out", first),
        **_affine("decoder.conv_out", colours, first, 3, 3),
        **_affine("decoder.time_conv_out", colours, colours, 3, 1, 1),
    }
    for index in range(config.layers):
        shapes |= _decoder_resnet(f"decoder.mid_block.resnets.{index}", last, last)
    for level in config.decoder_levels():
        for index, (before, width) in enumerate(level.resnets):
            shapes |= _decoder_resnet(f"{level.name}.resnets.{index}", before, width)
        shapes |= _resampler(level)
    return shapes


def _affine(name: str, width: int, *rest: int) -> Shapes:
    """Return a linear layer's or a convolution's weight [width, *rest] and its bias."""
    return {f"{name}.weight": (width, *rest), f"{name}.bias": (width,)}


def _norm(name: str, width: int) -> Shapes:
    return _affine(name, width) | {f"{name}.weight": (width,)}


def _resampler(level: Level) -> Shapes:
    if not level.resampler:
        return {}
    return _affine(f"{level.name}.{level.resampler}", level.width, level.width, 3, 3)


def _spatial_resnet(name: str, before: int, width: int) -> Shapes:
    shapes = {
        **_norm(f"{name}.norm1", before),
        **_affine(f"{name}.conv1", width, before, 3, 3),
        **_norm(f"{name}.norm2", width),
        **_affine(f"{name}.conv2", width, width, 3, 3),
    }
    if before != width:
        shapes |= _affine(f"{name}.conv_shortcut", width, before, 1, 1)
    return shapes


def _temporal_resnet(name: str, width: int) -> Shapes:
    return {
        **_norm(f"{name}.norm1", width),
        **_affine(f"{name}.conv1", width, width, 3, 1, 1),
        **_norm(f"{name}.norm2", width),
        **_affine(f"{name}.conv2", width, width, 3, 1, 1),
    }


def _decoder_resnet(name: str, before: int, width: int) -> Shapes:
    return {
        **_spatial_resnet(f"{name}.spatial_res_block", before, width),
        **_temporal_resnet(f"{name}.temporal_res_block", width),
        f"{name}.time_mixer.mix_factor": (1,),
    }


def _image_attention(name: str, width: int) -> Shapes:
    shapes = _norm(f"{name}.group_norm", width)
    for part in ("to_q", "to_k", "to_v", "to_out.0"):
        shapes |= _affine(f"{name}.{part}", width, width)
    return shapes


def _transformer(name: str, width: int, attention: Attention) -> Shapes:
    shapes = {
        **_norm(f"{name}.norm", width),
        **_affine(f"{name}.proj_in", width, width),
        **_affine(f"{name}.time_pos_embed.linear_1", 4 * width, width),
        **_affine(f"{name}.time_pos_embed.linear_2", width, 4 * width),
        f"{name}.time_mixer.mix_factor": (1,),
        **_affine(f"{name}.proj_out", width, width),
    }
    for index in range(attention.depth):
        for kind in ("transformer_blocks", "temporal_transformer_blocks"):
            block = f"{name}.{kind}.{index}"
            shapes |= _transformer_block(block, width, attention.context)
            if kind == "temporal_transformer_blocks":
                shapes |= _norm(f"{block}.norm_in", width) | _gated(f"{block}.ff_in", width)
    return shapes


def _transformer_block(name: str, width: int, context: int) -> Shapes:
    shapes = _gated(f"{name}.ff", width)
    for index in (1, 2, 3):
        shapes |= _norm(f"{name}.norm{index}", width)
    for part, source in (("attn1", width), ("attn2", context)):
        shapes[f"{name}.{part}.to_q.weight"] = (width, width)
        shapes[f"{name}.{part}.to_k.weight"] = (width, source)
        shapes[f"{name}.{part}.to_v.weight"] = (width, source)
        shapes |= _affine(f"{name}.{part}.to_out.0", width, width)
    return shapes


def _gated(name: str, width: int) -> Shapes:
    return _affine(f"{name}.net.0.proj", 8 * width, width) | _affine(
        f"{name}.net.2", width, 4 * width
    )
