"""The node's knobs in Nuke: the shared table, the buttons, and what only Nuke's node has.

Law: what the tool fills in itself is neither undone, nor part of what a matte depends on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import nuke

from gvm_nodes.defaults import Defaults
from gvm_nodes.knobs import (
    BUTTONS,
    KNOBS,
    WINDOW,
    Button,
    Knob,
    Page,
    Wishes,
    as_wishes,
    on_page,
    preset_numbers,
)

SCHEMA_VERSION = 1
FOLDER = "gvm_folder"  # the script's, when the artist last rendered
OWN = ("gvm_id", "gvm_made", "gvm_job", FOLDER, "gvm_schema")
MISSING_MATTES = ("error", "black", "checkerboard", "nearest frame")
VIEWS = "views"
_BUTTONS_AFTER, _MISSING_AFTER = "handles", "depth"

_set_by_us: list[bool] = []  # one for each call under way

_BUTTON = """\
try:
    from gvm_nodes.nuke import session
except ImportError:
    (nuke.message if nuke.GUI else nuke.tprint)(
        'GVM is not installed in this Nuke; the mattes can be read. Run: gvm install nuke')
else:
    session.press({action!r}, nuke.thisNode())
"""


def add_knobs(node: nuke.Node, begins: Defaults) -> None:
    """Add every knob to a new Group, with a studio's values; what it locked is greyed out."""
    for knob in (*_range_page(), *_page(Page.MODEL), *_page(Page.MATTE), *_own_knobs()):
        node.addKnob(knob)
    with _setting():
        for shared in KNOBS:
            node[shared.name].setValue(getattr(begins.wishes, shared.name))
    protect(node, begins.locked)


def protect(node: nuke.Node, locked: Iterable[str]) -> None:
    """Hide what the tool fills in, and grey out what the studio locked.

    Again whenever a node is loaded or pasted: Nuke does not keep every flag with the script.
    """
    for knob in filter(None, map(node.knob, OWN)):  # a node of before may lack one
        knob.setFlag(nuke.INVISIBLE)
        knob.setFlag(nuke.NO_UNDO)
    for knob in filter(None, map(node.knob, locked)):
        knob.setEnabled(False)


def value(node: nuke.Node, name: str) -> Any:  # noqa: ANN401 - a knob holds what its class says
    """Return a knob's value."""
    return node[name].value()


def read_knobs(node: nuke.Node) -> Wishes:
    """Return what the knobs say.

    Raises:
        SettingsError: one holds what it cannot.
    """
    # Nuke gives None for a text that is empty.
    held = {knob.name: value(node, knob.name) for knob in KNOBS}
    return as_wishes({name: "" if one is None else one for name, one in held.items()})


def fill_window(node: nuke.Node) -> None:
    """Set the window's knobs to the chosen preset's numbers, but what the studio locked.

    Raises:
        SettingsError: the preset is none of this version's.
    """
    locked = [name for name in WINDOW if not node[name].enabled()]
    with _setting():
        for name, number in preset_numbers(str(value(node, "preset")), locked).items():
            node[name].setValue(number)


def are_being_set() -> bool:
    """Whether it is this module that sets knobs, of which Nuke tells our own callback too."""
    return bool(_set_by_us)


@contextmanager
def _setting() -> Iterator[None]:
    _set_by_us.append(True)
    try:
        yield
    finally:
        _set_by_us.pop()


def _range_page() -> Iterator[nuke.Knob]:
    yield nuke.Tab_Knob("gvm", Page.RANGE.value)
    yield nuke.Text_Knob("status", "Status", "Not rendered yet.")
    for knob in on_page(Page.RANGE):
        yield _knob(knob)
        if knob.name == _BUTTONS_AFTER:
            yield from map(_button, BUTTONS)
        if knob.name == _MISSING_AFTER:
            missing = nuke.Enumeration_Knob(
                "missing_mattes", "Missing Mattes", list(MISSING_MATTES)
            )
            missing.setValue("black")
            yield missing
            yield nuke.MultiView_Knob(VIEWS, "Views")


def _page(page: Page) -> Iterator[nuke.Knob]:
    yield nuke.Tab_Knob(f"gvm_{page.name.lower()}", page.value)
    yield from map(_knob, on_page(page))


def _knob(knob: Knob) -> nuke.Knob:
    made: nuke.Knob
    if knob.choices:
        made = nuke.Enumeration_Knob(knob.name, knob.label, list(knob.choices))
    else:
        # Texts are no File_Knob or EvalString_Knob: Nuke would read the tokens' braces as TCL.
        kinds = {
            bool: nuke.Boolean_Knob,
            int: nuke.Int_Knob,
            float: nuke.Double_Knob,
            str: nuke.String_Knob,
        }
        made = kinds[type(knob.default)](knob.name, knob.label)
    made.setTooltip(knob.tooltip)
    return made


def _own_knobs() -> list[nuke.Knob]:
    """Return the knobs that the tool fills in: saved with the script, and seen by nobody."""
    schema = nuke.Int_Knob("gvm_schema", "")
    schema.setValue(SCHEMA_VERSION)
    return [*(nuke.String_Knob(name, "", "") for name in OWN if name != "gvm_schema"), schema]


def _button(button: Button) -> nuke.Knob:
    knob = nuke.PyScript_Knob(button.name, button.label, _BUTTON.format(action=button.name))
    knob.setTooltip(button.tooltip)
    return knob
