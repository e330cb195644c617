"""The checkpoint's three JSON files, read and checked.

Every width, depth, head count and factor is read from the files; none is assumed. A key that a file
leaves out has the value that diffusers gives it. Nothing here imports torch: a checkpoint can be
checked where it cannot be run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TypeVar

from gvm_client.errors import EngineError, ErrorCode
from gvm_client.limits import (
    MAX_CHECKPOINT_CONFIG_BYTES,
    MAX_NETWORK_DEPTH,
    MAX_NETWORK_LEVELS,
    MAX_NETWORK_WIDTH,
)
from gvm_server.matting.engines.gvm.config import (
    NORM_GROUPS,
    CheckpointConfig,
    SchedulerConfig,
    UNetConfig,
    VaeConfig,
)

_DOWN = {"CrossAttnDownBlockSpatioTemporal": True, "DownBlockSpatioTemporal": False}
_UP = {"CrossAttnUpBlockSpatioTemporal": True, "UpBlockSpatioTemporal": False}
_T = TypeVar("_T", int, float, bool)


def read_config(folder: Path, unet_folder: Path | None = None) -> CheckpointConfig:
    """Read the three configs below `folder`.

    Args:
        folder: holds `unet/`, `vae/` and `scheduler/`.
        unet_folder: holds the UNet's `config.json` where it lies elsewhere.

    Raises:
        EngineError: a file is missing, is not JSON, or describes a network that this is not.
    """
    unet = _unet(_Fields.read((unet_folder or folder / "unet") / "config.json"))
    vae = _vae(_Fields.read(folder / "vae" / "config.json"))
    scheduler = _scheduler(_Fields.read(folder / "scheduler" / "scheduler_config.json"))
    if (unet.in_channels, unet.out_channels) != (2 * vae.latent_channels, vae.latent_channels):
        raise EngineError(
            f"The UNet takes {unet.in_channels} and gives {unet.out_channels} channels; with the "
            f"VAE's {vae.latent_channels} latent channels it must be {2 * vae.latent_channels} "
            f"and {vae.latent_channels}.",
            remedy=_REMEDY,
            code=ErrorCode.ENGINE_UNAVAILABLE,
            path=str(folder),
        )
    return CheckpointConfig(unet=unet, vae=vae, scheduler=scheduler)


_REMEDY = "Use the released GVM checkpoint or one of its family."


@dataclass(frozen=True)
class _Fields:
    """One JSON object, read field by field with errors that name the file and the field."""

    path: Path
    fields: Mapping[str, object]

    @classmethod
    def read(cls, path: Path) -> _Fields:
        try:
            with path.open("rb") as file:
                text = file.read(MAX_CHECKPOINT_CONFIG_BYTES + 1)
            if len(text) > MAX_CHECKPOINT_CONFIG_BYTES:
                raise _refusal(path, f"has more than {MAX_CHECKPOINT_CONFIG_BYTES} bytes")
            fields = json.loads(text)
        except OSError as error:
            raise EngineError(
                f"The checkpoint's {path.parent.name}/{path.name} cannot be read: {error}.",
                remedy="Fetch the weights with `gvm weights pull`, or name their folder.",
                code=ErrorCode.ENGINE_UNAVAILABLE,
                path=str(path),
            ) from error
        except (ValueError, RecursionError) as error:
            raise _refusal(path, f"is not JSON: {error}") from error
        if not isinstance(fields, dict):
            raise _refusal(path, f"holds a {type(fields).__name__}, not an object")
        return cls(path, fields)

    def refuse(self, says: str) -> EngineError:
        return _refusal(self.path, says)

    def of_class(self, name: str) -> None:
        found = self.fields.get("_class_name", name)
        if found == name:
            return
        says = f"names the class {found!r}; only {name!r} is known"
        if "Rope" in str(found):
            says += " (the `dav` type of the original names a network that it does not ship)"
        raise self.refuse(says)

    def fixed(self, name: str, value: object) -> None:
        found = self.fields.get(name, value)
        if found != value:
            raise self.refuse(f"sets {name} to {found!r}; only {value!r} is known")

    def number(self, name: str, default: _T) -> _T:
        """Return a number; a positive one, unless it is a truth value."""
        value = self._number(name, self.fields.get(name, default), type(default))
        if type(value) is int:
            self._check_bound(name, value)
        return value

    def numbers(self, name: str, default: int | tuple[int, ...], count: int) -> tuple[int, ...]:
        """Return one positive integer a level; a single one stands for all."""
        found = self.fields.get(name, default)
        values = found if isinstance(found, (list, tuple)) else [found] * count
        if len(values) != count:
            raise self.refuse(f"gives {len(values)} values for {name}; it has {count} levels")
        numbers = tuple(self._number(name, value, int) for value in values)
        self._check_bound(name, max(numbers))
        return numbers

    def words(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        found = self.fields.get(name, default)
        if not isinstance(found, (list, tuple)) or not all(isinstance(word, str) for word in found):
            raise self.refuse(f"sets {name} to {found!r}; it must be a list of names")
        return tuple(found)

    def flags(self, name: str, default: tuple[str, ...], known: Mapping[str, bool]) -> list[bool]:
        words = self.words(name, default)
        for word in words:
            if word not in known:
                raise self.refuse(f"names the block {word!r} in {name}; known: {', '.join(known)}")
        return [known[word] for word in words]

    def widths(self, default: tuple[int, ...]) -> tuple[int, ...]:
        found = self.fields.get("block_out_channels", default)
        if not isinstance(found, (list, tuple)) or not found:
            raise self.refuse(f"sets block_out_channels to {found!r}; it must be a list")
        if len(found) > MAX_NETWORK_LEVELS:
            raise self.refuse(f"has {len(found)} levels; at most {MAX_NETWORK_LEVELS} are taken")
        widths = self.numbers("block_out_channels", default, len(found))
        for width in widths:
            if width % NORM_GROUPS:
                raise self.refuse(f"has the width {width}; it must be a multiple of {NORM_GROUPS}")
        return widths

    def _check_bound(self, name: str, value: int) -> None:
        bound = MAX_NETWORK_DEPTH if "layers" in name else MAX_NETWORK_WIDTH
        if value > bound:
            raise self.refuse(f"sets {name} to {value}; at most {bound} is taken")

    def _number(self, name: str, value: object, kind: type[_T]) -> _T:
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind or not isfinite(value) or (kind is not bool and value <= 0):
            words = {int: "a positive integer", float: "a positive number", bool: "true or false"}
            raise self.refuse(f"sets {name} to {value!r}; it must be {words[kind]}")
        return value


def _refusal(path: Path, says: str) -> EngineError:
    return EngineError(
        f"The checkpoint's {path.parent.name}/{path.name} {says}.",
        remedy=_REMEDY,
        code=ErrorCode.ENGINE_UNAVAILABLE,
        path=str(path),
    )


def _unet(file: _Fields) -> UNetConfig:
    file.of_class("UNetSpatioTemporalConditionModel")
    file.fixed("act_fn", "silu")
    file.fixed("class_embed_type", None)
    widths = file.widths((320, 640, 1280, 1280))
    count = len(widths)
    attending, plain = _DOWN
    down = file.flags("down_block_types", (attending, attending, attending, plain), _DOWN)
    attending, plain = _UP
    up = file.flags("up_block_types", (plain, attending, attending, attending), _UP)
    if not len(down) == len(up) == count:
        raise file.refuse(f"has {count} widths, {len(down)} down blocks and {len(up)} up blocks")
    heads = file.numbers("num_attention_heads", (5, 10, 20, 20), count)
    for width, number in zip(widths, heads, strict=True):
        if width % number:
            raise file.refuse(f"splits the width {width} into {number} heads; it must divide")
    return UNetConfig(
        in_channels=file.number("in_channels", 8),
        out_channels=file.number("out_channels", 4),
        widths=widths,
        down_attention=tuple(down),
        up_attention=tuple(up),
        layers=file.numbers("layers_per_block", 2, count),
        heads=heads,
        depths=file.numbers("transformer_layers_per_block", 1, count),
        contexts=file.numbers("cross_attention_dim", 1024, count),
    )


def _vae(file: _Fields) -> VaeConfig:
    file.of_class("AutoencoderKLTemporalDecoder")
    file.fixed("in_channels", 3)
    file.fixed("out_channels", 3)
    widths = file.widths((64,))
    kinds = file.flags(
        "down_block_types", ("DownEncoderBlock2D",) * len(widths), {"DownEncoderBlock2D": True}
    )
    if len(kinds) != len(widths):
        raise file.refuse(f"has {len(widths)} widths and {len(kinds)} down blocks")
    return VaeConfig(
        in_channels=3,
        out_channels=3,
        latent_channels=file.number("latent_channels", 4),
        widths=widths,
        layers=file.number("layers_per_block", 1),
        scaling_factor=file.number("scaling_factor", 0.18215),
        force_upcast=file.number("force_upcast", True),
    )


def _scheduler(file: _Fields) -> SchedulerConfig:
    file.of_class("FlowMatchEulerDiscreteScheduler")
    for name in _UNUSED_SCHEDULES:
        file.fixed(name, False)
    file.fixed("shift_terminal", None)
    return SchedulerConfig(
        train_steps=file.number("num_train_timesteps", 1000), shift=file.number("shift", 1.0)
    )


_UNUSED_SCHEDULES = (
    "invert_sigmas",
    "stochastic_sampling",
    "use_beta_sigmas",
    "use_dynamic_shifting",
    "use_exponential_sigmas",
    "use_karras_sigmas",
)
