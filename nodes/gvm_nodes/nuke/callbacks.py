"""What Nuke calls: registered once by `init.py` and `menu.py`.

Law: opening, changing and saving a script contacts no server; rendering one from the command line
does, as soon as it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import nuke

from gvm_client.errors import SettingsError
from gvm_nodes.defaults import studio_defaults
from gvm_nodes.knobs import KNOBS, NOT_PART_OF_A_MATTE
from gvm_nodes.nuke import batch, copies, edition, group, knobs, notices, shown, strict
from gvm_nodes.nuke.node import NukeNode, nodes_of
from gvm_nodes.nuke.session import DESK

_WATCHED = {knob.name for knob in KNOBS}.difference(NOT_PART_OF_A_MATTE) | {
    "inputChange",
    "showPanel",
}


def register() -> None:
    """Register what every session needs, with a GUI or without."""
    if edition.refusal():
        nuke.addOnCreate(on_create_in_vain, nodeClass="Group")
        return
    nuke.addOnCreate(on_create, nodeClass="Group")
    nuke.addOnScriptLoad(on_script_load)
    nuke.addKnobChanged(knob_changed, nodeClass="Group")
    nuke.addBeforeRender(batch.before_render, nodeClass="Write")
    nuke.addBeforeFrameRender(batch.before_frame, nodeClass="Write")
    nuke.addAfterRender(batch.after_render, nodeClass="Write")


def register_menu() -> None:
    """Add the node to Nuke's toolbar, where it has one."""
    if not edition.has_toolbar():
        return
    menu = nuke.menu("Nodes").addMenu("GVM")
    menu.addCommand("GVM Matte", "from gvm_nodes.nuke import group; group.create()")


def on_create_in_vain() -> None:
    """In an edition that can make no mattes, have a render without a GUI fail where one is missing.

    Looks at the created node alone.
    """
    if nuke.GUI:
        return
    with suppress(RuntimeError, ValueError):  # beyond the tenth
        node = nuke.thisNode()
        if group.is_ours(node) and batch.makes(node):
            strict.fail_where_missing(cast(nuke.Group, node))


def on_create() -> None:
    """Protect a node's knobs, and give a copy a name of its own."""
    node = nuke.thisNode()
    if not group.is_ours(node):
        return
    with shown.unrecorded(), suppress(SettingsError):  # said when a node is made
        knobs.protect(node, studio_defaults().locked)
    copies.created(node)


def on_script_load() -> None:
    """Begin what the command line renders; say of a job that was under way where it is seen."""
    copies.all_created()
    strict.end_all()
    for each in group.ours():
        strict.as_chosen(each)  # it may have been saved within a render
    batch.before_writes()
    for node in _ours():
        if node.job and not DESK.is_running(node.identity):
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
    notices.notice(node, opens=name == "showPanel")


def _ours() -> Iterator[NukeNode]:
    for each in group.ours():
        yield from nodes_of(each)
