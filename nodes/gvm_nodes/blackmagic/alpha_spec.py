"""How an alpha clip is made from a plate, as text that a host can keep beside the clip.

A host without parameters of ours (a media pool item, a Loader) carries this text, so that a later
render makes what is missing or has changed with the settings that were chosen first. A text of an
older release that lacks a setting has the program's default for it.
"""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from gvm_client.declaration import option_of
from gvm_client.errors import OutputError, SettingsError
from gvm_client.protocol.messages import FilePlate, Matte
from gvm_client.settings import Priority, find_preset
from gvm_nodes.core.clips import output_pattern
from gvm_nodes.core.node_request import options_request
from gvm_nodes.core.settings import (
    KNOBS,
    NOT_PART_OF_A_MATTE,
    MatteOptions,
    SettingValue,
    as_options,
)

DEFAULT_OUTPUT = "{dir}/gvm/{plate}_v{version}/{plate}_alpha.%04d.exr"

# A script is told by selections which frames, and waits for them.
SCRIPT_KNOBS = tuple(knob for knob in KNOBS if knob.name not in NOT_PART_OF_A_MATTE)

SCRIPT_OPTIONS = MatteOptions(out=DEFAULT_OUTPUT)

_OPTIONS_FIELD = "wishes"  # the options' name in texts: hosts' documents hold it since 0.1
# What a text that `AlphaSpec.to_text` did not write may raise; a SettingsError is a ValueError.
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlphaSpec:
    """A plate, the settings, and where the alphas go.

    Attributes:
        plate: absolute path of a movie, or the pattern of a sequence; "" while it is not known.
        first: the clip's first frame; None means the first on disk.
        last: the clip's last frame; None means the last on disk.
        options: the settings; in the output's path `{dir}` is the plate's folder.
    """

    plate: str = ""
    first: int | None = None
    last: int | None = None
    options: MatteOptions = SCRIPT_OPTIONS

    @property
    def alphas(self) -> str:
        """The pattern of the alphas' files.

        Raises:
            OutputError: the output's path cannot be used.
        """
        return output_pattern(
            self.options.out,
            folder=self.plate.replace("\\", "/").rpartition("/")[0],
            plate=self.plate,
            node="",
            version=self.options.version,
        )

    @property
    def max_frames(self) -> int:
        """How many of the frames that are asked for the preset makes; 0 means all."""
        return find_preset(self.options.preset).max_frames

    def request(self, frames: str, priority: Priority = Priority.RANGE) -> Matte:
        """Return the request that makes these frames; "" is the whole clip.

        Raises:
            GvmError: a setting is out of its range, or a path is not absolute.
        """
        asked = options_request(
            self.options,
            FilePlate(path=self.plate, first=self.first, last=self.last),
            self.alphas,
            frames=frames,
            priority=priority,
        )
        return replace(asked, job=uuid.uuid4().hex, max_frames=self.max_frames)

    def to_text(self) -> str:
        """Return it as one line of JSON."""
        fields = asdict(self)
        fields[_OPTIONS_FIELD] = fields.pop("options")
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> AlphaSpec:
        """Return what `to_text` of this or an older release wrote.

        Raises:
            SettingsError: it is something else.
        """
        try:
            fields = json.loads(text)
            options = as_options(fields.pop(_OPTIONS_FIELD), SCRIPT_OPTIONS)
            kept = cls(**fields, options=options)
            _check_kinds(kept)
        except _DAMAGE as error:
            raise SettingsError(
                f"{text[:80]!r} does not say how the alphas were made: {error!r}.",
                remedy="Matte the clip again, and delete this one.",
            ) from error
        return kept

    def is_of_same_files(self, text: str) -> bool:
        """Return whether a text's spec, of whatever settings, has the same plate and alphas."""
        ours = self.plate, self.alphas
        return any((other.plate, other.alphas) == ours for other in _usable([text]))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings that a script's words may name: `--frames-per-window 6` and so on."""
    for knob in SCRIPT_KNOBS:
        option = option_of(knob.name)
        about = knob.tooltip.replace("%", "%%")  # argparse fills in values there
        if isinstance(knob.default, bool):
            parser.add_argument(option, action="store_true", default=None, help=about)
        else:
            parser.add_argument(option, metavar=_METAVARS[type(knob.default)], help=about)


def named_options(parsed: argparse.Namespace) -> dict[str, SettingValue]:
    """Return those settings of `add_options` that the words name."""
    named = {knob.name: getattr(parsed, knob.name, None) for knob in SCRIPT_KNOBS}
    return {name: value for name, value in named.items() if value is not None}


def refuse_conflicts(specs: Iterable[AlphaSpec], existing: Iterable[str] = ()) -> None:
    """Refuse different specs that would write the same files.

    Args:
        specs: what is to be made; of the same files they must be the same.
        existing: texts beside clips that exist; of the same files they must have the same plate,
            and their settings may change.

    Raises:
        GvmError: two of them would, or an output cannot be used.
    """
    wanted: dict[str, AlphaSpec] = {}
    for spec in specs:
        other = wanted.setdefault(spec.alphas, spec)
        _refuse_two_plates(other, spec)
        if other != spec:
            raise SettingsError(
                f"The alphas {spec.alphas} would be made twice: {_differing(other, spec)}.",
                remedy="Matte the clip again, as another version where both are wanted.",
            )
    for kept in _usable(existing):
        _refuse_two_plates(kept, wanted.get(kept.alphas, kept))


def _usable(texts: Iterable[str]) -> Iterator[AlphaSpec]:
    """Yield the specs of texts but the damaged ones, which make nothing."""
    for text in texts:
        with suppress(SettingsError, OutputError):
            spec = AlphaSpec.from_text(text)
            _ = spec.alphas  # it checks itself
            yield spec


def _refuse_two_plates(one: AlphaSpec, other: AlphaSpec) -> None:
    if one.plate != other.plate:
        raise SettingsError(
            f"The alphas of {one.plate} and of {other.plate} would both be {one.alphas}.",
            remedy="Have {dir} or {plate} in the output, or choose another version.",
        )


def _differing(one: AlphaSpec, other: AlphaSpec) -> str:
    """Return what differs: `gamma 1.0 and 2.0`."""
    ours, theirs = _named_values(one), _named_values(other)
    return ", ".join(
        f"{name} {value} and {theirs[name]}"
        for name, value in ours.items()
        if value != theirs[name]
    )


def _named_values(spec: AlphaSpec) -> dict[str, object]:
    return {"first frame": spec.first, "last frame": spec.last, **asdict(spec.options)}


def _check_kinds(spec: AlphaSpec) -> None:
    """Refuse a spec whose own fields are of other types; its options have checked themselves.

    Raises:
        TypeError: one is.
    """
    if not isinstance(spec.plate, str):
        raise TypeError(spec.plate)
    for end in (spec.first, spec.last):
        if end is not None and type(end) is not int:
            raise TypeError(end)


_METAVARS = {int: "N", float: "X", str: "TEXT"}
