"""What Natron calls, by the PyPlug's functions of the same names.

Laws:
1. Making, loading, copying, connecting and changing a group contacts no server; its buttons do,
   renders do, and the artist's first change of a group that waited for a job when it was saved.
2. Natron calls from the main thread, but for renders.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial

from gvm_client.errors import GvmError
from gvm_nodes import actions, asking
from gvm_nodes.knobs import KNOBS, NOT_PART_OF_A_MATTE
from gvm_nodes.natron import group, knobs, shown, writes
from gvm_nodes.natron.api import App, Effect, Param, is_our_own
from gvm_nodes.natron.node import NatronNode
from gvm_nodes.natron.session import DESK, HOST, RENDERS, press
from gvm_nodes.natron.settling import follow, settle

LOOK_SECONDS = 10.0  # a slider that is drawn does not look at the plate's files each time

_WATCHED = {knob.name for knob in KNOBS}.difference(NOT_PART_OF_A_MATTE)

_looked: dict[str, float] = {}  # by the node's identity: when its plate's files were looked at


def create(app: App, made: Effect) -> None:
    """Build a group, or build it again for what comes back with a project or a copy.

    Raises:
        SettingsError: the studio's defaults cannot be used.
    """
    group.create(app, made)
    _settle_soon(app)


def node_created(node: Effect, app: App) -> None:
    """Have a group put in order that came with a project or a copy, once Natron is done with it."""
    if group.is_ours(node):
        _settle_soon(app)


def param_changed(param: Param, node: Effect, app: App, *, by_artist: bool) -> None:
    """Do what a button says; fill in a preset's numbers; show when the mattes are out of date."""
    name = str(param.getScriptName())
    if is_our_own() or not group.is_ours(node):
        return
    knob = name.removeprefix(knobs.PREFIX) if name.startswith(knobs.PREFIX) else ""
    if knob in actions.ACTIONS:
        if by_artist:
            press(knob, app, node)
        return
    HOST.remember(app)
    if knob == knobs.SET_UP.name:
        if by_artist:
            _set_up(app, node)
        return
    if knob == "preset":
        with suppress(GvmError):  # of an older version; said when the artist renders
            knobs.fill_window(node)
    if name == knobs.MISSING:
        with suppress(GvmError):  # a node inside is missing: said when the artist renders
            shown.missing(node)
    ours = HOST.node(app, node)
    if by_artist and ours.job and not (HOST.is_batch or DESK.is_running(ours.identity)):
        HOST.watch()
        actions.opened(DESK, ours)
    elif knob in _WATCHED:
        _show_freshness(ours)


def input_changed(index: int, node: Effect, app: App) -> None:
    """Show whether the mattes fit the plate that is connected now."""
    if index == 0 and not is_our_own() and group.is_ours(node):
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
        ours.say(writes.set_up(app, group))
    except GvmError as error:
        ours.say(str(error), failed=True)
        if HOST.is_batch:
            raise


def _settle_soon(app: App) -> None:
    number = HOST.remember(app)
    if not HOST.is_batch:  # there, when a button is pressed
        HOST.post(partial(_settle, number))
        HOST.watch()


def _settle(number: int) -> None:
    app = HOST.project(number)
    if app is not None:
        settle(DESK, HOST, app)


def _show_freshness(node: NatronNode) -> None:
    """Have the Read inside follow the plate, and say whether its mattes are those of today."""
    with suppress(GvmError):  # said when the artist renders: parameters are set one by one
        follow(node)
    RENDERS.catch_up()
    actions.changed(DESK, node, looks=_looks(node))
    if DESK.is_busy:
        HOST.watch()


def _looks(node: NatronNode) -> bool:
    try:
        asking.matte_pattern(node)
    except GvmError:  # a project that is being loaded has no folder yet: nothing to look for
        return False
    now = time.monotonic()
    if now - _looked.get(node.identity, -LOOK_SECONDS) < LOOK_SECONDS:
        return False
    _looked[node.identity] = now
    return True
