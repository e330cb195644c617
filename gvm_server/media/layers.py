"""Which channels of an image file are the plate's red, green and blue.

Laws:
1. No layer named: the first part with R, G and B; else the first part's first three colours.
2. A named layer is a part of that name, channels `layer.R` ..., or one channel by its full name.
3. One channel stands for all three; alpha never counts as a colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gvm_client.errors import ErrorCode, InputError

_COLOURS = ({"r", "red"}, {"g", "green"}, {"b", "blue"})
_LUMINANCE = {"y"}
_ALPHA = {"a", "alpha"}

Channels = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """One part of a file: its name, which may be empty, and its channels' names in file order."""

    name: str
    channels: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """The part to read and the indexes of its red, green and blue channel."""

    part: int
    channels: Channels


def find_layer(parts: Sequence[Part], layer: str, *, path: str, frame: int | None) -> Layer:
    """Return where a layer's colours are; "" is the main RGB.

    Raises:
        InputError: there is no such layer; the message lists what is there.
    """
    found = _named(parts, layer) if layer else _main(parts)
    if found is None:
        raise InputError(
            f"{path} has no layer {layer!r}." if layer else f"{path} has no colour channels.",
            remedy=f"Layers there: {', '.join(_layers(parts)) or 'none'}.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=frame,
            path=path,
        )
    return found


def _main(parts: Sequence[Part]) -> Layer | None:
    for index, part in enumerate(parts):
        if channels := _rgb(part, _group(part, "")):
            return Layer(part=index, channels=channels)
    # A part may carry its own name before every channel: beauty.R in the part beauty.
    return _first_colours(parts, 0) if parts else None


def _named(parts: Sequence[Part], layer: str) -> Layer | None:
    for index, part in enumerate(parts):
        if part.name == layer:
            return _first_colours(parts, index)
    for index, part in enumerate(parts):
        if channels := _colours(part, _group(part, layer)):
            return Layer(part=index, channels=channels)
    for index, part in enumerate(parts):
        if layer in part.channels:
            return Layer(part=index, channels=(part.channels.index(layer),) * 3)
    return None


def _first_colours(parts: Sequence[Part], index: int) -> Layer | None:
    part = parts[index]
    groups = sorted(
        {_prefix(name) for name in part.channels}, key=lambda prefix: (prefix != "", prefix)
    )
    for find in (_rgb, _colours):
        for prefix in groups:
            if channels := find(part, _group(part, prefix)):
                return Layer(part=index, channels=channels)
    return None


def _group(part: Part, prefix: str) -> list[int]:
    return [index for index, name in enumerate(part.channels) if _prefix(name) == prefix]


def _rgb(part: Part, group: Sequence[int]) -> Channels | None:
    """Return the channels called red, green and blue."""
    by_name = {_suffix(part.channels[index]): index for index in reversed(group)}
    found = [next((by_name[name] for name in names if name in by_name), None) for names in _COLOURS]
    red, green, blue = found
    if red is None or green is None or blue is None:
        return None
    return red, green, blue


def _colours(part: Part, group: Sequence[int]) -> Channels | None:
    """Return the channels called red, green and blue, or the luminance, or the first three."""
    if channels := _rgb(part, group):
        return channels
    colours = [index for index in group if _suffix(part.channels[index]) not in _ALPHA]
    if not colours:
        return None
    for index in colours:
        if _suffix(part.channels[index]) in _LUMINANCE:
            return index, index, index
    if len(colours) < 3:
        return colours[0], colours[0], colours[0]
    return colours[0], colours[1], colours[2]


def _prefix(channel: str) -> str:
    return channel.rpartition(".")[0]


def _suffix(channel: str) -> str:
    return channel.rpartition(".")[2].lower()


def _layers(parts: Sequence[Part]) -> list[str]:
    names: list[str] = []
    for part in parts:
        names += [part.name] if part.name and len(parts) > 1 else []
        names += [_prefix(name) or name for name in part.channels]
    return list(dict.fromkeys(names))
