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
from gvm_nodes import actions
from gvm_nodes.defaults import studio_defaults
from gvm_nodes.freshness import OUT_OF_DATE
from gvm_nodes.knobs import KNOBS, NOT_PART_OF_A_MATTE
from gvm_nodes.nuke import batch, edition, group, knobs, shown, strict
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
    """Give a copy of a node a name of its own: two nodes never share a job or an output.

    A clone is no copy: it shares its knobs with the node that it is a clone of.
    """
    node = nuke.thisNode()
    if not group.is_ours(node):
        return
    with shown.unrecorded():
        with suppress(SettingsError):  # said when a node is made
            knobs.protect(node, studio_defaults().locked)
        identity = group.node_id(node)
        twins = sum(group.node_id(other) == identity for other in group.ours())
        if twins > 1 and not node.clones():
            group.set_id(node)
            node["gvm_job"].setValue("")


def on_script_load() -> None:
    """Begin what the command line renders; say of a job that was under way where it is seen."""
    strict.end_all()
    for each in group.ours():
        strict.as_chosen(each)  # it may have been saved within a render
    batch.before_writes()
    for node in _ours():
        if node.job and not DESK.is_running(node.identity):
            node.say("A render was under way when the script was saved; open this panel to see it.")


def knob_changed() -> None:
    """Fill in a preset's numbers; show when the mattes are out of date; find a saved job again."""
    knob, changed = nuke.thisKnob().name(), nuke.thisNode()
    if knob not in _WATCHED or not group.is_ours(changed):
        return
    if knob == "preset":
        with suppress(SettingsError):  # of an older version; said when the artist renders
            knobs.fill_window(changed)
    opens = knob == "showPanel"
    for node in nodes_of(changed):
        if opens and node.job:
            actions.opened(DESK, node)
        elif opens and node.is_tree_changed() and not DESK.is_running(node.identity):
            node.say(OUT_OF_DATE)
        else:
            actions.changed(DESK, node, looks=opens)


def _ours() -> Iterator[NukeNode]:
    for each in group.ours():
        yield from nodes_of(each)
