"""Low-rank adapters (LoRA) for the UNet, merged into its weights at load: W + alpha/r * B A.

An adapter is a folder as PEFT writes it: `adapter_config.json` and the matrices in
`pytorch_lora_weights.safetensors`, `.pt`, or `unet_lora.pt`. A `.pt` is read tensors-only.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.gvm.checkpoint import read_header, read_tensor

if TYPE_CHECKING:
    import torch

CONFIG = "adapter_config.json"
FILES = ("pytorch_lora_weights.safetensors", "pytorch_lora_weights.pt", "unet_lora.pt")

_UNKNOWN = ("use_dora", "fan_in_fan_out", "use_qalora", "lora_bias")
_PATTERNS = ("rank_pattern", "alpha_pattern", "modules_to_save", "layer_replication")
_PREFIXES = ("base_model.model.", "model.")


def adapter_file(folder: Path) -> Path | None:
    """Return the adapter's matrices in a folder; None where it holds no adapter.

    Raises:
        EngineError: one of the adapter's two files is there without the other.
    """
    found = next((folder / name for name in FILES if (folder / name).is_file()), None)
    has_config = (folder / CONFIG).is_file()
    if (found is None) == has_config:
        lacks = " or ".join(FILES) if has_config else CONFIG
        raise _refusal(folder, f"lacks {lacks}")
    return found


def merge_adapter(weights: dict[str, torch.Tensor], folder: Path) -> int:
    """Merge the adapter of a folder into the UNet's weights, one tensor at a time.

    Returns:
        How many layers were changed; 0 where the folder holds no adapter.

    Raises:
        EngineError: the adapter is incomplete, of an unknown kind, or of another network.
    """
    path = adapter_file(folder)
    if path is None:
        return 0
    scale = _scale(folder / CONFIG)
    matrices = _matrices(path)
    layers = sorted({name.rpartition(".lora_")[0] for name in matrices})
    for layer in layers:
        name = f"{layer}.weight"
        try:
            down, up = matrices[f"{layer}.lora_A.weight"], matrices[f"{layer}.lora_B.weight"]
            weights[name] = weights[name] + scale * (up @ down)
        except KeyError as error:
            raise _refusal(path, f"does not fit this UNet: there is no {error}") from error
        except RuntimeError as error:
            raise _refusal(path, f"does not fit this UNet at {name} ({error})") from error
    return len(layers)


def _scale(path: Path) -> float:
    """Return alpha/r (alpha/sqrt(r) for rank-stabilised adapters)."""
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _refusal(path, f"cannot be read ({error!r})") from error
    unknown = [name for name in (*_UNKNOWN, *_PATTERNS) if config.get(name)]
    if config.get("bias", "none") != "none":
        unknown.append("bias")
    if rank < 1 or unknown:
        raise _refusal(path, f"is of an unknown kind: r {rank}, {', '.join(unknown) or 'r < 1'}")
    return float(alpha / (rank**0.5 if config.get("use_rslora") else rank))


def _matrices(path: Path) -> dict[str, torch.Tensor]:
    """Return the adapter's float32 matrices by the UNet's own names."""
    import torch  # noqa: PLC0415 - the file names above are used where torch is not loaded

    if path.suffix == ".safetensors":
        return _named({name: read_tensor(entry) for name, entry in read_header(path).items()}, path)
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        raise _refusal(path, f"is not a file of tensors ({error})") from error
    if not isinstance(loaded, dict):
        raise _refusal(path, "is not a file of named tensors")
    return _named(loaded, path)


def _named(loaded: Mapping[str, torch.Tensor], path: Path) -> dict[str, torch.Tensor]:
    matrices = {}
    for name, tensor in loaded.items():
        if ".lora_" not in name:
            raise _refusal(path, f"holds {name}, which is no LoRA matrix")
        bare = name
        for prefix in _PREFIXES:
            bare = bare.removeprefix(prefix)
        matrices[bare.replace(".default.weight", ".weight")] = tensor.float()
    return matrices


def _refusal(path: Path, says: str) -> EngineError:
    return EngineError(
        f"The LoRA adapter {path} {says}.",
        remedy="Give a folder with a PEFT adapter of the GVM UNet, or no adapter.",
        code=ErrorCode.ENGINE_UNAVAILABLE,
        path=str(path),
    )
