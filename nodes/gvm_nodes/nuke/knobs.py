"""The node's knobs in Nuke: the shared table, the buttons, and what only Nuke's node has.

What the tool fills in itself is not undoable, and changes no matte. A node of an older script gets
the knobs that it lacks when it is created, with their defaults.

Hidden knobs keep a text for each view of a stereo script. A script with one view has none in any
path, name or knob: there the view is "". Scripts and toolsets call `fill_window`: its name is an
interface.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from html import escape, unescape
from typing import Any, cast

import nuke

from gvm_client.regions import HostRectangle
from gvm_client.settings import WINDOW_OPTIONS
from gvm_nodes.core.defaults import Defaults, preset_numbers
from gvm_nodes.core.panel_words import in_panel_words
from gvm_nodes.core.settings import (
    BUTTONS,
    KNOBS,
    Button,
    Knob,
    MatteOptions,
    Page,
    as_options,
    find_knob,
    on_page,
)
from gvm_nodes.nuke.program import quietly

SCHEMA_VERSION = 1
FOLDER = "gvm_folder"  # the script's, when the artist last rendered
HIDDEN = ("gvm_id", "gvm_made", "gvm_job", FOLDER, "gvm_schema")
MISSING_MATTES = ("error", "black", "checkerboard", "nearest frame")
VIEWS = "views"
USE_BOX, BOX = "use_region_box", "region_box"
_BUTTONS_AFTER, _MISSING_AFTER, _BOX_AFTER = "handles", "depth", "roi"

_set_by_us: list[bool] = []  # one for each call that sets knobs now

_BUTTON = """\
try:
    from gvm_nodes.nuke import session
except ImportError:
    (nuke.message if nuke.GUI else nuke.tprint)(
        'GVM is not installed in this Nuke; the mattes can be read. Run: gvm install nuke')
else:
    session.press({action!r}, nuke.thisNode())
"""

_RED, _END = '<font color="#e05050">', "</font>"  # the status line shows HTML

ONE_VIEW = ""
NO_BOX = HostRectangle(left=0.0, bottom=0.0, right=0.0, top=0.0)  # of a new node


def add_knobs(node: nuke.Node, initial: Defaults) -> None:
    """Add every knob to a new Group, with a studio's values; what it locked is greyed out."""
    add_missing_knobs(node)
    with _setting():
        for shared in KNOBS:
            node[shared.name].setValue(getattr(initial.options, shared.name))
    protect(node, initial.locked)


def add_missing_knobs(node: nuke.Node) -> None:
    """Add the knobs that a node lacks, with the program's defaults.

    Nuke adds a knob at the end: one that an older script lacks is on the last page.
    """
    with _setting():
        pages = (knob for page in (Page.MODEL, Page.MATTE, Page.FILES) for knob in _page(page))
        for knob in (*_range_page(), *pages, *_hidden_knobs()):
            if node.knob(knob.name()) is None:
                node.addKnob(knob)


def protect(node: nuke.Node, locked: Iterable[str]) -> None:
    """Hide what the tool fills in, and grey out what the studio locked.

    Again whenever a node is loaded or pasted: Nuke does not keep every flag with the script.
    """
    for name in HIDDEN:
        node[name].setFlag(nuke.INVISIBLE)
        node[name].setFlag(nuke.NO_UNDO)
    for name in locked:
        node[name].setEnabled(False)


def value(node: nuke.Node, name: str) -> Any:  # noqa: ANN401 - a knob holds what its class says
    """Return a knob's value; the default of one that is not there.

    Where the node cannot work (`program.edition_refusal`), missing knobs are not added.
    """
    knob = node.knob(name)
    return find_knob(name).default if knob is None else knob.value()


def read_knobs(node: nuke.Node) -> MatteOptions:
    """Return what the knobs say.

    Raises:
        SettingsError: one holds what it cannot.
    """
    # Nuke gives None for a text that is empty.
    held = {knob.name: value(node, knob.name) for knob in KNOBS}
    return as_options({name: "" if one is None else one for name, one in held.items()})


def drawn_region(node: nuke.Node) -> HostRectangle | None:
    """Return the box that stands for the region, in pixels; None where it is not used.

    A node of an older script has none, as long as it is not completed.
    """
    use, box = node.knob(USE_BOX), node.knob(BOX)
    if use is None or box is None or not use.value():
        return None
    drawn = cast("nuke.BBox_Knob", box)
    return HostRectangle(left=drawn.x(), bottom=drawn.y(), right=drawn.r(), top=drawn.t())


