"""What a matte's EXR files hold besides the alpha, and how: declared once for every door.

Whatever is chosen, the alpha is in the channel `A` of the file that the output names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from gvm_client.declaration import setting, settings_of
from gvm_client.errors import SettingsError

ALPHA = "A"
CHANNELS: Mapping[str, str] = MappingProxyType(
    {
        "matte.raw": "matte_raw",
        "matte.edge": "matte_edge",
        "matte.core": "matte_core",
        "fg": "foreground",
        "RGBA": "premultiplied",
    }
)
"""What `--channels` takes besides `A`, and the switch of each."""


class Layers(str, Enum):
    """Where a matte's layers go."""

    ONE = "one"
    """All in the alpha's own file."""
    SEPARATE = "separate"
    """Each in a file of its own beside it."""


class Compression(str, Enum):
    """An EXR's compression; none of them loses a bit."""

    ZIPS = "zips"
    ZIP = "zip"
    PIZ = "piz"
    HTJ2K = "htj2k256"
    """High-throughput JPEG 2000, of OpenEXR 3.4 and later."""


class Despill(str, Enum):
    """The colour of the screen whose light is taken off the foreground."""

    NONE = "none"
    GREEN = "green"
    BLUE = "blue"


def _words(kind: type[Enum]) -> tuple[str, ...]:
    return tuple(member.value for member in kind)


@dataclass(frozen=True, kw_only=True)  # no slots: nodes' options have two bases
class FileLayers:
    """What an artist sets of the files; as `gvm_client.settings.Finish` of the matte."""

    matte_raw: bool = setting(
        False, label="Raw Matte", help="layer matte.raw: the refined matte before knobs and guides"
    )
    matte_edge: bool = setting(
        False, label="Edge Band", help="layer matte.edge: 1 where the raw matte is neither 0 nor 1"
    )
    matte_core: bool = setting(
        False, label="Core", help="layer matte.core: the raw matte where it is solid, 0 in the band"
    )
    foreground: bool = setting(
        False,
        label="Foreground",
        help="layer fg: the subject's straight colours without the background's, extended beyond"
        " its edges, in the plate's linear space",
    )
    premultiplied: bool = setting(
        False, label="RGBA", help="R, G and B: the foreground times the alpha, beside A"
    )
    layers: str = setting(
        Layers.ONE.value,
        label="Layers",
        help="all in one EXR, or each in a file of its own",
        choices=_words(Layers),
    )
    compression: str = setting(
        Compression.ZIPS.value,
        label="Compression",
        help="of the EXR files; none of them loses a bit",
        choices=_words(Compression),
    )
    despill: str = setting(
        Despill.NONE.value,
        label="Despill",
        help="the screen whose light is taken off the foreground",
        choices=_words(Despill),
    )


WORDS = tuple(each for each in settings_of(FileLayers) if each.choices)
"""The settings that are no switch of `CHANNELS`."""


@dataclass(frozen=True, kw_only=True)
class FileContent(FileLayers):
    """Values that are proven.

    Raises:
        SettingsError: a value is none of its choices.
    """

    def __post_init__(self) -> None:
        for declared in settings_of(FileLayers):
            declared.check(getattr(self, declared.name))

    @property
    def channels(self) -> tuple[str, ...]:
        """The words of what is held, `A` first."""
        return (ALPHA, *(word for word, name in CHANNELS.items() if getattr(self, name)))

    @property
    def has_colours(self) -> bool:
        """Whether the plate's colours are needed."""
        return self.foreground or self.premultiplied


def switches(words: Iterable[str]) -> dict[str, bool]:
    """Return the switches that the words of `--channels` mean, off ones too.

    Raises:
        SettingsError: one is unknown.
    """
    asked = [word.strip() for word in words if word.strip()]
    known = {word.lower(): name for word, name in CHANNELS.items()}
    for word in asked:
        if word.lower() not in (*known, ALPHA.lower()):
            raise SettingsError(
                f"There is no channel {word!r}.",
                remedy=f"Name some of {', '.join((ALPHA, *CHANNELS))}, with commas between.",
            )
    chosen = {known[word.lower()] for word in asked if word.lower() in known}
    return {name: name in chosen for name in CHANNELS.values()}
