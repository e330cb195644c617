"""Blackmagic's UIManager without a screen: windows, elements with attributes, queued events.

Like the real one: a number's element ends at 99 unless it is told otherwise, and keeps its value
within its ends and its decimals; setting a choice in code is an event like an artist's; an event
that nobody handles raises from `StepLoop`; sizes go by `Weight`, and there is no least size; an
attribute that does not exist reads as None; what is disabled cannot be pressed. Every thread but
the main one is refused, and so is a `StepLoop` within a handler.

An `artist` is what a test does at the window: a generator, which goes on by one `yield` for each
step of the event loop.
"""

# ruff: noqa: N802, FBT001 - names and arguments are the program's

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any

from tests.fakes.main_thread import MainThreadOnly, only_main

MAX_SECONDS = 30.0  # for a test to close its window

_COMMON = {"ID": "", "Enabled": True, "Hidden": False, "ToolTip": "", "Weight": 1.0,
           "Events": {}}  # fmt: skip
_ATTRIBUTES: dict[str, dict[str, Any]] = {
    "Window": {"WindowTitle": "", "Geometry": []},
    "VGroup": {"Spacing": 0},
    "HGroup": {"Spacing": 0},
    "VGap": {},
    "Label": {"Text": "", "WordWrap": False},
    "Button": {"Text": ""},
    "LineEdit": {"Text": "", "PlaceholderText": ""},
    "CheckBox": {"Text": "", "Checked": False},
    "ComboBox": {"CurrentIndex": -1, "CurrentText": ""},
    "SpinBox": {"Minimum": 0, "Maximum": 99, "Value": 0, "SingleStep": 1},
    "DoubleSpinBox": {"Minimum": 0.0, "Maximum": 99.99, "Value": 0.0, "SingleStep": 1.0,
                      "Decimals": 2},
}  # fmt: skip
_BY_DEFAULT = {"Clicked", "Close"}  # events that need no word in `Events`

Artist = Callable[["Window"], Generator[None, None, None]]


class Element:
    """A widget, or a group of them."""

    def __init__(self, screen: Screen, kind: str, *given: Any) -> None:
        attributes: dict[str, Any] = {}
        children: list[Element] = []
        for one in given:
            if isinstance(one, dict):
                attributes |= one
            else:
                children += one if isinstance(one, list) else [one]
        children = [child for child in children if isinstance(child, Element)]
        known = _COMMON | _ATTRIBUTES[kind]
        assert attributes.keys() <= known.keys(), f"{kind} has no {attributes.keys() - known}"
        # Ends before values, as the real one must be told.
        own = {"screen": screen, "kind": kind, "children": children, "choices": []}
        vars(self).update(own | {"values": known | attributes})

    def __getattr__(self, name: str) -> Any:
        only_main(f"{self.kind}.{name}")
        return self.values.get(name)  # None where there is no such thing

    def __setattr__(self, name: str, value: Any) -> None:
        only_main(f"{self.kind}.{name}")
        assert name in self.values, f"{self.kind} has no {name}"
        before = self.values[name]
        self.values[name] = self._fitting(name, value)
        if self.kind == "ComboBox" and name == "CurrentIndex" and self.values[name] != before:
            self.values["CurrentText"] = self.choices[self.values[name]]
            self.screen.happens(self, "CurrentIndexChanged")

    def AddItem(self, text: str) -> None:
        only_main("AddItem")
        self.choices.append(text)
        if len(self.choices) == 1:  # the first one is chosen
            self.CurrentIndex = 0

    def every(self) -> dict[str, Element]:
        """Return the elements with a name, this one and those inside."""
        found = {self.ID: self} if self.ID else {}
        for child in self.children:
            found |= child.every()
        return found

    def _fitting(self, name: str, value: Any) -> Any:
        if self.kind in ("SpinBox", "DoubleSpinBox") and name == "Value":
            value = min(max(float(value), self.values["Minimum"]), self.values["Maximum"])
            return round(value, self.values.get("Decimals", 0))
        if name == "CurrentIndex":
            assert 0 <= value < len(self.choices)
        return value


