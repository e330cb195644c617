"""The settings as elements of a window, and what an artist chose last.

An element's name in its window is its setting's. A choice is set and read by its index in the list;
a number's element has both of its bounds, for without them it would end at 99.

What was chosen last is kept in the program as text: only what differs from the defaults, so that a
studio's new default reaches everybody who never chose another. A text that cannot be used is
ignored, and a locked setting is always the studio's. Whether Resolve's Fusion keeps texts is
documented nowhere; where it does not, the defaults are shown.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from gvm_client.declaration import settings_of
from gvm_client.guides import Guides
from gvm_client.limits import MAX_FRAMES_PER_WINDOW, MAX_REGION_SCALE, MAX_SIDE, MAX_STEPS
from gvm_client.settings import Finish
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_KNOBS
from gvm_nodes.core.defaults import Defaults, changed_options, checked_options, preset_numbers
from gvm_nodes.core.settings import Knob, MatteOptions, Page, SettingValue, as_options, find_knob

_COLUMNS = ((Page.RANGE, Page.MATTE), (Page.MODEL, Page.FILES))
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
        "roi_scale": (1.0, MAX_REGION_SCALE),
        **{
            one.name: one.bounds or (-_ANY_LEVEL, _ANY_LEVEL)
            for one in (*settings_of(Finish), *settings_of(Guides))
            if isinstance(one.default, float)
        },
    }
)

OPTIONS_KEY = "gvm.settings"


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


def form_columns(ui: Any, locked: Collection[str]) -> Any:  # noqa: ANN401 - UIManager has no types
    """Return the elements of every setting, by pages in two columns; locked ones are greyed out."""
    return ui.HGroup({"Spacing": 24}, [_column(ui, pages, locked) for pages in _COLUMNS])


class SettingsForm:
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

    def show(self, options: MatteOptions) -> None:
        """Set every element."""
        self._preset = options.preset  # first: setting it is an event like an artist's
        for knob in SCRIPT_KNOBS:
            self._set(knob, getattr(options, knob.name))

    def options(self) -> MatteOptions:
        """Return what the elements say.

        Raises:
            SettingsError: one says what its setting cannot be.
        """
        return as_options({knob.name: self._value(knob) for knob in SCRIPT_KNOBS})

    def follow_preset(self) -> None:
        """Fill in the numbers of a preset that has just been chosen."""
        chosen = self.options().preset
        if chosen == self._preset:
            return
        self._preset = chosen
        for name, number in preset_numbers(chosen, self._locked).items():
            self._set(find_knob(name), number)

    def _set(self, knob: Knob, value: SettingValue) -> None:
        shown = knob.choices.index(str(value)) if knob.choices else value
        setattr(self._elements[knob.name], _kind(knob).attribute, shown)

    def _value(self, knob: Knob) -> SettingValue:
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


class TextStore(Protocol):
    """What of a program keeps texts."""

    def GetData(self, name: str) -> object:  # noqa: N802 - Fusion's name
        """Return what is kept, or None."""

    def SetData(self, name: str, value: str) -> None:  # noqa: N802
        """Keep a text."""


def remember_options(store: TextStore, initial: Defaults, chosen: MatteOptions) -> None:
    """Keep what was chosen."""
    base, differing = initial.options, {}
    if chosen.preset != base.preset:
        differing = {"preset": chosen.preset}
        base = changed_options(base, differing, initial.locked)
    defaults = asdict(base)
    differing |= {name: it for name, it in asdict(chosen).items() if it != defaults[name]}
    if getattr(store, "SetData", None) is not None:
        store.SetData(OPTIONS_KEY, json.dumps(differing, sort_keys=True))


def last_options(store: TextStore, initial: Defaults) -> MatteOptions:
    """Return what was chosen last, as far as it still can be; else the defaults."""
    try:
        kept = json.loads(str(store.GetData(OPTIONS_KEY) or "{}"))
        free = {name: value for name, value in kept.items() if name not in initial.locked}
        return checked_options(changed_options(initial.options, free, initial.locked))
    except (ValueError, TypeError, AttributeError, OverflowError):  # a SettingsError is the first
        return initial.options