def draw_region(node: nuke.Node, box: HostRectangle) -> None:
    """Set the box that stands for the region."""
    with _setting():
        for index, edge in enumerate((box.left, box.bottom, box.right, box.top)):
            node[BOX].setValue(edge, index)


def fill_window(node: nuke.Node) -> None:
    """Set the window's knobs to the chosen preset's numbers, but what the studio locked.

    Raises:
        SettingsError: the preset is none of this version's.
    """
    locked = [name for name in WINDOW_OPTIONS if not node[name].enabled()]
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
    for knob in on_page(page):
        yield _knob(knob)
        if knob.name == _BOX_AFTER:
            yield from _box_knobs()


def _box_knobs() -> Iterator[nuke.Knob]:
    """Yield what draws the region in the viewer, as Nuke draws a box."""
    use = nuke.Boolean_Knob(USE_BOX, "Use Box")
    use.setTooltip("Matte the box below, and not the region above")
    yield use
    box = nuke.BBox_Knob(BOX, "Region Box")
    box.setTooltip("Drawn in the viewer, in the plate's pixels from the bottom left; one a shot")
    yield box


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
    made.setValue(knob.default)
    made.setTooltip(knob.tooltip)
    return made


def _hidden_knobs() -> list[nuke.Knob]:
    """Return the knobs that the tool fills in: saved with the script, and seen by nobody."""
    schema = nuke.Int_Knob("gvm_schema", "")
    schema.setValue(SCHEMA_VERSION)
    return [*(nuke.String_Knob(name, "", "") for name in HIDDEN if name != "gvm_schema"), schema]


def _button(button: Button) -> nuke.Knob:
    knob = nuke.PyScript_Knob(button.name, button.label, _BUTTON.format(action=button.name))
    knob.setTooltip(button.tooltip)
    return knob


def show_status(node: nuke.Node, says: str, *, failed: bool = False) -> None:
    """Show a sentence on the node, in its knobs' words; a failure is red."""
    text = escape(in_panel_words(says), quote=False)
    with quietly():
        node["status"].setValue(f"{_RED}{text}{_END}" if failed else text)


def shown_status(node: nuke.Node) -> str:
    """Return the sentence that a node shows."""
    text = str(node["status"].value() or "")
    return unescape(text.removeprefix(_RED).removesuffix(_END))


def script_views() -> tuple[str, ...]:
    """Return the script's views; one without a name where it has only one."""
    names = tuple(str(name) for name in nuke.views())
    return names if len(names) > 1 else (ONE_VIEW,)


def chosen_views(node: nuke.Node, knob: str) -> tuple[str, ...]:
    """Return those of the script's views that a knob of Nuke's kind names; none named means all."""
    named = re.split(r"[\s{}]+", str(node[knob].value()))  # as Nuke's scripts write a list
    views = script_views()
    return tuple(view for view in views if view in named) or views


def without_view(path: str) -> str:
    """Return a path that names no view, for what all views share."""
    return re.sub(r"[._ -]*%[Vv]", "", path)


def kept_text(node: nuke.Node, knob: str, view: str) -> str:
    """Return what a hidden knob keeps of a view, or "".

    What a script kept while it had one view is the first view's when it gets more.
    """
    table = _texts_by_view(node, knob)
    inherits = view == script_views()[0]
    return table.get(view) or (table.get(ONE_VIEW, "") if inherits else "")


def keep_text(node: nuke.Node, knob: str, view: str, text: str) -> None:
    """Have a hidden knob keep a text of a view; "" forgets it."""
    table = _texts_by_view(node, knob)
    if view == script_views()[0]:
        table.pop(ONE_VIEW, None)
    table[view] = text
    held = {name: one for name, one in table.items() if one}
    node[knob].setValue(json.dumps(held) if held else "")


def _texts_by_view(node: nuke.Node, knob: str) -> dict[str, str]:
    try:
        return {str(view): str(one) for view, one in json.loads(str(node[knob].value())).items()}
    except (ValueError, AttributeError):  # nothing is kept, or it is damaged: as good as nothing
        return {}
