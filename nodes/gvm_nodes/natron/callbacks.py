"""What Natron calls, by the PyPlug's functions of the same names, which are an interface.

Making, loading, copying, connecting and changing a group contacts no server; its buttons do,
renders do, and the artist's first change of a group that waited for a job when it was saved. Natron
calls from the main thread, except for renders.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial

from gvm_client.errors import GvmError
from gvm_nodes.core import actions, node_request
from gvm_nodes.core.settings import KNOBS, NOT_PART_OF_A_MATTE
from gvm_nodes.natron import group, guide_inputs, matte_read, parameters, write_callbacks
from gvm_nodes.natron.node import NatronNode
from gvm_nodes.natron.program import App, Effect, Param, is_own_change
from gvm_nodes.natron.session import HOST, RENDERS, TRACKER, press, repair_groups

LOOK_SECONDS = 10.0  # a slider that is drawn does not look at the plate's files each time

_WATCHED = {knob.name for knob in KNOBS}.difference(NOT_PART_OF_A_MATTE) | {
    parameters.USE_BOX,
    *parameters.BOX_CORNERS,
}

_looked: dict[str, float] = {}  # by the node's identity: when its plate's files were looked at


def create(app: App, made: Effect) -> None:
    """Build a group, or build it again for what comes back with a project or a copy.

    Raises:
        SettingsError: the studio's defaults cannot be used.
    """
    group.create(app, made)
    _repair_soon(app)


def node_created(node: Effect, app: App) -> None:
    """Have a group put in order that came with a project or a copy, once Natron is done with it."""
    if group.is_ours(node):
        _repair_soon(app)


def param_changed(param: Param, node: Effect, app: App, *, by_artist: bool) -> None:
    """Do what a button says; fill in a preset's numbers; show when the mattes are out of date."""
    name = str(param.getScriptName())
    if is_own_change() or not group.is_ours(node):
        return
    knob = name.removeprefix(parameters.PREFIX) if name.startswith(parameters.PREFIX) else ""
    if knob in actions.ACTIONS:
        if by_artist:
            press(knob, app, node)
        return
    HOST.remember(app)
    if knob == parameters.SET_UP.name:
        if by_artist:
            _set_up(app, node)
        return
    ours = HOST.node(app, node)
    with suppress(GvmError):  # said when the artist renders
        _follow_change(ours, name, by_artist=by_artist)
    if by_artist and ours.job and not (HOST.is_batch or TRACKER.is_running(ours.identity)):
        HOST.watch()
        actions.panel_opened(TRACKER, ours)
    elif knob in _WATCHED:
        _show_freshness(ours)


def _follow_change(ours: NatronNode, name: str, *, by_artist: bool) -> None:
    """Set what goes with a parameter.

    Raises:
        GvmError: a preset is of an older version, or a node inside is missing.
    """
    if name == f"{parameters.PREFIX}preset":
        parameters.fill_window(ours.group)
    elif name == parameters.MISSING:
        matte_read.apply_missing(ours.group)
    elif by_artist and name == parameters.PREFIX + parameters.USE_BOX:
        ours.begin_region()


def input_changed(index: int, node: Effect, app: App) -> None:
    """Show whether the mattes fit the plate that is connected now; use the guides that are."""
    if is_own_change() or not group.is_ours(node):
        return
    if index in guide_inputs.INPUTS.values():
        guide_inputs.follow_inputs(node)
    if index == 0:
        HOST.remember(app)
        _show_freshness(HOST.node(app, node))


def before_render(app: App) -> None:
    """Begin a render; on a thread of Natron's."""
    HOST.remember(app)
    RENDERS.begin()


def before_frame(time: float, write: Effect, app: App) -> None:
    """Make the mattes of a frame that is rendered next; on a thread of Natron's.

    Raises:
        RuntimeError: one cannot be made, which ends the render.
    """
    HOST.remember(app)
    RENDERS.before_frame(round(time), write, app)


def after_render(*, aborted: bool) -> None:
    """End a render; on a thread of Natron's."""
    RENDERS.end(aborted=aborted)


def _set_up(app: App, group: Effect) -> None:
    ours = HOST.node(app, group)
    try:
        ours.say(write_callbacks.set_up_writes(app, group))
    except GvmError as error:
        ours.say(str(error), failed=True)
        if HOST.is_batch:
            raise


def _repair_soon(app: App) -> None:
    number = HOST.remember(app)
    if not HOST.is_batch:  # there, when a button is pressed
        HOST.post(partial(_repair, number))
        HOST.watch()


def _repair(number: int) -> None:
    app = HOST.project(number)
    if app is not None:
        repair_groups(app)


def _show_freshness(node: NatronNode) -> None:
    """Have the Read inside follow the plate, and say whether its mattes are those of today."""
    with suppress(GvmError):  # said when the artist renders: parameters are set one by one
        node.follow_plate()
    RENDERS.catch_up()
    actions.settings_changed(TRACKER, node, looks=_may_check_plate(node))
    if TRACKER.is_busy:
        HOST.watch()


def _may_check_plate(node: NatronNode) -> bool:
    try:
        node_request.matte_pattern(node)
    except GvmError:  # a project that is being loaded has no folder yet: nothing to look for
        return False
    now = time.monotonic()
    if now - _looked.get(node.identity, -LOOK_SECONDS) < LOOK_SECONDS:
        return False
    _looked[node.identity] = now
    return True
