"""What Nuke calls: registered once by `init.py` and `menu.py`; nothing here contacts a server."""

from __future__ import annotations

import nuke

from gvm_client.errors import GvmError
from gvm_nodes.nuke import asking, batch, desk, group, knobs, shown

_WATCHED = {*knobs.WINDOW, *knobs.LEVELS, "invert", "engine", "colourspace", "ocio_colourspace",
            "weights", "missing_frames", "preset", "version", "out",
            "inputChange", "showPanel"}  # fmt: skip


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
    """Give a copy of a node a name of its own: two nodes never share a job or an output."""
    node = nuke.thisNode()
    if not group.is_ours(node):
        return
    identity = group.node_id(node)
    if sum(group.node_id(other) == identity for other in group.ours()) > 1:
        group.set_id(node)
        node["gvm_job"].setValue("")


def on_script_load() -> None:
    """Say of a job that was under way when the script was saved how it is found again."""
    for node in group.ours():
        if node["gvm_job"].value() and not desk.is_running(group.node_id(node)):
            shown.status(
                node,
                "A render was under way when the script was saved: Render Range finds it again.",
            )


def knob_changed() -> None:
    """Fill in a preset's numbers; show when the mattes are out of date."""
    node, knob = nuke.thisNode(), nuke.thisKnob().name()
    if knob not in _WATCHED or not group.is_ours(node):
        return
    if knob == "preset":
        knobs.fill_window(node)
    if desk.is_running(group.node_id(node)):
        return
    try:
        wanted = asking.request(node, ())
    except GvmError:  # said when the artist renders: knobs are set one by one
        return
    # Files are looked at when the panel opens, and to take back what was said: no slider waits.
    said = node["status"].value() == shown.OUT_OF_DATE
    newer = (said or knob == "showPanel") and shown.is_plate_newer(node, wanted)
    if newer or shown.is_out_of_date(node, wanted):
        shown.status(node, shown.OUT_OF_DATE)
    elif said:
        shown.status(node, "The mattes fit the plate and the knobs.")
