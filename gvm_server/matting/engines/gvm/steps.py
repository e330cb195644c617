"""The faster ways on a GPU, each held to the plain way before a job takes it.

The check runs the layers that a step is for, at the sizes that the job gives them, with seeded
values: it needs no weights, so it comes before a key is made. A step whose result differs, or that
cannot be tried, is left out aloud; what is left is part of the maker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import filterfalse
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.linalg import vector_norm
from torch.nn import functional

from gvm_server.errors import first_line
from gvm_server.matting.engines.base import DeviceLost
from gvm_server.matting.engines.gvm.blocks import SpatialResnet, TemporalResnet, attend
from gvm_server.matting.engines.gvm.config import CheckpointConfig
from gvm_server.matting.engines.gvm.network import take_steps
from gvm_server.matting.engines.gvm.operators import DoublingConvolution, GroupNorm
from gvm_server.matting.engines.gvm.placement import (
    Placement,
    empty_cache,
    is_out_of_memory,
    lost_its_context,
)
from gvm_server.matting.engines.gvm.range_shift import SHIFT, shift_norms, shift_range
from gvm_server.matting.engines.gvm.simplify import fold_upsampling
from gvm_server.matting.engines.machine import EXACT, NEEDS, Step

log = logging.getLogger(__name__)

# Of the largest value: both ways may use TF32, and each sums in its own order.
TOLERANCES: Mapping[torch.dtype, float] = MappingProxyType(
    {torch.float32: 5e-3, torch.float16: 1e-2, torch.bfloat16: 5e-2}
)
_KEPT = 256  # results of checks; each is of one step at one size
_BEYOND = 4 * 65504.0  # what the half decoder is tried with: float16 ends at a quarter of it

Values: TypeAlias = Callable[..., Tensor]
Size: TypeAlias = tuple[int, ...]
# Of a type: makes the plain way's result and the step's from seeded values.
Trial: TypeAlias = tuple[torch.dtype, Callable[[Values], tuple[Tensor, Tensor]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class JobShape:
    """What a job gives the networks.

    Attributes:
        height: of the padded working frame, in pixels.
        width: of the padded working frame.
        frames: that are denoised together.
        decoded: frames that are decoded together.
    """

    height: int
    width: int
    frames: int
    decoded: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a trial ended.

    Attributes:
        off: how far the step is from the plain way, as a part of the largest value.
        allowed: how far it may be.
        problem: why it could not be tried; "" where it could.
    """

    off: float = 0.0
    allowed: float = 0.0
    problem: str = ""

    @property
    def holds(self) -> bool:
        """Whether the step gives the plain way's result; NaN is none."""
        return not self.problem and self.off <= self.allowed


def in_effect(
    placed: Placement, config: CheckpointConfig, shapes: Sequence[JobShape]
) -> tuple[tuple[Step, ...], tuple[str, ...]]:
    """Return those of a placement's steps that hold at all of a job's sizes.

    Returns:
        the steps in their own order, and a sentence about each that is left out.
    """
    taken: set[Step] = set()
    said: list[str] = []
    # First what says a type: the others are tried in it.
    asked = sorted((step for step in Step if step in placed.steps), key=_says_no_type)
    for step in asked:
        reason = ""
        if NEEDS.get(step, step) not in {step, *taken}:
            reason = f"it needs {NEEDS[step].value}"
        alone = replace(placed, steps=frozenset({step, *filterfalse(_says_no_type, taken)}))
        for shape in shapes:
            reason = reason or _reason(outcome(step, alone, config, shape), shape)
        if reason:
            said.append(f"The GPU step {step.value} is not taken on {placed.device}: {reason}.")
            log.warning(said[-1])
        else:
            taken.add(step)
    return tuple(step for step in Step if step in taken), tuple(said)


def _says_no_type(step: Step) -> bool:
    return step is not Step.HALF_DECODER


