"""The group's parameters in Natron: the shared table, the buttons, and what only this node has.

No parameter animates, and none renders anything anew: only the Read inside does. What a project or
a copy brought back keeps its value; a parameter that it lacks, because an older release saved it,
is added with its default.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import partial

from gvm_client.regions import HostRectangle
from gvm_client.settings import WINDOW_OPTIONS
from gvm_nodes.core.defaults import Defaults, preset_numbers
from gvm_nodes.core.settings import (
    BUTTONS,
    KNOBS,
    Button,
    Knob,
    MatteOptions,
    Page,
    SettingValue,
    as_options,
    find_knob,
    on_page,
)
from gvm_nodes.natron.program import Effect, Param, label_kind, param_value, quietly

PREFIX = "gvm_"  # a parameter must not be called like an attribute of Natron's nodes
IDENTITY, JOB, MADE, READ_STATE, COLOUR = "gvm_id", "gvm_job", "gvm_made", "gvm_shown", "gvm_colour"
STATUS, MISSING, SCHEMA = "gvm_status", "gvm_missing_mattes", "gvm_schema"
USE_BOX = "use_region_box"
BOX_CORNERS = ("region_lower_left", "region_upper_right")
SET_UP = Button(
    "set_up_writes",
    "Set Up Writes Below",
    "Have the Writes below make the mattes of the frames that they render, as In Renders says.",
)

SCHEMA_VERSION = 1
NO_BOX = HostRectangle(left=0.0, bottom=0.0, right=0.0, top=0.0)  # of a new group
NEW = "Not rendered yet."
MISSING_MATTES = ("error", "nearest", "black")  # as Natron's Read calls them
_NO_MATTE = MISSING_MATTES.index("black")
_BUTTONS_AFTER, _MISSING_AFTER, _SET_UP_AFTER, _BOX_AFTER = "handles", "depth", "policy", "roi"
_HIDDEN_TEXTS = (IDENTITY, JOB, MADE, READ_STATE, COLOUR)


def add_parameters(group: Effect, initial: Defaults, *, only_missing: bool = False) -> None:
    """Add the parameters, and set those that were not there; what is there keeps its value.

    Args:
        group: ours.
        initial: the values to set, and the settings to grey out.
        only_missing: else those that are there are made again, with their pages and flags.
    """
    missing = missing_names(group)
    for page in Page:
        page_param = group.createPageParam(f"{PREFIX}page_{page.name.lower()}", page.value)
        for name, create in _page(group, page):
            if name in missing or not only_missing:
                param = create()
                param.setEvaluateOnChange(False)
                page_param.addParam(param)
    _set_first_values(group, missing, initial)


def missing_names(group: Effect) -> frozenset[str]:
    """Return the names of the parameters that a group lacks: all of a new one."""
    names = (name for page in Page for name, _ in _page(group, page))
    return frozenset(name for name in names if group.getParam(name) is None)


def value(group: Effect, name: str) -> SettingValue:
    """Return what a parameter of the shared table holds; the default of one that is not there.

    A render without windows meets groups of older releases before they are completed.
    """
    param = group.getParam(PREFIX + name)
    held: SettingValue = find_knob(name).default if param is None else param_value(param)
    return held


def missing_mattes(group: Effect) -> str:
    """Return what the Read inside does about mattes that do not exist."""
    param = group.getParam(MISSING)
    return MISSING_MATTES[_NO_MATTE] if param is None else str(param_value(param))


def read_options(group: Effect) -> MatteOptions:
    """Return what the parameters say.

    Raises:
        SettingsError: one holds what it cannot.
    """
    return as_options({knob.name: value(group, knob.name) for knob in KNOBS})


def kept_text(group: Effect, name: str) -> str:
    """Return one of the texts that the tool keeps; "" for nothing."""
    param = group.getParam(name)
    return "" if param is None else str(param.get())


def keep_text(group: Effect, name: str, kept: str) -> None:
    """Set one of the texts that the tool keeps, if the group has been completed."""
    param = group.getParam(name)
    if param is not None:
        with quietly():
            param.set(kept)


def fill_window(group: Effect) -> None:
    """Set the window's parameters to the chosen preset's numbers, but what the studio locked.

    Raises:
        SettingsError: the preset is none of this version's.
    """
    params = {name: group.getParam(PREFIX + name) for name in WINDOW_OPTIONS}
    locked = [name for name, param in params.items() if param is None or not param.getIsEnabled()]
    with quietly():
        for name, number in preset_numbers(str(value(group, "preset")), locked).items():
            params[name].set(number)


def _page(group: Effect, page: Page) -> Iterator[tuple[str, Callable[[], Param]]]:
    """Yield a page's parameters in their order: each one's name, and what creates it."""
    if page is Page.RANGE:
        yield STATUS, partial(_status, group)
    for knob in on_page(page):
        yield PREFIX + knob.name, partial(_param, group, knob)
        yield from _following(group, knob.name)
    if page is Page.RANGE:
        for name in _HIDDEN_TEXTS:
            yield name, partial(_hidden, group.createStringParam, name)
        yield SCHEMA, partial(_hidden, group.createIntParam, SCHEMA)


def _following(group: Effect, name: str) -> Iterator[tuple[str, Callable[[], Param]]]:
    """Yield what stands below one of the shared table's parameters, as `_page`."""
    if name == _BUTTONS_AFTER:
        for button in BUTTONS:
            yield PREFIX + button.name, partial(_button, group, button)
    if name == _MISSING_AFTER:
        yield MISSING, partial(_choice, group, MISSING, "Missing Mattes", MISSING_MATTES)
    if name == _SET_UP_AFTER:
        yield PREFIX + SET_UP.name, partial(_button, group, SET_UP)
    if name == _BOX_AFTER:
        yield PREFIX + USE_BOX, partial(_use_box, group)
        for corner, label in zip(BOX_CORNERS, ("Lower Left", "Upper Right"), strict=True):
            yield PREFIX + corner, partial(_corner, group, PREFIX + corner, label)


