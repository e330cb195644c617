"""A studio's defaults and locks, those of the nodes, on the command line.

What is not given has the studio's value; what is locked cannot be given another. A farm's task
(`--openjd`, `--own-server`) takes nothing from the machine that it happens to run on: its words
were pinned before.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from gvm_client.declaration import option_of
from gvm_client.errors import SettingsError
from gvm_client.settings import WINDOW_OPTIONS
from gvm_nodes.core.defaults import Defaults, preset_numbers, studio_defaults
from gvm_nodes.core.settings import KNOBS, MatteOptions

# Knobs that the command line calls otherwise, and those that it does not have: where a node's files
# go and which frames it makes are a document's, and a region is a shot's.
_RENAMED: Mapping[str, str] = MappingProxyType(
    {"colourspace": "input_colorspace", "missing_frames": "missing"}
)
_NODES_OWN = frozenset(
    (
        *("range", "frames", "handles", "out", "version", "policy", "keep_going"),
        *("roi", "roi_scale", "ocio_colourspace"),
    )
)


class Studio:
    """What a studio's file sets of the command line.

    Raises:
        SettingsError: the file cannot be used.
    """

    def __init__(self) -> None:
        found = studio_defaults()
        options = found.options
        self.locked = {_place(name): _value(options, name) for name in found.locked - _NODES_OWN}
        if "ocio_colourspace" in found.locked:
            self.locked["input_colorspace"] = _value(options, "colourspace")
        self._preset = options.preset
        self._numbers = _numbers(found)
        changed = {
            knob.name
            for knob in KNOBS
            if knob.name not in WINDOW_OPTIONS
            and _value(options, knob.name) != _value(MatteOptions(), knob.name)
        }
        self.values: dict[str, Any] = {
            **{_place(name): _value(options, name) for name in changed - _NODES_OWN},
            **self._numbers,
            **self.locked,
        }
        if options.ocio_colourspace:
            self.values["input_colorspace"] = options.ocio_colourspace

    def settle(self, parsed: argparse.Namespace) -> None:
        """Let another preset than the studio's have its own numbers, and hold to the locks.

        Raises:
            SettingsError: an option that the studio has locked was given.
        """
        if parsed.preset != self._preset:
            for name, number in self._numbers.items():
                if name not in self.locked and getattr(parsed, name) == number:
                    setattr(parsed, name, None)
        for name, value in self.locked.items():
            if (given := getattr(parsed, name, value)) != value:
                raise SettingsError(
                    f"The studio has locked {option_of(name)} to {value}; {given} was given.",
                    remedy="Leave it out.",
                )


def set_defaults(parser: argparse.ArgumentParser, values: Mapping[str, Any]) -> None:
    """Set the defaults of a parser's options, and of its commands'; others' names do no harm."""
    for action in parser._actions:  # noqa: SLF001 (argparse tells of its options in no other way)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                set_defaults(command, values)
        elif action.dest in values and action.default is not argparse.SUPPRESS:
            action.default = values[action.dest]


def _place(knob: str) -> str:
    return _RENAMED.get(knob, knob)


def _value(options: MatteOptions, knob: str) -> object:
    if knob == "colourspace" and options.ocio_colourspace:
        return options.ocio_colourspace
    return getattr(options, knob)


def _numbers(found: Defaults) -> dict[str, int]:
    """Return the window's numbers that the studio set itself: those that are not its preset's."""
    options = found.options
    preset = preset_numbers(options.preset)
    return {
        name: getattr(options, name)
        for name in WINDOW_OPTIONS
        if name in found.locked or getattr(options, name) != preset[name]
    }
