"""How much device memory a run will need, counted and not guessed, and the window that fits.

The three networks run on PyTorch's meta device, which computes shapes and no values, while every
tensor that comes and goes is counted. So the prediction follows the configs and the code by
itself. Scratch space inside a kernel is not seen; that of convolutions is added: a reordered copy
of the weights, and of the input where it is not in the channels-last format (oneDNN 3.7).

A window that was chosen by memory is told to the artist: another machine may choose another, and
another window is another matte.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

from gvm_client.settings import LARGEST_FITTED_WINDOW, WindowSettings
from gvm_client.text import counted
from gvm_server.matting.engines.backoff import backoff, chunks, decode_halo
from gvm_server.matting.engines.gvm.blocks import WIDEST_FUSED_HEAD
from gvm_server.matting.engines.gvm.config import (
    PAD_MULTIPLE,
    RELEASED,
    CheckpointConfig,
    GvmOptions,
)
from gvm_server.matting.engines.gvm.config_files import read_config
from gvm_server.matting.engines.gvm.network import Decoder, Encoder, UNet
from gvm_server.matting.engines.gvm.placement import Placement, obtainable_bytes, place, place_on
from gvm_server.matting.engines.gvm.weights_folder import find_weights
from gvm_server.matting.working_size import WorkingSize, working_size

GIB = 1 << 30
# The original guide's table: the device's obtainable memory in GiB, and frames per window.
GUIDE_TABLE = ((24, LARGEST_FITTED_WINDOW), (16, 12), (12, 8), (0, 4))
CUDA_HOST_BYTES = 3 * GIB  # of a process with PyTorch on a GPU; an estimate, no GPU was at hand
HEADROOM = 0.9  # of that memory; the rest is the driver's and the kernels' own


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryPlan:
    """Bytes on the device.

    Attributes:
        weights: of each stage's network, after the simplifications, by stage.
        working: the most that each stage holds besides the weights, by stage.
    """

    weights: Mapping[str, int]
    working: Mapping[str, int]

    @property
    def peak(self) -> int:
        """The most held at once, with all networks on the device."""
        return sum(self.weights.values()) + max(self.working.values())

    @property
    def peak_offloaded(self) -> int:
        """The most held at once, with only the running network on the device."""
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
        encoder = Encoder(config.vae).to(placement.vae)
        unet = UNet(config.unet).to(placement.unet)
        decoder = Decoder(config.vae).to(placement.vae)
    height, width = (side // config.vae.reduction for side in (shape.height, shape.width))
    latent = (config.vae.latent_channels, height, width)
    longest = max(
        len(range(shape.frames)[frames])
        for frames, _ in chunks(shape.frames, shape.chunk, shape.halo)
    )
    frame = _values((1, config.vae.in_channels, shape.height, shape.width), placement.vae)
    window = _values((shape.frames, *latent), placement.unet)
    part = _values((longest, *latent), placement.vae)
    noise = torch.empty_like(window) if shape.steps > 1 else None
    networks: dict[str, nn.Module] = {"encode": encoder, "denoise": unet, "decode": decoder}
    return MemoryPlan(
        weights={stage: _bytes(network.parameters()) for stage, network in networks.items()},
        working={
            "encode": _peak(lambda: encoder(frame), copies=2) + frame.nbytes,
            "denoise": _peak(lambda: unet(window, noise), copies=2) + window.nbytes,
            "decode": _peak(lambda: decoder(part), copies=2 - placement.channels_last)
            + part.nbytes,
        },
    )


def _values(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    return torch.empty(shape, dtype=dtype, device="meta")


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors)


def _peak(run: Callable[[], Tensor], copies: int) -> int:
    live = LivePeak(copies)
    with torch.no_grad(), _FusedAttention(), live:
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

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the operator returns
        inputs = _storages((args, kwargs))
        result = func(*args, **(kwargs or {}))
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
    leaves = _pytree.tree_leaves(tree)
    return {leaf.untyped_storage() for leaf in leaves if isinstance(leaf, Tensor)}


class _FusedAttention(TorchFunctionMode):
    """Stands in for the attention kernels, which hold no scores unless the head is too wide."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401 - whatever the function returns
        if func is not functional.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, _ = args
        if query.shape[-1] > WIDEST_FUSED_HEAD:
            scores = query.new_empty((*query.shape[:-1], key.shape[-2]))
            del scores
        return torch.empty_like(query)