def _reason(found: Outcome, shape: JobShape) -> str:
    if found.holds:
        return ""
    size = f"{shape.width}x{shape.height}, {shape.frames} frames"
    if found.problem:
        return f"at {size} it could not be tried ({found.problem})"
    return f"at {size} it is {found.off:.1e} from the plain way, {found.allowed:.1e} is allowed"


def outcome(step: Step, placed: Placement, config: CheckpointConfig, shape: JobShape) -> Outcome:
    """Try a step at a job's size; what was tried once in this process is known.

    Raises:
        DeviceLost: the trial left this process without its device.
    """
    try:
        return _tried(step, placed, config, shape)
    except Exception as error:  # a compiler of kernels has errors of many classes
        said = first_line(error)
        if isinstance(error, RuntimeError) and lost_its_context(error):
            raise DeviceLost(
                f"The device failed when the GPU step {step.value} was tried ({said}).",
                remedy=f"Start the server again without {step.value} in --gpu-steps.",
            ) from error
        no_room = isinstance(error, RuntimeError) and is_out_of_memory(error)
        problem = "no memory is free for it" if no_room else said
    empty_cache(placed.device)
    return Outcome(problem=problem)  # not kept: memory may be free the next time


@lru_cache(_KEPT)
@torch.inference_mode()
def _tried(step: Step, placed: Placement, config: CheckpointConfig, shape: JobShape) -> Outcome:
    worst = Outcome()
    if step in EXACT:
        return worst
    for dtype, trial in _TRIALS[step](placed, config, shape):
        off, allowed = _difference(trial, placed.device, dtype), TOLERANCES[dtype]
        found = Outcome(off=off, allowed=allowed)
        if not worst.allowed or off / allowed > worst.off / worst.allowed:
            worst = found
    return worst


def _difference(
    trial: Callable[[Values], tuple[Tensor, Tensor]], device: torch.device, dtype: torch.dtype
) -> float:
    generator = torch.Generator(device).manual_seed(0)

    def values(*shape: int) -> Tensor:
        made = torch.empty(shape, device=device, dtype=dtype)
        return made.normal_(generator=generator)

    plain, fast = trial(values)
    # In place: at a large job's size each of the two is gigabytes.
    off = vector_norm(fast.sub_(plain), torch.inf) / vector_norm(plain, torch.inf)
    return float(off) if bool(off.isfinite()) else float("inf")


def _vae_types(placed: Placement) -> tuple[torch.dtype, ...]:
    return tuple(dict.fromkeys((placed.dtype("encode"), placed.dtype("decode"))))


def _levels(config: CheckpointConfig, shape: JobShape) -> Iterator[Size]:
    """Yield channels, rows and columns of each of the VAE's levels, finest first."""
    for level, channels in enumerate(config.vae.widths):
        yield channels, shape.height >> level, shape.width >> level


def _attention(placed: Placement, config: CheckpointConfig, shape: JobShape) -> Iterator[Trial]:
    *_, (channels, rows, columns) = _levels(config, shape)

    def trial(values: Values) -> tuple[Tensor, Tensor]:
        query, key, value = (values(1, rows * columns, channels) for _ in range(3))
        return attend(query, key, value), attend(query, key, value, whole=True)

    for dtype in _vae_types(placed):
        yield dtype, trial


def _fold(placed: Placement, config: CheckpointConfig, shape: JobShape) -> Iterator[Trial]:
    def trial(values: Values, size: Size) -> tuple[Tensor, Tensor]:
        frames, channels = values(1, *size), size[0]
        weight, bias = values(channels, channels, 3, 3) / (3 * channels**0.5), values(channels)
        name = "decoder.upsamplers.0.conv.weight"
        weights = {name: weight}
        fold_upsampling(weights)
        folded = DoublingConvolution(channels).to(frames)
        folded.load_state_dict({"weight": weights[name], "bias": bias})
        doubled = functional.interpolate(frames, scale_factor=2.0)
        return functional.conv2d(doubled, weight, bias, padding=1), folded(frames)

    _, *coarser = _levels(config, shape)
    for size in coarser:
        yield placed.dtype("decode"), partial(trial, size=size)


