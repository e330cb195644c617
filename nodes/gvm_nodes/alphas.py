"""How an alpha clip is made from a plate, as text that a host can keep beside the clip.

A host without parameters of ours (a media pool item, a loader) carries this text, so that a later
render makes what is missing or has changed with the settings that were chosen first.
"""

from __future__ import annotations

import argparse
import json
import uuid
from dataclasses import asdict, dataclass
from pathlib import PurePath

from gvm_client.errors import SettingsError
from gvm_client.protocol.messages import EngineName, FileOutput, FilePlate, Matte
from gvm_client.settings import (
    AUTO_PRESET,
    DEFAULT_PRESET,
    ModelSettings,
    Priority,
    find_preset,
)

MAX_VERSION = 999


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A plate, the settings, and where the alphas go.

    Attributes:
        plate: absolute path of a movie, or the pattern of a sequence.
        first: the clip's first frame; None means the first on disk.
        last: the clip's last frame; None means the last on disk.
        folder: where the alphas' folder is made; "" means `gvm` beside the plate.
        version: of the alphas' folder; another one leaves the older alphas as they are.

    Raises:
        SettingsError: no such engine or preset, or the version is out of its range.
    """

    plate: str
    first: int | None = None
    last: int | None = None
    engine: str = EngineName.AUTO.value
    preset: str = DEFAULT_PRESET
    colourspace: str = "auto"
    folder: str = ""
    version: int = 1

    def __post_init__(self) -> None:
        find_preset(self.preset)
        names = [name.value for name in EngineName]
        if self.engine not in names:
            raise SettingsError(f"engine is {self.engine!r}; it must be one of {', '.join(names)}.")
        if not 1 <= self.version <= MAX_VERSION:
            raise SettingsError(f"version is {self.version}; it must be from 1 to {MAX_VERSION}.")

    @property
    def alphas(self) -> str:
        """The pattern of the alphas' files: `gvm/NAME_v001/NAME_alpha.%04d.exr`."""
        plate = PurePath(self.plate)
        name = plate.stem.split("#")[0].split("%")[0].strip("._- ") or plate.parent.name
        folder = PurePath(self.folder) if self.folder else plate.parent / "gvm"
        return (folder / f"{name}_v{self.version:03}" / f"{name}_alpha.%04d.exr").as_posix()

    def request(self, frames: str, priority: Priority = Priority.RANGE) -> Matte:
        """Return the request that makes these frames; "" is the whole clip.

        Raises:
            LocalProtocolError: a path is not absolute, or a text is too long.
        """
        preset = find_preset(self.preset)
        return Matte(
            job=uuid.uuid4().hex,
            plate=FilePlate(
                path=self.plate, first=self.first, last=self.last, colourspace=self.colourspace
            ),
            output=FileOutput(path=self.alphas),
            frames=frames,
            max_frames=preset.max_frames,
            window=preset.window,
            model=ModelSettings(fit_memory=self.preset == AUTO_PRESET),
            engine=EngineName(self.engine),
            priority=priority,
        )

    def to_text(self) -> str:
        """Return it as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Recipe:
        """Return what `to_text` wrote.

        Raises:
            SettingsError: it is something else.
        """
        try:
            return cls(**json.loads(text))
        except SettingsError:
            raise
        except (ValueError, TypeError) as error:
            raise SettingsError(
                f"{text[:80]!r} does not say how the alphas were made: {error}.",
                remedy="Matte the clip again.",
            ) from error


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings that a script's line may name."""
    parser.add_argument("--preset", default=DEFAULT_PRESET)
    parser.add_argument("--engine", default=EngineName.AUTO.value)
    parser.add_argument("--colourspace", default="auto")
    parser.add_argument("--folder", default="", help="where the alphas go (gvm beside the plate)")
    parser.add_argument("--version", type=int, default=1)


def wishes(parsed: argparse.Namespace) -> Recipe:
    """Return the settings of `add_options`, for a plate that is still to be named.

    Raises:
        SettingsError: a value is out of its range.
    """
    return Recipe(
        plate="",
        engine=parsed.engine,
        preset=parsed.preset,
        colourspace=parsed.colourspace,
        folder=parsed.folder,
        version=parsed.version,
    )