def fit_window(
    window: WindowSettings, working: WorkingSize, weights: Path, options: GvmOptions
) -> tuple[WindowSettings, str]:
    """Return the settings with the largest window and chunk that fit, and a sentence about it.

    Raises:
        EngineError: the checkpoint's configs cannot be read, or the device is not there.
    """
    config = read_config(weights, Path(options.unet) if options.unet else weights / "unet")
    placement = place(options, config.vae)
    free = obtainable_bytes(placement.device)
    chosen, needed = window, 0
    for chosen in _candidates(window, free):
        needed = least_bytes(plan_window(config, placement, working, chosen), placement)
        if needed <= HEADROOM * free:
            return chosen, _sentence(chosen, needed, free)
    return chosen, _sentence(chosen, needed, free) + " It may run out: take a smaller --size."


def plan_window(
    config: CheckpointConfig, placement: Placement, working: WorkingSize, window: WindowSettings
) -> MemoryPlan:
    """Predict what one window takes."""
    shape = WindowShape(
        height=working.padded_height,
        width=working.padded_width,
        frames=window.frames_per_window,
        chunk=window.chunk,
        halo=decode_halo(window),
        steps=window.steps,
    )
    return plan_memory(config, placement, shape)


def least_bytes(plan: MemoryPlan, placement: Placement) -> int:
    """Return the peak when idle networks wait in host memory, which for a CPU is the same place."""
    return plan.peak if placement.device.type == "cpu" else plan.peak_offloaded


def gpu_bytes(size: tuple[int, int], window: WindowSettings, weights: Path | None) -> int:
    """Return the memory that a CUDA device must have for a plate of (width, height) pixels.

    Where the weights are not on this machine, the released ones' configuration is taken.

    Raises:
        EngineError: the weights' configuration cannot be read.
    """
    plan, placement = _plan_on_cuda(size, window, weights)
    return ceil(least_bytes(plan, placement) / HEADROOM)


def host_bytes(size: tuple[int, int], window: WindowSettings, weights: Path | None) -> int:
    """Return the host memory that the engine takes beside a CUDA device; arguments as `gpu_bytes`.

    The networks that do not run wait there, and PyTorch and CUDA have their own.

    Raises:
        EngineError: the weights' configuration cannot be read.
    """
    plan, _ = _plan_on_cuda(size, window, weights)
    return sum(plan.weights.values()) + CUDA_HOST_BYTES


def _plan_on_cuda(
    size: tuple[int, int], window: WindowSettings, weights: Path | None
) -> tuple[MemoryPlan, Placement]:
    width, height = size
    folder = find_weights(weights)
    config = read_config(folder, folder / "unet") if folder else RELEASED
    placement = place_on(torch.device("cuda"), GvmOptions(), config.vae)
    working = working_size(height, width, window, PAD_MULTIPLE)
    return plan_window(config, placement, working, window), placement


def _candidates(window: WindowSettings, free: int) -> Iterator[WindowSettings]:
    """Yield what may fit, the best first: smaller windows, then smaller decode chunks."""
    start = next(frames for gib, frames in GUIDE_TABLE if free >= gib * GIB)
    for frames in (frames for _, frames in GUIDE_TABLE if frames <= start):
        overlap = min(window.overlap, frames // 2)
        yield replace(window, frames_per_window=frames, overlap=overlap, decode_chunk=0)
    smallest = replace(window, frames_per_window=4, overlap=min(window.overlap, 2), decode_chunk=0)
    smaller = backoff(smallest)
    while smaller is not None and smaller.size == window.size:
        yield smaller
        smaller = backoff(smaller)


def _sentence(window: WindowSettings, needed: int, free: int) -> str:
    return (
        f"Chosen by memory: {counted(window.frames_per_window, 'frame')} per window,"
        f" {window.chunk} decoded together; predicted {needed / GIB:.1f} GiB of"
        f" {free / GIB:.1f} GiB that are to be had."
    )
