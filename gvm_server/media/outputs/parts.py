"""Which files a frame's matte is, and which channels each of them has.

In the alpha's own file a layer's channels bear the layer's name, whole, so that Nuke gives each a
layer of its own; in a file of its own a matte is `A` and colours are `R`, `G` and `B`, which every
program shows.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gvm_client.file_content import ALPHA, CHANNELS, Compression, Despill, FileContent, Layers
from gvm_server.media.pixels import StoredPixels

LAYERS_REVISION = 1  # moves when a layer's pixels change though its alpha does not

RAW, EDGE, CORE, FG, RGBA = "matte.raw", "matte.edge", "matte.core", "fg", "RGBA"
_MATTES = (RAW, EDGE, CORE)


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePart:
    """One of the files of a frame's matte.

    Attributes:
        suffix: what stands in its name after the plate's; "" for the alpha's own file.
        channels: each channel's name, and that of its plane.
        recipe: what is in the file's key besides the alpha's; "" for a file of the alpha alone.
        words: of `--channels`, what it holds besides the alpha; none of a file of the alpha alone.
        despill: what was done to its colours; "" where it has none.
    """

    suffix: str
    channels: Mapping[str, str]
    recipe: str
    words: tuple[str, ...] = ()
    despill: str = ""

    def planes(self, planes: Mapping[str, StoredPixels]) -> dict[str, StoredPixels]:
        """Return the file's channels of all that were made."""
        return {channel: planes[plane] for channel, plane in self.channels.items()}

    def attributes(self, linear: str) -> dict[str, str]:
        """Return what the file says of its layers, whose colours are in this linear space."""
        says = {"gvm:channels": ",".join(self.words)} if self.words else {}
        return says | (
            {"gvm:fg-colourspace": linear, "gvm:despill": self.despill} if self.despill else {}
        )


def parts_of(content: FileContent) -> tuple[FilePart, ...]:
    """Return the files that hold this, the alpha's own first."""
    words = content.channels[1:]
    if content.layers == Layers.ONE:
        whole: dict[str, str] = {}
        for word in words:
            whole |= _in_one(word)
        return (_part("", {**whole, ALPHA: ALPHA}, words, content),)
    alpha = _part("", {ALPHA: ALPHA}, (), content)
    return (alpha, *(_part(_suffix(word), _alone(word), (word,), content) for word in words))


def recipes_of_others(content: FileContent) -> dict[str, frozenset[str]]:
    """Return the suffixes of the layers' own files that this content does not have.

    With each go the recipes that such a file may have been made by.
    """
    every: dict[str, Any] = dict.fromkeys(CHANNELS.values(), True)
    every["layers"] = Layers.SEPARATE.value
    recipes: dict[str, set[str]] = {}
    for screen, compression in itertools.product(Despill, Compression):
        how = {**every, "despill": screen.value, "compression": compression.value}
        for part in parts_of(FileContent(**how)):
            recipes.setdefault(part.suffix, set()).add(part.recipe)
    own = {part.suffix for part in parts_of(content)}
    return {suffix: frozenset(of) for suffix, of in recipes.items() if suffix not in own}


def suffix_of(word: str) -> str:
    """Return what stands in the name of a layer's own file, behind the plate's; "" of no layer."""
    return _suffix(word) if word in CHANNELS else ""


def planes_of(content: FileContent) -> int:
    """Return how many channels a frame's files have together."""
    return sum(len(part.channels) for part in parts_of(content))


def _part(
    suffix: str, channels: Mapping[str, str], words: tuple[str, ...], content: FileContent
) -> FilePart:
    says = [f"layers {LAYERS_REVISION} {suffix}: {' '.join(words)}"] if words else []
    despill = content.despill if {FG, RGBA} & set(words) else ""
    if despill and despill != Despill.NONE:
        says.append(f"despill {despill}")
    if content.compression != Compression.ZIPS:
        says.append(f"compression {content.compression}")
    recipe = "; ".join(says)
    return FilePart(suffix=suffix, channels=channels, recipe=recipe, words=words, despill=despill)


def colours_of(word: str) -> tuple[str, str, str]:
    """Return the names of a colour layer's planes: `fg.R`, or `R` of the premultiplied."""
    prefix = f"{word}." if word == FG else ""
    return f"{prefix}R", f"{prefix}G", f"{prefix}B"


def foreground_in(content: FileContent) -> tuple[str, tuple[str, str, str]]:
    """Return the suffix of the file that holds the foreground, and its channels' names there."""
    if content.layers == Layers.ONE:
        return "", colours_of(FG)
    return _suffix(FG), ("R", "G", "B")


def _in_one(word: str) -> dict[str, str]:
    names = (word,) if word in _MATTES else colours_of(word)
    return {name: name for name in names}


def _alone(word: str) -> dict[str, str]:
    if word in _MATTES:
        return {ALPHA: word}
    colours = dict(zip("RGB", colours_of(word), strict=True))
    return {**colours, ALPHA: ALPHA} if word == RGBA else colours


def _suffix(word: str) -> str:
    return word.replace(".", "_").lower()