class Window(Element):
    """A window, and what a test does with it."""

    def __init__(self, screen: Screen, *given: Any) -> None:
        super().__init__(screen, "Window", *given)
        vars(self)["On"] = Handlers()
        vars(self)["is_shown"] = False

    def GetItems(self) -> dict[str, Element]:
        only_main("GetItems")
        return self.every()

    def Show(self) -> None:
        only_main("Show")
        vars(self)["is_shown"] = True

    def Hide(self) -> None:
        only_main("Hide")
        vars(self)["is_shown"] = False

    # ---- an artist's hands -----------------------------------------------------------------

    def press(self, name: str) -> None:
        """Press a button, if it can be."""
        element = self.every()[name]
        if element.Enabled:
            self.screen.happens(element, "Clicked")

    def close(self) -> None:
        """Press the window's own cross."""
        self.screen.happens(self, "Close")

    def choose(self, name: str, choice: str) -> None:
        """Choose from a list."""
        element = self.every()[name]
        element.CurrentIndex = element.choices.index(choice)

    def value(self, name: str) -> Any:
        """Return what an element shows."""
        element = self.every()[name]
        kinds = {"ComboBox": "CurrentText", "CheckBox": "Checked", "LineEdit": "Text"}
        return getattr(element, kinds.get(element.kind, "Value"))

    @property
    def status(self) -> str:
        """The sentence that the artist reads."""
        return self.every()["status"].Text

    def is_enabled(self, name: str) -> bool:
        """Whether an element can be used."""
        return self.every()[name].Enabled


class Handlers:
    """`On`: by the name of an element, then of an event; either as attribute or as item."""

    def __init__(self) -> None:
        self.known: dict[str, Handlers] = {}

    def __getattr__(self, name: str) -> Any:
        return self.known.setdefault(name, Handlers())

    __getitem__ = __getattr__


class Screen(MainThreadOnly):
    """The program's windows and their events; it is `ui` and `bmd` at once.

    Attributes:
        artist: what a test does.
        windows: those that were made, in order.
        shows: whether windows can be had.
    """

    def __init__(self, artist: Artist, *, shows: bool = True) -> None:
        self.artist = artist
        self.shows = shows
        self.windows: list[Window] = []
        self.events: list[tuple[Element, str]] = []
        self.is_stepping = False
        self.hands: Generator[None, None, None] | None = None
        self.began = time.monotonic()

    def __getattr__(self, kind: str) -> Any:
        if kind not in _ATTRIBUTES:
            return None
        return lambda *given: Element(self, kind, *given)

    # ---- ui --------------------------------------------------------------------------------

    def FindWindow(self, identity: str) -> Window | None:
        return next((one for one in self.windows if one.is_shown and identity == one.ID), None)

    # ---- bmd and its dispatcher ------------------------------------------------------------

    def UIDispatcher(self, ui: Screen) -> Screen:
        assert ui is self
        return self

    def AddWindow(self, *given: Any) -> Window | None:
        if not self.shows:
            return None
        self.windows.append(Window(self, *given))
        return self.windows[-1]

    def StepLoop(self, waits: bool) -> None:
        assert not waits  # nobody would run the script's loop
        assert not self.is_stepping, "a handler steps the event loop"
        assert time.monotonic() - self.began < MAX_SECONDS, self.windows[-1].status
        if self.hands is None:
            self.hands = self.artist(self.windows[-1])
        next(self.hands, None)
        self.is_stepping = True
        try:
            while self.events:
                self._deliver(*self.events.pop(0))
        finally:
            self.is_stepping = False

    def happens(self, element: Element, event: str) -> None:
        """Queue an event, where it is switched on."""
        if event in _BY_DEFAULT or element.values["Events"].get(event):
            self.events.append((element, event))

    def _deliver(self, element: Element, event: str) -> None:
        handler = vars(self.windows[-1].On[element.ID]).get(event)
        if handler is None:
            raise KeyError("On")  # as the real one
        handler({"who": element.ID, "what": event})
