"""The group's parameters in Natron: the shared table, the buttons, and what only this node has.

No parameter animates, and none renders anything anew: only the Read inside does. What a project or
a copy brought back keeps its value; a parameter that it lacks, because an older release saved it,
is added with its default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
    on_page,
)
from gvm_nodes.natron.program import Effect, Param, label_kind, param_value, quietly

PREFIX = "gvm_"  # a parameter must not be called like an attribute of Natron's nodes
IDENTITY, JOB, MADE, READ_STATE, COLOUR = "gvm_id", "gvm_job", "gvm_made", "gvm_shown", "gvm_colour"
STATUS, MISSING, SCHEMA = "gvm_status", "gvm_missing_mattes", "gvm_schema"
SET_UP = Button(
    "set_up_writes",
    "Set Up Writes Below",
    "Have the Writes below make the mattes of the frames that they render, as In Renders says.",
)

SCHEMA_VERSION = 1
NEW = "Not rendered yet."
MISSING_MATTES = ("error", "nearest", "black")  # as Natron's Read calls them
_NO_MATTE = MISSING_MATTES.index("black")
_BUTTONS_AFTER, _MISSING_AFTER, _SET_UP_AFTER = "handles", "depth", "policy"
_HIDDEN_TEXTS = (IDENTITY, JOB, MADE, READ_STATE, COLOUR)


def add_parameters(group: Effect, initial: Defaults | None) -> None:
    """Add every parameter that is not there yet.

    Args:
        group: ours.
        initial: the values of a new group; None for one whose values come back.
    """
    for page in Page:
        page_param = group.createPageParam(f"{PREFIX}page_{page.name.lower()}", page.value)
        for param in _page(group, page):
            param.setEvaluateOnChange(False)
            page_param.addParam(param)
    if initial is not None:
        _set_first_values(group, initial)


def value(group: Effect, name: str) -> SettingValue:
    """Return what a parameter of the shared table holds."""
    held: SettingValue = param_value(group.getParam(PREFIX + name))
    return held


def read_options(group: Effect) -> MatteOptions:
    """Return what the parameters say.

    Raises:
        SettingsError: one holds what it cannot.
    """
    return as_options({knob.name: value(group, knob.name) for knob in KNOBS})


def kept_text(group: Effect, name: str) -> str:
    """Return one of the texts that the tool keeps."""
    return str(group.getParam(name).get())


def keep_text(group: Effect, name: str, kept: str) -> None:
    """Set one of the texts that the tool keeps."""
    with quietly():
        group.getParam(name).set(kept)


def fill_window(group: Effect) -> None:
    """Set the window's parameters to the chosen preset's numbers, but what the studio locked.

    Raises:
        SettingsError: the preset is none of this version's.
    """
    locked = [name for name in WINDOW_OPTIONS if not group.getParam(PREFIX + name).getIsEnabled()]
    numbers = preset_numbers(str(value(group, "preset")), locked)
    with quietly():
        for name, number in numbers.items():
            group.getParam(PREFIX + name).set(number)


def _page(group: Effect, page: Page) -> Iterator[Param]:
    if page is Page.RANGE:
        yield _status(group)
    for knob in on_page(page):
        yield _param(group, knob)
        if knob.name == _BUTTONS_AFTER:
            yield from (_button(group, button) for button in BUTTONS)
        if knob.name == _MISSING_AFTER:
            yield _choice(group, MISSING, "Missing Mattes", MISSING_MATTES)
        if knob.name == _SET_UP_AFTER:
            yield _button(group, SET_UP)
    if page is Page.RANGE:
        yield from _hidden(group)


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


def _hidden(group: Effect) -> Iterator[Param]:
    """Yield what the tool fills in: saved with the project, and seen by nobody."""
    made = [group.createStringParam(name, name) for name in _HIDDEN_TEXTS]
    for param in (*made, group.createIntParam(SCHEMA, SCHEMA)):
        param.setVisible(False)
        yield _not_animated(param)


def _not_animated(param: Param) -> Param:
    param.setAnimationEnabled(False)
    return param


def _set_first_values(group: Effect, initial: Defaults) -> None:
    for knob in KNOBS:
        begin: object = getattr(initial.options, knob.name)
        if knob.choices:  # by index: Natron throws at a default that it does not find
            begin = knob.choices.index(str(begin))
        _set_default(group.getParam(PREFIX + knob.name), begin)
        group.getParam(PREFIX + knob.name).setEnabled(knob.name not in initial.locked)
    _set_default(group.getParam(MISSING), _NO_MATTE)
    group.getParam(STATUS).set(NEW)
    group.getParam(SCHEMA).set(SCHEMA_VERSION)


def _set_default(param: Param, begin: object) -> None:
    param.setDefaultValue(begin)
    param.set(begin)
