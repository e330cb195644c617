"""How an alpha clip is made from a plate, as text that a host can keep beside the clip.

A host without parameters of ours (a media pool item, a loader) carries this text, so that a later
render makes what is missing or has changed with the settings that were chosen first.
"""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from gvm_client.declaration import option_of
from gvm_client.errors import OutputError, SettingsError
from gvm_client.protocol.messages import FilePlate, Matte
from gvm_client.settings import Priority, find_preset
from gvm_nodes.asking import knobs_request
from gvm_nodes.knobs import (
    KNOBS,
    NOT_PART_OF_A_MATTE,
    Setting,
    Wishes,
    as_wishes,
    find_knob,
    with_preset,
)
from gvm_nodes.outputs import output_pattern

DEFAULT_OUTPUT = "{dir}/gvm/{plate}_v{version}/{plate}_alpha.%04d.exr"

# A script is told by selections which frames, and waits for them.
SCRIPT_KNOBS = tuple(knob for knob in KNOBS if knob.name not in NOT_PART_OF_A_MATTE)

SCRIPT_WISHES = Wishes(out=DEFAULT_OUTPUT)

# What a text that `Recipe.to_text` did not write may raise; a SettingsError is a ValueError.
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


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

    @property
    def max_frames(self) -> int:
        """How many of the frames that are asked for the preset makes; 0 means all."""
        return find_preset(self.wishes.preset).max_frames

    def request(self, frames: str, priority: Priority = Priority.RANGE) -> Matte:
        """Return the request that makes these frames; "" is the whole clip.

        Raises:
            GvmError: a setting is out of its range, or a path is not absolute.
        """
        asked = knobs_request(
            self.wishes,
            FilePlate(path=self.plate, first=self.first, last=self.last),
            self.alphas,
            frames=frames,
            priority=priority,
        )
        return replace(asked, job=uuid.uuid4().hex, max_frames=self.max_frames)

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
            kept = cls(**{**fields, "wishes": as_wishes(fields["wishes"])})
            _check_kinds(kept)
        except _DAMAGE as error:
            raise SettingsError(
                f"{text[:80]!r} does not say how the alphas were made: {error!r}.",
                remedy="Matte the clip again, and delete this one.",
            ) from error
        return kept

    def is_of_same_files(self, text: str) -> bool:
        """Return whether a text's recipe, of whatever settings, has the same plate and alphas."""
        ours = self.plate, self.alphas
        return any((other.plate, other.alphas) == ours for other in _usable([text]))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the settings that a script's line may name: `--frames-per-window 6` and so on."""
    for knob in SCRIPT_KNOBS:
        option = option_of(knob.name)
        about = knob.tooltip.replace("%", "%%")  # argparse fills in values there
        if isinstance(knob.default, bool):
            parser.add_argument(option, action="store_true", default=None, help=about)
        else:
            parser.add_argument(option, metavar=_METAVARS[type(knob.default)], help=about)


def named_settings(parsed: argparse.Namespace) -> dict[str, Setting]:
    """Return those settings of `add_options` that the line names."""
    named = {knob.name: getattr(parsed, knob.name, None) for knob in SCRIPT_KNOBS}
    return {name: value for name, value in named.items() if value is not None}


def changed(wishes: Wishes, values: Mapping[str, Setting], locked: Collection[str] = ()) -> Wishes:
    """Return wishes with some values changed; a preset sets the window's numbers first.

    Args:
        wishes: what is changed.
        values: by the knobs' names.
        locked: the knobs that a studio has set: no preset changes them.

    Raises:
        SettingsError: a value is not one that its setting takes, or its knob is locked.
    """
    if refused := [find_knob(name).label for name in values if name in locked]:
        raise SettingsError(
            f"The studio has locked {', '.join(refused)}.",
            remedy="Leave it out.",
        )
    if "preset" in values:
        wishes = with_preset(wishes, str(values["preset"]), locked)
    return as_wishes({**asdict(wishes), **values})


def checked(wishes: Wishes) -> Wishes:
    """Return the wishes, if every number of them can be used.

    Raises:
        SettingsError: one cannot.
    """
    _ = wishes.window, wishes.levels, wishes.model  # each checks itself
    return wishes


def apart(recipes: Iterable[Recipe], standing: Iterable[str] = ()) -> None:
    """Refuse different recipes that would write the same files.

    Args:
        recipes: what is to be made; of the same files they must be the same.
        standing: texts beside clips that stand; of the same files they must have the same plate,
            and their settings may change.

    Raises:
        GvmError: two of them would, or an output cannot be used.
    """
    wanted: dict[str, Recipe] = {}
    for recipe in recipes:
        other = wanted.setdefault(recipe.alphas, recipe)
        _refuse_two_plates(other, recipe)
        if other != recipe:
            raise SettingsError(
                f"The alphas {recipe.alphas} would be made twice: {_differing(other, recipe)}.",
                remedy="Matte the clip again, as another version where both are wanted.",
            )
    for kept in _usable(standing):
        _refuse_two_plates(kept, wanted.get(kept.alphas, kept))


def _usable(texts: Iterable[str]) -> Iterator[Recipe]:
    """Yield the recipes of texts but the damaged ones, which make nothing."""
    for text in texts:
        with suppress(SettingsError, OutputError):
            recipe = Recipe.from_text(text)
            _ = recipe.alphas  # it checks itself
            yield recipe


def _refuse_two_plates(one: Recipe, other: Recipe) -> None:
    if one.plate != other.plate:
        raise SettingsError(
            f"The alphas of {one.plate} and of {other.plate} would both be {one.alphas}.",
            remedy="Have {dir} or {plate} in the output, or choose another version.",
        )


def _differing(one: Recipe, other: Recipe) -> str:
    """Return what differs: `gamma 1.0 and 2.0`."""
    ours, theirs = _named(one), _named(other)
    return ", ".join(
        f"{name} {value} and {theirs[name]}"
        for name, value in ours.items()
        if value != theirs[name]
    )


def _named(recipe: Recipe) -> dict[str, object]:
    return {"first frame": recipe.first, "last frame": recipe.last, **asdict(recipe.wishes)}


def _check_kinds(recipe: Recipe) -> None:
    """Refuse a recipe whose own fields are of other kinds; its wishes have checked themselves.

    Raises:
        TypeError: one is.
    """
    if not isinstance(recipe.plate, str):
        raise TypeError(recipe.plate)
    for end in (recipe.first, recipe.last):
        if end is not None and type(end) is not int:
            raise TypeError(end)


_METAVARS = {int: "N", float: "X", str: "TEXT"}
