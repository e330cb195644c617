"""The machine that engines run on: what its owner chooses, which device that is, what it holds.

PyTorch is loaded only where a GPU has to be looked for.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

from gvm_client.errors import EngineError, ErrorCode, SettingsError
from gvm_server.matting.engines.maker import version

DEVICES = ("auto", "cpu", "cuda", "mps")
_KEY = "gvm"  # of a field's metadata


class Precision(str, Enum):
    """The type that a network computes in."""

    AUTO = "auto"
    """float32 on the CPU; on a GPU float16, and float32 where the VAE's config asks for it."""
    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    FLOAT16 = "float16"


class Switch(str, Enum):
    """On, off, or on where it was measured to help."""

    AUTO = "auto"
    ON = "on"
    OFF = "off"


class Step(str, Enum):
    """A faster way through GVM's network on a CUDA device; none is taken unless it is chosen."""

    WHOLE_ATTENTION = "whole-attention"
    """The VAE's attention in one call, where a kernel holds no scores."""
    FOLD = "fold"
    """The decoder's upsampling and the convolution after it as one."""
    GROUP_NORM = "group-norm"
    """Group norms that fill the card, with the SiLU after them."""
    CHANNELS_LAST = "channels-last"
    """All networks' images with their channels last; alone it is slower than without."""
    DEVICE_LATENTS = "device-latents"
    """Latents stay on the device from encode to decode."""
    PINNED_COPIES = "pinned-copies"
    """Frames and alphas are copied beside the work, by page-locked memory."""
    PINNED_WEIGHTS = "pinned-weights"
    """Where memory is short networks leave the largest first, with copies in page-locked memory."""
    CUDA_GRAPHS = "cuda-graphs"
    """The UNet's kernels are launched as one graph."""
    HALF_DECODER = "half-decoder"
    """The decoder in float16, its values moved into that range; the encoder stays as it is."""


NEEDS: Mapping[Step, Step] = MappingProxyType({Step.CHANNELS_LAST: Step.GROUP_NORM})
"""Steps that are taken together with another only."""