def drawn_region(group: Effect) -> HostRectangle | None:
    """Return the box that stands for the region, in canonical coordinates; None where not used.

    A group of an older release has none, as long as it is not completed.
    """
    use = group.getParam(PREFIX + USE_BOX)
    corners = [group.getParam(PREFIX + name) for name in BOX_CORNERS]
    if use is None or None in corners or not use.get():
        return None
    low, high = (corner.get() for corner in corners)
    return HostRectangle(left=low.x, bottom=low.y, right=high.x, top=high.y)


def draw_region(group: Effect, box: HostRectangle) -> None:
    """Set the box that stands for the region."""
    low, high = (group.getParam(PREFIX + name) for name in BOX_CORNERS)
    with quietly():
        low.set(box.left, box.bottom)
        high.set(box.right, box.top)


def _use_box(group: Effect) -> Param:
    made = _not_animated(group.createBooleanParam(PREFIX + USE_BOX, "Use Box"))
    made.setHelp("Matte the box below, and not the region above.")
    return made


def _corner(group: Effect, name: str, label: str) -> Param:
    made = _not_animated(group.createDouble2DParam(name, f"Region {label}"))
    made.setUsePointInteract(True)  # a handle in the viewer
    made.setHelp("A corner of the region box, from the picture's bottom left; one box a shot.")
    return made


def _status(group: Effect) -> Param:
    status = group.createStringParam(STATUS, "Status")
    status.setType(label_kind())
    return _not_animated(status)


def _param(group: Effect, knob: Knob) -> Param:
    name = PREFIX + knob.name
    if knob.choices:
        made = _choice(group, name, knob.label, knob.choices)
    else:
        kinds = {
            bool: group.createBooleanParam,
            int: group.createIntParam,
            float: group.createDoubleParam,
            str: group.createStringParam,
        }
        made = _not_animated(kinds[type(knob.default)](name, knob.label))
    made.setHelp(knob.tooltip)
    return made


def _choice(group: Effect, name: str, label: str, options: Iterable[str]) -> Param:
    made = group.createChoiceParam(name, label)
    wanted = list(options)
    if list(made.getOptions()) != wanted:  # a menu that a project brought back stays as it is
        made.setOptions([(option, "") for option in wanted])
    return _not_animated(made)


def _button(group: Effect, button: Button) -> Param:
    made = group.createButtonParam(PREFIX + button.name, button.label)
    made.setHelp(button.tooltip)
    return made


def _hidden(create: Callable[[str, str], Param], name: str) -> Param:
    """Return what the tool fills in: saved with the project, and seen by nobody."""
    param = create(name, name)
    param.setVisible(False)
    return _not_animated(param)


def _not_animated(param: Param) -> Param:
    param.setAnimationEnabled(False)
    return param


def _set_first_values(group: Effect, names: Collection[str], initial: Defaults) -> None:
    for knob in KNOBS:
        if PREFIX + knob.name not in names:
            continue
        begin: object = getattr(initial.options, knob.name)
        if knob.choices:  # by index: Natron throws at a default that it does not find
            begin = knob.choices.index(str(begin))
        param = group.getParam(PREFIX + knob.name)
        _set_default(param, begin)
        param.setEnabled(knob.name not in initial.locked)
    if MISSING in names:
        _set_default(group.getParam(MISSING), _NO_MATTE)
    if STATUS in names:
        group.getParam(STATUS).set(NEW)
    if SCHEMA in names:
        group.getParam(SCHEMA).set(SCHEMA_VERSION)


def _set_default(param: Param, begin: object) -> None:
    param.setDefaultValue(begin)
    param.set(begin)