def _group_norm(placed: Placement, config: CheckpointConfig, shape: JobShape) -> Iterator[Trial]:
    def trial(values: Values, sides: Size) -> tuple[Tensor, Tensor]:
        norm = _filled(lambda: GroupNorm(sides[1], 1e-6), values)
        value = values(*sides) + values(1, sides[1], 1, 1)
        plain = norm(value)
        take_steps(norm, {Step.GROUP_NORM})
        return plain, norm(value)

    for channels, rows, columns in _levels(config, shape):
        for dtype in _vae_types(placed):
            yield dtype, partial(trial, sides=(1, channels, rows, columns))
        sides = (1, channels, shape.decoded, rows * columns)
        yield placed.dtype("decode"), partial(trial, sides=sides)
    rows, columns = shape.height // config.vae.reduction, shape.width // config.vae.reduction
    for channels in config.unet.widths:
        yield placed.unet, partial(trial, sides=(shape.frames, channels, rows, columns))
        rows, columns = -(-rows // 2), -(-columns // 2)


def _channels_last(placed: Placement, config: CheckpointConfig, shape: JobShape) -> Iterator[Trial]:
    def trial(values: Values, make: Callable[[], nn.Module], sides: Size) -> tuple[Tensor, Tensor]:
        block = _filled(make, values)
        frames = values(*sides)
        plain = block(frames.clone())
        take_steps(block, {Step.GROUP_NORM})
        for parameter in block.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.contiguous(memory_format=torch.channels_last)
        return plain, block(frames.contiguous(memory_format=torch.channels_last))

    for channels, rows, columns in _levels(config, shape):
        for dtype in _vae_types(placed):
            spatial = partial(SpatialResnet, channels, channels, 1e-6)
            yield dtype, partial(trial, make=spatial, sides=(1, channels, rows, columns))
        temporal = partial(TemporalResnet, channels, 1e-5)
        sides = (shape.decoded, channels, rows, columns)
        yield placed.dtype("decode"), partial(trial, make=temporal, sides=sides)


def _half_decoder(_: Placement, config: CheckpointConfig, shape: JobShape) -> Iterator[Trial]:
    def trial(values: Values, size: Size) -> tuple[Tensor, Tensor]:
        block = _filled(lambda: SpatialResnet(size[0], size[0], 1e-6), values).float()
        frames = values(1, *size).float()
        frames *= _BEYOND / frames.abs().max()
        plain = block(frames)
        weights = {f"decoder.{name}": value for name, value in block.state_dict().items()}
        shift_range(weights)
        block.load_state_dict({name.removeprefix("decoder."): weights[name] for name in weights})
        shift_norms(block)
        fast = block.half()((frames * SHIFT).half())
        return plain, fast.float() / SHIFT

    for size in _levels(config, shape):
        yield torch.float16, partial(trial, size=size)


def _filled(make: Callable[[], nn.Module], values: Values) -> nn.Module:
    """Make a module with seeded weights, on the device and in the type of `values`."""
    with torch.device("meta"):  # PyTorch's own first values would move its random state
        module = make()
    module.to_empty(device=values(1).device).to(values(1)).requires_grad_(False)
    for parameter in module.parameters():
        inputs = parameter[0].numel() if parameter.dim() > 1 else 1
        parameter.copy_(values(*parameter.shape) / inputs**0.5)
    return module


_TRIALS: Mapping[Step, Callable[[Placement, CheckpointConfig, JobShape], Iterator[Trial]]] = (
    MappingProxyType(
        {
            Step.WHOLE_ATTENTION: _attention,
            Step.FOLD: _fold,
            Step.GROUP_NORM: _group_norm,
            Step.CHANNELS_LAST: _channels_last,
            Step.HALF_DECODER: _half_decoder,
        }
    )
)
