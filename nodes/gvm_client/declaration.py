"""How a setting is declared: once, at its field, with what every door to it needs to know.

The command line, farms' tasks, the nodes' panels and the OpenFX node's parameters are made of the
declarations; tests/unit/client/test_declaration.py adds a setting to a copy and finds it in each.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cache
from math import isfinite
from typing import Any, cast

from gvm_client.errors import SettingsError

_KEY = "gvm"  # of a field's metadata


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """What is known of a setting.

    Attributes:
        name: its field's, its option's and its parameter's.
        default: its value where none is set; its type is the setting's.
        label: what stands beside it in a panel.
        help: one line without a full stop.
        choices: the words that a text may be; none where it is no text.
        bounds: the least and the greatest value; None where any number is right.
        slider: the values that a slider shows.
        is_length: whether it counts pixels of the full-size plate, of which a proxy has fewer.
        reruns_model: whether it changes what the model sees; else it is of the finish alone.
        lifts_zero: whether a value above 0, or on, makes something of an alpha of 0.
    """

    name: str
    default: bool | float | str
    label: str
    help: str
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None
    slider: tuple[float, float] = (0.0, 1.0)
    is_length: bool = False
    reruns_model: bool = False
    lifts_zero: bool = False

    @property
    def sentence(self) -> str:
        """The help as a tooltip begins it."""
        return f"{self.help[0].upper()}{self.help[1:]}"

    def check(self, value: float | str) -> None:
        """Prove a value.

        Raises:
            SettingsError: it is none of the choices, no finite number, or out of its range.
        """
        if self.choices:
            if value not in self.choices:
                raise SettingsError(
                    f"{self.name} is {value!r}; it must be one of {', '.join(self.choices)}."
                )
            return
        if isinstance(value, str) or not isfinite(value):
            raise SettingsError(f"{self.name} is {value!r}; it must be a finite number.")
        if self.bounds is not None and not self.bounds[0] <= value <= self.bounds[1]:
            low, high = self.bounds
            raise SettingsError(f"{self.name} is {value!r}; it must be from {low:g} to {high:g}.")


def setting(
    default: bool | float | str,  # noqa: FBT001 (a switch's)
    *,
    label: str,
    help: str,  # noqa: A002 (argparse's word for it)
    **known: Any,  # noqa: ANN401 (as `dataclasses.field`)
) -> Any:  # noqa: ANN401 (as `dataclasses.field`)
    """Return a field that declares a setting; `known` are the other attributes of `Declared`."""
    return field(default=default, metadata={_KEY: {"label": label, "help": help, **known}})


@cache  # values are proven by it, those of every message
def settings_of(kind: type) -> tuple[Declared, ...]:
    """Return what a dataclass declares, in the order of its fields."""
    return tuple(
        Declared(name=each.name, default=cast("float", each.default), **each.metadata[_KEY])
        for each in fields(kind)
        if _KEY in each.metadata
    )


def values_in(source: object, kind: type) -> dict[str, Any]:
    """Return the values that any object has for what a dataclass declares, by name."""
    return {each.name: getattr(source, each.name) for each in settings_of(kind)}


def option_of(name: str) -> str:
    """Return the command line's word for a setting."""
    return f"--{name.replace('_', '-')}"
