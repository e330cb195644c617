"""A checkpoint's tensors: which there must be, by its configs, and the files that hold them.

The layout is that of diffusers' `UNetSpatioTemporalConditionModel` (without the added time ids) and
`AutoencoderKLTemporalDecoder`; neither is imported. A safetensors file is 8 bytes of little-endian
header length, a JSON header, then the tensors' bytes
(https://github.com/huggingface/safetensors#format).

- Nothing is read of a file whose names or shapes do not fit; the first ten that differ are named.
- Tensors are read one at a time into their own memory, not mapped: a network drive may go away, and
  memory is what is counted.
- Only `read_tensor` imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.gvm.config import Attention, Level, UNetConfig, VaeConfig

if TYPE_CHECKING:
    import torch


Shapes: TypeAlias = dict[str, tuple[int, ...]]
STEM = "diffusion_pytorch_model"
DIFFERENCES_NAMED = 10
_MAX_HEADER_BYTES = 100 << 20  # the format's own bound
_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_REMEDY = "Fetch the weights again with `gvm weights pull`, or name another folder."


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


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredTensor:
    """Where a tensor lies: `start` is in bytes from the beginning of the file."""

    path: Path
    dtype: str
    shape: tuple[int, ...]
    start: int

    @property
    def nbytes(self) -> int:
        """Its size in the file."""
        return prod(self.shape) * _ITEM_BYTES[self.dtype]


def stored_tensors(folder: Path) -> dict[str, StoredTensor]:
    """Return where the tensors of one network lie, by name; only headers are read.

    Raises:
        EngineError: there is no safetensors file or index, or one is damaged.
    """
    tensors: dict[str, StoredTensor] = {}
    for path in weight_files(folder):
        tensors |= read_header(path)
    return tensors


def weight_files(folder: Path) -> list[Path]:
    """Return a network's safetensors files: one, or the shards that its index names.

    Raises:
        EngineError: there is neither, or the index is damaged.
    """
    single = folder / f"{STEM}.safetensors"
    index = folder / f"{STEM}.safetensors.index.json"
    if single.is_file() or not index.is_file():
        return [single]
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise _damaged(index, f"is not an index of shards ({error})") from error
    for shard in shards:
        if not isinstance(shard, str) or Path(shard).name != shard:
            raise _damaged(index, f"names the shard {shard!r}, which is not a plain file name")
    return [folder / shard for shard in shards]


def read_header(path: Path) -> dict[str, StoredTensor]:
    """Return where the tensors of one file lie, by name.

    Raises:
        EngineError: the file is missing or damaged.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if length > _MAX_HEADER_BYTES:
                raise _damaged(path, f"claims a header of {length} bytes")
            header = json.loads(file.read(length))
        size = path.stat().st_size - 8 - length
        entries = {name: header[name] for name in header if name != "__metadata__"}
        return {name: _entry(path, 8 + length, size, entries[name]) for name in entries}
    except OSError as error:
        raise EngineError(
            f"The weights {path} cannot be read: {error.strerror}.",
            remedy=_REMEDY,
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(path),
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path, f"is not a safetensors file ({error})") from error


def _entry(path: Path, base: int, size: int, entry: Mapping[str, object]) -> StoredTensor:
    shape, offsets, dtype = entry["shape"], entry["data_offsets"], entry["dtype"]
    if dtype not in _ITEM_BYTES:
        raise ValueError(f"the type {dtype!r} is not one of {', '.join(_ITEM_BYTES)}")
    if not isinstance(shape, list) or not isinstance(offsets, list):
        raise TypeError("a shape or an offset is not a list")
    start, end = (int(offset) for offset in offsets)
    tensor = StoredTensor(
        path=path, dtype=str(dtype), shape=tuple(int(side) for side in shape), start=base + start
    )
    if not 0 <= start <= end <= size or end - start != tensor.nbytes:
        raise ValueError("a tensor's bytes do not fit its shape or the file")
    return tensor


def check_layout(stored: Mapping[str, StoredTensor], expected: Shapes, folder: Path) -> None:
    """Compare a network's tensors with what its config asks for.

    Raises:
        EngineError: names or shapes differ; the message names the first ten.
    """
    differences = list(_differences(stored, expected))
    if not differences:
        return
    named = "; ".join(islice(differences, DIFFERENCES_NAMED))
    more = len(differences) - DIFFERENCES_NAMED
    raise EngineError(
        f"The weights in {folder} do not fit their config, {len(differences)} tensors differ: "
        f"{named}{f'; and {more} more' if more > 0 else ''}.",
        remedy="Use weights and config.json of one and the same GVM checkpoint.",
        code=ErrorCode.ENGINE_UNAVAILABLE,
        path=str(folder),
    )


def _differences(stored: Mapping[str, StoredTensor], expected: Shapes) -> Iterator[str]:
    for name in sorted(expected.keys() | stored.keys()):
        if name not in stored:
            yield f"{name} is missing (must be {list(expected[name])})"
        elif name not in expected:
            yield f"{name} is unexpected (is {list(stored[name].shape)})"
        elif stored[name].shape != expected[name]:
            yield f"{name} is {list(stored[name].shape)}, must be {list(expected[name])}"


def read_tensor(stored: StoredTensor) -> torch.Tensor:
    """Return a tensor in float32 (float64 stays), in memory of its own.

    Raises:
        EngineError: the file ends early or cannot be read.
    """
    import torch  # noqa: PLC0415 - judging a checkpoint must not load torch

    dtypes = {
        "F64": torch.float64,
        "F32": torch.float32,
        "F16": torch.float16,
        "BF16": torch.bfloat16,
    }
    tensor = torch.empty(stored.shape, dtype=dtypes[stored.dtype])
    buffer = memoryview(tensor.reshape(-1).view(torch.uint8).numpy().data)
    try:
        with stored.path.open("rb", buffering=0) as file:
            file.seek(stored.start)
            filled = 0
            while filled < len(buffer) and (count := file.readinto(buffer[filled:])):
                filled += count
    except OSError as error:
        raise _damaged(stored.path, f"cannot be read ({error.strerror})") from error
    if filled < len(buffer):
        raise _damaged(stored.path, "ends early")
    return tensor if tensor.dtype == torch.float64 else tensor.float()


def _damaged(path: Path, says: str) -> EngineError:
    return EngineError(
        f"The file {path} {says}.",
        remedy=_REMEDY,
        code=ErrorCode.ENGINE_UNAVAILABLE,
        path=str(path),
    )
