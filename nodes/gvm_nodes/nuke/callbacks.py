"""What Nuke calls: registered once by `init.py` and `menu.py`, which name this module.

Opening, changing and saving a script contacts no server; rendering one from the command line does,
as soon as it is loaded.

A callback of Nuke's only notes which node has changed; the node is looked at when Nuke is idle.
While a script is loaded or nodes are pasted, asking a node for its range or metadata has cut its
connections in some versions of Nuke.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import nuke

from gvm_client.errors import SettingsError
from gvm_nodes.core import actions
from gvm_nodes.core.defaults import saved_node_defaults
from gvm_nodes.core.saved_state import OUT_OF_DATE
from gvm_nodes.core.settings import KNOBS, NOT_PART_OF_A_MATTE
from gvm_nodes.nuke import group, knobs, matte_read, program, write_renders
from gvm_nodes.nuke.node import NukeNode, nodes_of
from gvm_nodes.nuke.program import call_when_idle
from gvm_nodes.nuke.session import TRACKER

_WATCHED = {knob.name for knob in KNOBS}.difference(NOT_PART_OF_A_MATTE) | {
    knobs.USE_BOX,
    knobs.BOX,
    "inputChange",
    "showPanel",
}

_noticed: dict[str, nuke.Node] = {}  # by their full names
_opened: set[str] = set()  # of those, whose panel the artist opened


def register() -> None:
    """Register what every session needs, with a GUI or without."""
    if program.edition_refusal():
        nuke.addOnCreate(on_create_without_mattes, nodeClass="Group")
        return
    nuke.addOnCreate(on_create, nodeClass="Group")
    nuke.addOnScriptLoad(on_script_load)
    nuke.addKnobChanged(knob_changed, nodeClass="Group")
    nuke.addBeforeRender(write_renders.before_render, nodeClass="Write")
    nuke.addBeforeFrameRender(write_renders.before_frame, nodeClass="Write")
    nuke.addAfterRender(write_renders.after_render, nodeClass="Write")


def register_menu() -> None:
    """Add the node to Nuke's toolbar, where it has one."""
    if not program.has_toolbar():
        return
    menu = nuke.menu("Nodes").addMenu("GVM")
    menu.addCommand("GVM Matte", "from gvm_nodes.nuke import group; group.create()")


def on_create_without_mattes() -> None:
    """In an edition that can make no mattes, have a render without a GUI fail where one is missing.

    Looks at the created node alone.
    """
    if nuke.GUI:
        return
    with suppress(RuntimeError, ValueError):  # beyond the tenth
        node = nuke.thisNode()
        if group.is_ours(node) and write_renders.makes(node):
            matte_read.fail_where_missing(cast(nuke.Group, node))


def on_create() -> None:
    """Add the knobs that an older script's node lacks, protect them, and tell copies apart."""
    node = nuke.thisNode()
    if not group.is_ours(node):
        return
    with program.without_undo():
        knobs.add_missing_knobs(node)
        knobs.protect(node, saved_node_defaults().locked)
    group.note_created(node)


def on_script_load() -> None:
    """Begin what the command line renders; say of a job that was under way where it is seen."""
    group.tell_copies_apart()
    matte_read.end_renders()
    for each in group.ours():
        matte_read.as_artist_chose(each)  # it may have been saved within a render
    write_renders.before_writes()
    for node in _all_nodes():
        if node.job and not TRACKER.is_running(node.identity):
            node.say("A render was under way when the script was saved; open this panel to see it.")


def knob_changed() -> None:
    """Fill in a preset's numbers, and note that a node is to be looked at.

    Nuke may call this for every change, also by a script that it loads, and within itself; or for
    those in an open panel alone. A preset is the artist's choice where the panel is open.
    """
    if not nuke.GUI or knobs.are_being_set():
        return
    knob, node = nuke.thisKnob(), nuke.thisNode()
    name = str(knob.name()) if knob is not None else ""
    if name not in _WATCHED or not group.is_ours(node):
        return
    if name == "preset" and node.shown():
        with suppress(SettingsError):  # of an older version; said when the artist renders
            knobs.fill_window(node)
    _look_later(node, opens=name == "showPanel")


def _all_nodes() -> Iterator[NukeNode]:
    for each in group.ours():
        yield from nodes_of(each)


def _look_later(node: nuke.Node, *, opens: bool) -> None:
    """Have a node looked at later; in a Nuke with a GUI.

    Args:
        node: one of ours.
        opens: whether its panel was opened: then its plate and its saved job are looked at too.
    """
    name = node.fullName()
    _noticed[name] = node
    if opens:
        _opened.add(name)
    call_when_idle(_look_at_noticed)


def _look_at_noticed() -> None:
    """Show at each node that was noticed how it stands."""
    noticed, opened = dict(_noticed), set(_opened)
    _noticed.clear()
    _opened.clear()
    matte_read.end_renders()
    for name, noticed_group in noticed.items():
        opens = name in opened
        with suppress(ValueError):  # deleted since, or its script was closed
            # Of no height are nodes that are not drawn yet: still being made, or out of sight.
            if opens or noticed_group.screenHeight():
                for node in nodes_of(noticed_group):
                    node.begin_region()
                    _show_state(node, opens=opens)


def _show_state(node: NukeNode, *, opens: bool) -> None:
    if opens and node.job:
        actions.panel_opened(TRACKER, node)
    elif opens and node.is_tree_changed() and not TRACKER.is_running(node.identity):
        node.say(OUT_OF_DATE)
    else:
        actions.settings_changed(TRACKER, node, looks=opens)
