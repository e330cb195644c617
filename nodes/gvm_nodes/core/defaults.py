"""What options begin with and may change to: presets, a studio's defaults, and locked settings.

A studio's file holds JSON:

    {"defaults": {"colourspace": "acescg", "version": 2}, "locked": ["colourspace"],
     "commercial_only": true}

Only new nodes take its defaults: a node of a saved document keeps its values, and a setting that it
lacks has the program's default. A file that cannot be used is an error with its path. What it
demands of the weights' licence is read in `gvm_client.studio`, for every door.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any

from gvm_client.errors import SettingsError
from gvm_client.regions import check_scale, parse_regions
from gvm_client.settings import (
    WINDOW_OPTIONS,
    find_preset,
)
from gvm_client.studio import VARIABLE, read_studio_file, studio_file, unusable
from gvm_nodes.core.settings import (
    MatteOptions,
    SettingValue,
    as_options,
    find_knob,
)

__all__ = ["VARIABLE"]


def preset_numbers(preset: str, locked: Collection[str] = ()) -> dict[str, int]:
    """Return the numbers that a preset sets, by their knobs' names.

    Args:
        preset: its name.
        locked: the knobs that a studio has set: no preset changes them.

    Raises:
        SettingsError: there is no such preset.
    """
    window = find_preset(preset).window
    return {name: getattr(window, name) for name in WINDOW_OPTIONS if name not in locked}


def with_preset(options: MatteOptions, preset: str, locked: Collection[str] = ()) -> MatteOptions:
    """Return the options with a preset's numbers; as `preset_numbers`."""
    numbers: dict[str, Any] = {**preset_numbers(preset, locked), "preset": preset}
    return replace(options, **numbers)


def changed_options(
    options: MatteOptions, values: Mapping[str, SettingValue], locked: Collection[str] = ()
) -> MatteOptions:
    """Return options with some values changed; a preset sets the window's numbers first.

    Args:
        options: what is changed.
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
        options = with_preset(options, str(values["preset"]), locked)
    return as_options({**asdict(options), **values})


def checked_options(options: MatteOptions) -> MatteOptions:
    """Return the options, if every number of them can be used.

    Raises:
        SettingsError: one cannot.
    """
    _ = options.window, options.levels, options.model  # each checks itself
    _ = options.guides, options.content
    check_scale(options.roi_scale)
    parse_regions(options.roi)
    return options


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What a new node begins with.

    Attributes:
        options: every knob's value.
        locked: the names of the knobs that an artist may not change.
    """

    options: MatteOptions
    locked: frozenset[str]


def studio_defaults(base: MatteOptions = MatteOptions()) -> Defaults:  # noqa: B008 - frozen
    """Return what new nodes begin with: the program's defaults, changed by the studio's file.

    Raises:
        SettingsError: the file that `$GVM_NODE_DEFAULTS` names is not there, or a file is not as
            this module says, or names a knob that does not exist.
    """
    path = studio_file()
    if path is None:
        return Defaults(options=base, locked=frozenset())
    content = read_studio_file(path)
    try:
        return _read(content, base)
    except (ValueError, TypeError, AttributeError) as error:
        raise unusable(path, error) from error


def saved_node_defaults() -> Defaults:
    """Return what a setting begins with that a saved node lacks, because an older release saved it.

    That is the program's default, with which its mattes were made; a studio's locks hold.
    """
    locked: frozenset[str] = frozenset()
    with suppress(SettingsError):  # said when a node is made
        locked = studio_defaults().locked
    return Defaults(options=MatteOptions(), locked=locked)


def _read(content: dict[str, Any], base: MatteOptions) -> Defaults:
    values, locked = content.get("defaults", {}), content.get("locked", [])
    filled = with_preset(base, str(values["preset"])) if "preset" in values else base
    return Defaults(
        options=as_options({**asdict(filled), **values}),
        locked=frozenset(find_knob(name).name for name in locked),
    )