EXACT = frozenset({Step.DEVICE_LATENTS, Step.PINNED_COPIES, Step.PINNED_WEIGHTS, Step.CUDA_GRAPHS})
"""Steps that move bytes or launch the plain way's kernels: no bit changes, so no maker says them.

There is nothing to hold them to at a job's sizes; what graphs give is compared when it is made.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineOption:
    """One of `MachineOptions`, as `gvm serve` offers it.

    Attributes:
        name: its field's.
        kind: makes the field's value of the option's word.
        default: the word where none is given.
        choices: the words that there are; None takes any.
        flag: the option.
        help: one line without a full stop.
        metavar: what stands for the word in the help; None is argparse's own choice.
    """

    name: str
    kind: Callable[[str], object]
    default: str
    choices: tuple[str, ...] | None
    flag: str
    help: str
    metavar: str | None


def _shown(flag: str, text: str, metavar: str | None = None) -> dict[str, object]:
    """Return the metadata of a field that is an option."""
    return {_KEY: (flag, text, metavar)}


@dataclass(frozen=True, kw_only=True, slots=True)
class MachineOptions:
    """How the machine's owner has engines run; `gvm serve` has an option for each field.

    Attributes:
        device: `auto`, `cpu`, `mps`, `cuda`, or `cuda:N`.
        precision: of the network, GVM's UNet.
        vae_precision: of the VAE; half types there can lose soft edges, or all with NaN.
        channels_last: the memory format of the decoder's convolutions.
        compile_backend: a `torch.compile` backend such as `inductor`; "" runs as it is.
        gpu_steps: names of `Step`, with commas between them; "" is none.

    Raises:
        SettingsError: the name of the device or of a step is unknown.
    """

    device: str = field(
        default="auto", metadata=_shown("--device", "auto, cpu, mps, cuda or cuda:N")
    )
    precision: Precision = field(
        default=Precision.AUTO, metadata=_shown("--precision", "what the UNet computes in")
    )
    vae_precision: Precision = field(
        default=Precision.AUTO, metadata=_shown("--vae-precision", "what the VAE computes in")
    )
    channels_last: Switch = field(
        default=Switch.AUTO,
        metadata=_shown("--channels-last", "memory format of the decoder's convolutions"),
    )
    compile_backend: str = field(
        default="", metadata=_shown("--compile", "a torch.compile backend", "BACKEND")
    )
    gpu_steps: str = field(
        default="",
        metadata=_shown("--gpu-steps", f"of {', '.join(step.value for step in Step)}", "NAMES"),
    )

    def __post_init__(self) -> None:
        kind, _, index = self.device.partition(":")
        if kind not in DEVICES or (index and not (kind == "cuda" and index.isdigit())):
            raise SettingsError(
                f"device is {self.device!r}; it must be one of {', '.join(DEVICES)} or cuda:N."
            )
        steps_named(self.gpu_steps)


def steps_named(names: str) -> tuple[Step, ...]:
    """Return the steps of a list of names, in their own order.

    Raises:
        SettingsError: a name is unknown, or a step stands without one that it needs.
    """
    given = {name.strip() for name in names.split(",") if name.strip()}
    steps = tuple(step for step in Step if step.value in given)
    if unknown := given - {step.value for step in steps}:
        raise SettingsError(
            f"gpu_steps names {', '.join(sorted(unknown))}; there are"
            f" {', '.join(step.value for step in Step)}."
        )
    for step in steps:
        if NEEDS.get(step, step) not in steps:
            raise SettingsError(
                f"gpu_steps names {step.value} without {NEEDS[step].value}, which it needs: alone"
                f" it makes the networks slower. Name both."
            )
    return steps


def machine_options() -> Iterator[MachineOption]:
    """Yield what `MachineOptions` declares, in order."""
    for each in fields(MachineOptions):
        default: Any = each.default
        words = (
            tuple(member.value for member in type(default)) if isinstance(default, Enum) else None
        )
        flag, text, metavar = each.metadata[_KEY]
        yield MachineOption(
            name=each.name,
            kind=type(default),
            default=default.value if words else default,
            choices=words,
            flag=flag,
            help=text,
            metavar=metavar,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """How a server runs engines, where a request does not say otherwise."""

    options: MachineOptions = MachineOptions()
    weights: Path | None = None
    """The folder of GVM's weights; None is where `gvm weights pull` puts them."""
    kernels: Path | None = None
    """The folder for what a compiler makes; None is the compiler's own."""


def device_memory(name: str) -> tuple[int, int]:
    """Return the bytes that this process uses on its GPU, and those that are free; 0, 0 without.

    Args:
        name: the server's choice of a device. No GPU is touched that no engine has used: a look at
            one takes some hundred megabytes of it.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return 0, 0
    device = _cuda(name)
    free, _total = torch.cuda.mem_get_info(device)
    return int(torch.cuda.memory_reserved(device)), int(free)


def device_name(name: str) -> str:
    """Return the device in words; as `device_memory`, it touches none."""
    torch = sys.modules.get("torch")
    if torch is None:
        return "not looked at before an engine is loaded"
    if torch.cuda.is_initialized():
        return str(torch.cuda.get_device_name(_cuda(name)))
    return "CPU"


def _cuda(name: str) -> str:
    return name if name.startswith("cuda") else "cuda"


def resolved_device(name: str) -> str:
    """Return PyTorch's name of the device that a choice comes to, `auto` included.

    Raises:
        EngineError: it is not there.
    """
    built_for_the_cpu = version("torch").endswith("+cpu")
    if name == "cpu" or (name == "auto" and built_for_the_cpu):
        return "cpu"
    import torch  # noqa: PLC0415 - heavy

    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    device = torch.device(name)
    there = {"mps": mps, "cuda": cuda and (device.index or 0) < torch.cuda.device_count()}
    if not there[device.type]:
        raise EngineError(
            f"The device {name!r} is not available to this PyTorch ({torch.__version__}).",
            remedy="Choose another device, or install a PyTorch build for it.",
            code=ErrorCode.ENGINE_UNAVAILABLE,
        )
    return name
