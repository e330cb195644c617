"""How an alpha clip is made from a plate, as text that a host can keep beside the clip.

A host without parameters of ours (a media pool item, a loader) carries this text, so that a later
render makes what is missing or has changed with the settings that were chosen first.
"""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from gvm_client.errors import SettingsError
from gvm_client.protocol.messages import FilePlate, Matte
from gvm_client.settings import Priority, find_preset
from gvm_nodes.asking import matte_request
from gvm_nodes.knobs import KNOBS, Setting, Wishes, as_wishes, with_preset
from gvm_nodes.outputs import output_pattern

DEFAULT_OUTPUT = "{dir}/gvm/{plate}_v{version}/{plate}_alpha.%04d.exr"

# A script is told by selections which frames, and waits for them.
_NODES_OWN = ("range", "frames", "handles", "policy", "keep_going")
SCRIPT_KNOBS = tuple(knob for knob in KNOBS if knob.name not in _NODES_OWN)

SCRIPT_WISHES = Wishes(out=DEFAULT_OUTPUT)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """A plate, the settings, and where the alphas go.

    Attributes:
        plate: absolute path of a movie, or the pattern of a sequence; "" while it is not known.
        first: the clip's first frame; None means the first on disk.
        last: the clip's last frame; None means the last on disk.
        wishes: the settings; in the output's path `{dir}` is the plate's folder.
    """

    plate: str = ""
    first: int | None = None
    last: int | None = None
    wishes: Wishes = SCRIPT_WISHES

    @property
    def alphas(self) -> str:
        """The pattern of the alphas' files.

        Raises:
            OutputError: the output's path cannot be used.
        """
        return output_pattern(
            self.wishes.out,
            folder=self.plate.replace("\\", "/").rpartition("/")[0],
            plate=self.plate,
            node="",
            version=self.wishes.version,
        )

    def request(self, frames: str, priority: Priority = Priority.RANGE) -> Matte:
        """Return the request that makes these frames; "" is the whole clip.

        Raises:
            GvmError: a setting is out of its range, or a path is not absolute.
        """
        asked = matte_request(
            self.wishes,
            FilePlate(path=self.plate, first=self.first, last=self.last),
            self.alphas,
            frames=frames,
            priority=priority,
        )
        limit = find_preset(self.wishes.preset).max_frames
        return replace(asked, job=uuid.uuid4().hex, max_frames=limit)

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
            fields = json.loads(text)
            return cls(**{**fields, "wishes": as_wishes(fields["wishes"])})
        except (ValueError, TypeError, KeyError) as error:
            raise SettingsError(
                f"{text[:80]!r} does not say how the alphas were made: {error!r}.",
                remedy="Matte the clip again.",
            ) from error


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings that a script's line may name: `--frames-per-window 6` and so on."""
    for knob in SCRIPT_KNOBS:
        option = f"--{knob.name.replace('_', '-')}"
        if isinstance(knob.default, bool):
            parser.add_argument(option, action="store_true", default=None, help=knob.tooltip)
        else:
            parser.add_argument(option, metavar=_METAVARS[type(knob.default)], help=knob.tooltip)


def wishes_of(parsed: argparse.Namespace) -> Wishes:
    """Return the settings of `add_options`: the preset's, changed by those that were named.

    Raises:
        SettingsError: a value is not one that its setting takes.
    """
    named = {knob.name: getattr(parsed, knob.name) for knob in SCRIPT_KNOBS}
    return changed(SCRIPT_WISHES, {name: it for name, it in named.items() if it is not None})


def changed(wishes: Wishes, values: Mapping[str, Setting]) -> Wishes:
    """Return wishes with some values changed; a preset sets the window's numbers first.

    Raises:
        SettingsError: a value is not one that its setting takes.
    """
    if "preset" in values:
        wishes = with_preset(wishes, str(values["preset"]))
    return as_wishes({**asdict(wishes), **values})


_METAVARS = {int: "N", float: "X", str: "TEXT"}
