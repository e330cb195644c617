"""Reads safetensors files: names and shapes first, then one tensor at a time into its own memory.

Laws:
1. Nothing is read of a file whose names or shapes do not fit; the first ten that differ are named.
2. Tensors are read, not mapped: a network drive may go away, and memory is what is counted.
3. Only `read_tensor` and what calls it imports torch.

The format: 8 bytes of little-endian header length, a JSON header, then the tensors' bytes
(https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from gvm_client.errors import EngineError, ErrorCode
from gvm_server.matting.engines.gvm.layout import Shapes

if TYPE_CHECKING:
    import torch

STEM = "diffusion_pytorch_model"
DIFFERENCES_NAMED = 10

_MAX_HEADER_BYTES = 100 << 20  # the format's own bound
_ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}
_REMEDY = "Fetch the weights again with `gvm weights pull`, or name another folder."


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
