"""Makes a tiny GVM checkpoint with seeded random weights in the released layout.

    python tests/tools/make_tiny_checkpoint.py OUT [--seed N] [--shards N] [--half]

Its mattes mean nothing; it is for tests and for trying the engine without the weights.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from gvm_server.matting.engines.gvm.checkpoint import STEM, Shapes, unet_shapes, vae_shapes
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.lora import CONFIG, FILES

Tensors = dict[str, NDArray[np.floating]]

UNET = {
    "_class_name": "UNetSpatioTemporalConditionModel",
    "act_fn": "silu",
    "block_out_channels": [32, 32, 64, 64],
    "class_embed_type": None,
    "cross_attention_dim": 32,
    "down_block_types": [*["CrossAttnDownBlockSpatioTemporal"] * 3, "DownBlockSpatioTemporal"],
    "in_channels": 8,
    "layers_per_block": 1,
    "num_attention_heads": [2, 1, 2, 4],
    "out_channels": 4,
    "transformer_layers_per_block": 1,
    "up_block_types": ["UpBlockSpatioTemporal", *["CrossAttnUpBlockSpatioTemporal"] * 3],
}
VAE = {
    "_class_name": "AutoencoderKLTemporalDecoder",
    "block_out_channels": [32, 32, 64, 64],
    "down_block_types": ["DownEncoderBlock2D"] * 4,
    "force_upcast": True,
    "in_channels": 3,
    "latent_channels": 4,
    "layers_per_block": 1,
    "out_channels": 3,
    "scaling_factor": 0.18215,
}
SCHEDULER = {
    "_class_name": "FlowMatchEulerDiscreteScheduler",
    "num_train_timesteps": 1000,
    "shift": 3.0,
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What a checkpoint is made of: fields that differ from the configs above, and how it is kept.

    Attributes:
        unet: fields of `unet/config.json`.
        vae: fields of `vae/config.json`.
        scheduler: fields of `scheduler/scheduler_config.json`.
        seed: of the weights; the same seed gives a tensor the same values in every checkpoint.
        shards: files a network is kept in.
        dtype: of the stored tensors.
    """

    unet: Mapping[str, object] = field(default_factory=dict)
    vae: Mapping[str, object] = field(default_factory=dict)
    scheduler: Mapping[str, object] = field(default_factory=dict)
    seed: int = 0
    shards: int = 1
    dtype: str = "float32"


def make_checkpoint(folder: Path, recipe: Recipe | None = None) -> Path:
    """Write a checkpoint below `folder` and return it."""
    recipe = recipe or Recipe()
    configs = {
        "unet/config.json": {**UNET, **recipe.unet},
        "vae/config.json": {**VAE, **recipe.vae},
        "scheduler/scheduler_config.json": {**SCHEDULER, **recipe.scheduler},
    }
    for name, fields in configs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(fields, indent=2) + "\n", encoding="utf-8")
    config = read_config(folder)
    for network, shapes in (("unet", unet_shapes(config.unet)), ("vae", vae_shapes(config.vae))):
        tensors = random_tensors(shapes, recipe.seed)
        typed = {name: tensor.astype(recipe.dtype) for name, tensor in tensors.items()}
        write_shards(folder / network, typed, recipe.shards)
    return folder


def make_adapter(folder: Path, shapes: Shapes, *, rank: int = 4, seed: int = 1) -> Path:
    """Write a LoRA adapter for the self-attentions of a UNet with these shapes."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {"r": rank, "lora_alpha": 2 * rank, "peft_type": "LORA", "bias": "none"}
    (folder / CONFIG).write_text(json.dumps(config), encoding="utf-8")
    targets = {name: shapes[name] for name in shapes if ".attn1.to_" in name and "bias" not in name}
    matrices: Shapes = {}
    for name, (rows, columns) in targets.items():
        layer = f"model.{name.removesuffix('.weight')}"
        matrices[f"{layer}.lora_A.weight"] = (rank, columns)
        matrices[f"{layer}.lora_B.weight"] = (rows, rank)
    save_file(random_tensors(matrices, seed), folder / FILES[0])
    return folder


def random_tensors(shapes: Shapes, seed: int) -> Tensors:
    """Return seeded tensors that keep a signal's size: 1/sqrt(fan-in), and norms about 1."""
    tensors: Tensors = {}
    for name, shape in shapes.items():
        generator = np.random.default_rng([seed, zlib.crc32(name.encode())])
        values = generator.standard_normal(shape, dtype=np.float32)
        if len(shape) > 1:
            values /= np.float32(prod(shape[1:]) ** 0.5)
        else:
            values *= np.float32(0.1)
            is_norm = "norm" in name and name.endswith(".weight")
            values += np.float32(is_norm)
        tensors[name] = values
    return tensors


def write_shards(folder: Path, tensors: Tensors, shards: int) -> None:
    """Write a network's tensors as one file, or as several with an index."""
    if shards == 1:
        save_file(tensors, folder / f"{STEM}.safetensors")
        return
    files: dict[str, Tensors] = {}
    budget = -(-sum(tensor.nbytes for tensor in tensors.values()) // shards)
    filled = 0
    for name, tensor in tensors.items():
        number = min(filled // budget, shards - 1) + 1
        files.setdefault(f"{STEM}-{number:05}-of-{shards:05}.safetensors", {})[name] = tensor
        filled += tensor.nbytes
    for file, part in files.items():
        save_file(part, folder / file)
    index = {"weight_map": {name: file for file, part in files.items() for name in part}}
    path = folder / f"{STEM}.safetensors.index.json"
    path.write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    """Read the command line and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--half", action="store_true", help="store the weights in float16")
    given = parser.parse_args()
    dtype = "float16" if given.half else "float32"
    make_checkpoint(given.out, Recipe(seed=given.seed, shards=given.shards, dtype=dtype))


if __name__ == "__main__":
    main()
