"""How much device memory a run will need, counted and not guessed.

The three networks run on PyTorch's meta device, which computes shapes and no values, while every
tensor that comes and goes is counted. So the prediction follows the configs and the code by
itself. Scratch space inside a kernel is not seen; that of convolutions is added: a reordered copy
of the weights, and of the input where it is not in the channels-last format (oneDNN 3.7).
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from gvm_server.matting.engines.backoff import chunks
from gvm_server.matting.engines.gvm.blocks import WIDEST_FUSED_HEAD
from gvm_server.matting.engines.gvm.config import CheckpointConfig
from gvm_server.matting.engines.gvm.group_norm import is_last
from gvm_server.matting.engines.gvm.latents import LARGEST_COUNT
from gvm_server.matting.engines.gvm.network import Decoder, Encoder, UNet, take_steps
from gvm_server.matting.engines.gvm.placement import Placement
from gvm_server.matting.engines.machine import Step

_FLOAT = 4  # bytes of a float32


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryPlan:
    """Bytes on the device.

    Attributes:
        weights: of each stage's network, after the simplifications, by stage.
        working: the most that each stage holds besides the weights, by stage.
        beside: what steps hold at every stage: latents, copies on their way, a graph's memory.
    """

    weights: Mapping[str, int]
    working: Mapping[str, int]
    beside: int = 0

    @property
    def peak(self) -> int:
        """The most held at once, with all networks on the device."""
        return sum(self.weights.values()) + max(self.working.values()) + self.beside

    @property
    def peak_offloaded(self) -> int:
        """The most held at once, with only the running network on the device.

        What steps hold beside is not in it: graphs go before networks do, the rest is little, and a
        step that gives the same bits is not to choose another window.
        """
        return max(self.weights[stage] + self.working[stage] for stage in self.working)


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowShape:
    """What one window asks of the model.

    Attributes:
        height: of the padded working frame.
        width: of the padded working frame.
        frames: in a window.
        chunk: frames decoded together.
        halo: frames decoded on each side of a chunk and thrown away.
        steps: denoising steps.
    """

    height: int
    width: int
    frames: int
    chunk: int
    halo: int
    steps: int = 1


def plan_memory(config: CheckpointConfig, placement: Placement, shape: WindowShape) -> MemoryPlan:
    """Predict what a window needs; nothing is loaded and no device is touched."""
    with torch.device("meta"):
        encoder = Encoder(config.vae).to(placement.dtype("encode"))
        unet = UNet(config.unet).to(placement.dtype("denoise"))
        decoder = Decoder(config.vae, folded=placement.folds).to(placement.dtype("decode"))
    for network in (encoder, unet, decoder):
        take_steps(network, placement.steps)
    height, width = (side // config.vae.reduction for side in (shape.height, shape.width))
    latent = (config.vae.latent_channels, height, width)
    longest = max(
        len(range(shape.frames)[frames])
        for frames, _ in chunks(shape.frames, shape.chunk, shape.halo)
    )
    frame = _values((1, config.vae.in_channels, shape.height, shape.width), placement.vae)
    window = _values((shape.frames, *latent), placement.unet)
    part = _values((longest, *latent), placement.dtype("decode"))
    noise = torch.empty_like(window) if shape.steps > 1 else None
    whole = Step.WHOLE_ATTENTION in placement.steps

    def peak(stage: str, run: Callable[[], Tensor]) -> int:
        return _peak(run, copies=2 - placement.images_last(stage), whole=whole)

    networks: dict[str, nn.Module] = {"encode": encoder, "denoise": unet, "decode": decoder}
    working = {
        "encode": peak("encode", lambda: encoder(frame)) + frame.nbytes,
        "denoise": peak("denoise", lambda: unet(window, noise)) + window.nbytes,
        "decode": peak("decode", lambda: decoder(part)) + part.nbytes,
    }
    held = {
        Step.DEVICE_LATENTS: LARGEST_COUNT * _FLOAT * prod(latent),
        # The next frame, and the last chunk's alphas.
        Step.PINNED_COPIES: _FLOAT * (frame.numel() + longest * shape.height * shape.width),
        Step.CUDA_GRAPHS: working["denoise"],
    }
    return MemoryPlan(
        weights={stage: _bytes(network.parameters()) for stage, network in networks.items()},
        working=working,
        beside=sum(size for step, size in held.items() if step in placement.steps),
    )


def _values(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def _peak(run: Callable[[], Tensor], copies: int, *, whole: bool) -> int:
    live = LivePeak(copies)
    with torch.no_grad(), _Kernels(whole=whole), live:
        run()
    return live.peak


class LivePeak(TorchDispatchMode):  # type: ignore[no-untyped-call] # PyTorch's own is untyped
    """Counts the bytes of the tensors made below it; `peak` is the most that lived at once.

    Args:
        copies: what a convolution copies: 1 its weights, 2 its input as well.
    """

    def __init__(self, copies: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.copies = copies
        self.live = 0
        self.peak = 0
        self._known: weakref.WeakSet[torch.UntypedStorage] = weakref.WeakSet()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # Otherwise the first count imports the compiler, which nothing here is compiled by: a
        # second of each process, and a tenth of each count. Older releases do not ask.
        return False

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operator returns
        inputs = _storages((args, kwargs))
        stand_in = _STAND_INS.get(func) if all(part.is_meta for part in _tensors(args)) else None
        result = (stand_in or func)(*args, **(kwargs or {}))
        for storage in _storages(result) - inputs:
            self._count(storage)
        if func is torch.ops.aten.convolution.default:
            self.peak = max(self.peak, self.live + _bytes(args[2 - self.copies : 2]))
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        size = storage.nbytes()
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._free, size)

    def _free(self, size: int) -> None:
        self.live -= size


def _storages(tree: object) -> set[torch.UntypedStorage]:
    return {tensor.untyped_storage() for tensor in _tensors(tree)}


def _linear(_bias: Tensor, rows: Tensor, weight: Tensor) -> Tensor:
    return rows.new_empty((len(rows), weight.shape[1]))


def _activated(value: Tensor, **_how: object) -> Tensor:
    return torch.empty_like(value)


def _sum(value: Tensor, other: Tensor) -> Tensor:
    sides = zip(reversed(value.shape), reversed(other.shape), strict=False)
    fits = other.dim() <= value.dim() and all(its in (mine, 1) for mine, its in sides)
    alike = fits and value.dtype == other.dtype
    return torch.empty_like(value) if alike else value + other


def _in_place(value: Tensor, *_others: object) -> Tensor:
    return value


def _joined(parts: list[Tensor], dim: int = 0) -> Tensor:
    shape = list(parts[0].shape)
    shape[dim] = sum(part.shape[dim] for part in parts)
    last = all(map(is_last, parts))
    made = torch.channels_last if last else torch.contiguous_format
    return torch.empty(shape, dtype=parts[0].dtype, device="meta", memory_format=made)


# Operators that the meta device takes apart in Python, and imports the compiler for: each makes
# its result and nothing else.
_STAND_INS: Mapping[object, Callable[..., Tensor]] = MappingProxyType(
    {
        torch.ops.aten.addmm.default: _linear,
        torch.ops.aten.gelu.default: _activated,
        torch.ops.aten.silu_.default: _in_place,
        torch.ops.aten.add.Tensor: _sum,
        torch.ops.aten.add_.Tensor: _in_place,
        torch.ops.aten.cat.default: _joined,
    }
)


def _tensors(tree: object) -> Iterator[Tensor]:
    """Yield the tensors in an operator's arguments or results; PyTorch's own trees take longer."""
    if isinstance(tree, Tensor):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            yield from _tensors(part)
    elif isinstance(tree, dict):
        yield from _tensors(list(tree.values()))


_NORMS = (functional.group_norm, functional.layer_norm)


class _Kernels(TorchFunctionMode):
    """Stands in for kernels that PyTorch would take apart on the meta device.

    Attention holds no scores unless the head is too wide; a norm makes its result and little else,
    and its parts cost the meta device most of a plan's time.

    Args:
        whole: whether a kernel is taken that holds none for wide heads either.
    """

    def __init__(self, *, whole: bool) -> None:
        super().__init__()
        self._whole = whole

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        if func in _NORMS:
            return torch.empty_like(args[0])
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, _ = args
        if query.shape[-1] > WIDEST_FUSED_HEAD and not self._whole:
            scores = query.new_empty((*query.shape[:-1], key.shape[-2]))
            del scores
        return torch.empty_like(query)
