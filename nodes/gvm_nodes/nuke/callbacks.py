"""What Nuke calls: registered once by `init.py` and `menu.py`.

Law: opening, changing and saving a script contacts no server; rendering one from the command line
does, as soon as it is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import nuke

from gvm_client.errors import GvmError, SettingsError
from gvm_nodes import actions, asking
from gvm_nodes.defaults import studio_defaults
from gvm_nodes.freshness import OUT_OF_DATE, UP_TO_DATE, is_out_of_date, is_plate_newer
from gvm_nodes.knobs import KNOBS
from gvm_nodes.nuke import batch, group, knobs, shown
from gvm_nodes.nuke.node import NukeNode, nodes_of
from gvm_nodes.nuke.session import DESK

_NOT_PART_OF_A_MATTE = ("range", "frames", "handles", "policy", "keep_going")
_WATCHED = {knob.name for knob in KNOBS}.difference(_NOT_PART_OF_A_MATTE) | {
    "inputChange",
    "showPanel",
}


def register() -> None:
    """Register what every session needs, with a GUI or without."""
    nuke.addOnCreate(on_create, nodeClass="Group")
    nuke.addOnScriptLoad(on_script_load)
    nuke.addKnobChanged(knob_changed, nodeClass="Group")
    nuke.addBeforeRender(batch.before_render, nodeClass="Write")
    nuke.addBeforeFrameRender(batch.before_frame, nodeClass="Write")


def register_menu() -> None:
    """Add the node to Nuke's toolbar."""
    menu = nuke.menu("Nodes").addMenu("GVM")
    menu.addCommand("GVM Matte", "from gvm_nodes.nuke import group; group.create()")


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
        knobs.fill_window(changed)
    nodes = nodes_of(changed)
    if any(DESK.is_running(node.identity) for node in nodes):
        return
    waiting = [node for node in nodes if node.job] if knob == "showPanel" else []
    for node in waiting:
        actions.opened(DESK, node)
    if not waiting:
        _show_freshness(changed, nodes, looks=knob == "showPanel")


def _show_freshness(changed: nuke.Node, nodes: list[NukeNode], *, looks: bool) -> None:
    """Say when a view's mattes are out of date, and take it back when none is any more.

    Files are looked at when the panel opens, and to take back what was said: no slider waits.
    """
    said = str(changed["status"].value()).endswith(OUT_OF_DATE)
    stale = [node for node in nodes if _is_stale(node, looks=looks or said)]
    if stale:
        stale[0].say(OUT_OF_DATE)
    elif said:
        nodes[0].say(UP_TO_DATE)


def _is_stale(node: NukeNode, *, looks: bool) -> bool:
    try:
        wanted, clip = asking.request(node, ()), node.clip()
    except GvmError:  # said when the artist renders: knobs are set one by one
        return False
    made = node.made
    if made and looks and clip.written and node.is_plate_changed(clip):
        return True
    return is_out_of_date(made, wanted) or (looks and is_plate_newer(made, wanted))


def _ours() -> Iterator[NukeNode]:
    for each in group.ours():
        yield from nodes_of(each)
