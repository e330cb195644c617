"""The settings as elements of a window: one table from a knob's kind to an element.

Laws:
1. An element's name in its window is its knob's.
2. A choice is set and read by its place in the list; a number's element has both of its ends,
   for without them it would end at 99.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from gvm_client.declaration import settings_of
from gvm_client.limits import MAX_FRAMES_PER_WINDOW, MAX_SIDE, MAX_STEPS
from gvm_client.settings import Finish
from gvm_nodes.alphas import SCRIPT_KNOBS
from gvm_nodes.knobs import Knob, Page, Setting, Wishes, as_wishes, find_knob, preset_numbers

_COLUMNS = ((Page.RANGE, Page.MATTE), (Page.MODEL,))
_LABEL_SHARE, _ELEMENT_SHARE = 1.0, 1.6  # of a row's width; the layout heeds no least size
_DECIMALS, _STEP = 4, 0.05

_ANY_LEVEL = 1000.0  # an alpha beyond it means nothing
BOUNDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "version": (1, 9999),
        "frames_per_window": (1, MAX_FRAMES_PER_WINDOW),
        "overlap": (0, MAX_FRAMES_PER_WINDOW // 2),
        "decode_chunk": (0, MAX_FRAMES_PER_WINDOW),
        "steps": (1, MAX_STEPS),
        "size": (32, MAX_SIDE),
        "max_resolution": (32, MAX_SIDE),
        **{
            one.name: one.bounds or (-_ANY_LEVEL, _ANY_LEVEL)
            for one in settings_of(Finish)
            if not isinstance(one.default, bool)
        },
    }
)


class _Kind(NamedTuple):
    element: str
    attribute: str
    """That holds the value."""


_CHOICE = _Kind("ComboBox", "CurrentIndex")
_KINDS = {
    bool: _Kind("CheckBox", "Checked"),
    int: _Kind("SpinBox", "Value"),
    float: _Kind("DoubleSpinBox", "Value"),
    str: _Kind("LineEdit", "Text"),
}


def columns(ui: Any, locked: Collection[str]) -> Any:  # noqa: ANN401 - UIManager has no types
    """Return the elements of every setting, by pages in two columns; locked ones are greyed out."""
    return ui.HGroup({"Spacing": 24}, [_column(ui, pages, locked) for pages in _COLUMNS])


class Form:
    """The settings' elements of a window that stands.

    Args:
        elements: those of the window, by their names.
        locked: the settings that no preset changes.
    """

    def __init__(self, elements: Mapping[str, Any], locked: Collection[str]) -> None:
        self._elements = elements
        self._locked = locked
        self._preset = ""  # the one whose numbers are shown
        for knob in SCRIPT_KNOBS:
            for choice in knob.choices:
                elements[knob.name].AddItem(choice)

    def show(self, wishes: Wishes) -> None:
        """Set every element."""
        self._preset = wishes.preset  # first: setting it is an event like an artist's
        for knob in SCRIPT_KNOBS:
            self._set(knob, getattr(wishes, knob.name))

    def wishes(self) -> Wishes:
        """Return what the elements say.

        Raises:
            SettingsError: one says what its setting cannot be.
        """
        return as_wishes({knob.name: self._value(knob) for knob in SCRIPT_KNOBS})

    def follow_preset(self) -> None:
        """Fill in the numbers of a preset that has just been chosen."""
        chosen = self.wishes().preset
        if chosen == self._preset:
            return
        self._preset = chosen
        for name, number in preset_numbers(chosen, self._locked).items():
            self._set(find_knob(name), number)

    def _set(self, knob: Knob, value: Setting) -> None:
        shown = knob.choices.index(str(value)) if knob.choices else value
        setattr(self._elements[knob.name], _kind(knob).attribute, shown)

    def _value(self, knob: Knob) -> Setting:
        value = getattr(self._elements[knob.name], _kind(knob).attribute)
        return knob.choices[int(value)] if knob.choices else value


def _column(ui: Any, pages: tuple[Page, ...], locked: Collection[str]) -> Any:  # noqa: ANN401
    rows: list[Any] = []
    for page in pages:
        rows.append(ui.Label({"Text": f"<b>{page.value}</b>", "Weight": 0}))
        rows += [_row(ui, knob, locked) for knob in SCRIPT_KNOBS if knob.page is page]
    return ui.VGroup([*rows, ui.VGap(0)])


def _row(ui: Any, knob: Knob, locked: Collection[str]) -> Any:  # noqa: ANN401
    words = {"Text": knob.label, "Weight": _LABEL_SHARE}
    attributes: dict[str, Any] = {
        "ID": knob.name,
        "ToolTip": knob.tooltip,
        "Enabled": knob.name not in locked,
        "Weight": _ELEMENT_SHARE,
    }
    if knob.name == "preset":
        attributes["Events"] = {"CurrentIndexChanged": True}
    elif knob.name in BOUNDS:
        attributes["Minimum"], attributes["Maximum"] = BOUNDS[knob.name]
    if isinstance(knob.default, float):
        attributes |= {"Decimals": _DECIMALS, "SingleStep": _STEP}
    element = getattr(ui, _kind(knob).element)(attributes)
    return ui.HGroup({"Weight": 0}, [ui.Label(words), element])


def _kind(knob: Knob) -> _Kind:
    return _CHOICE if knob.choices else _KINDS[type(knob.default)]
