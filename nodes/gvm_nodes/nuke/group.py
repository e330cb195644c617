"""Builds the node: a Group of Nuke's own nodes, so that a colleague without GVM opens it too.

Input plate ──┬──────────────────── Copy (alpha) ── Output
              └─ Crop ─ Write plate   │
Read matte ───────────────────────────┘

The Crop gives written plates the format's size: a bounding box that moves would change the picture
that the model sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import nuke

from gvm_client.errors import InputError
from gvm_nodes.defaults import studio_defaults
from gvm_nodes.naming import new_identity
from gvm_nodes.nuke import edition
from gvm_nodes.nuke.knobs import add_knobs

MATTE, PLATE, CROP, COPY = "MatteRead", "PlateWrite", "PlateCrop", "MatteCopy"
AS_CHOSEN = "parent.missing_mattes"  # what the Read does where a matte is missing


def create() -> nuke.Group:
    """Make the node where Nuke's menu would: after the selected node.

    Raises:
        SettingsError: the studio's defaults cannot be used.
        InputError: this edition of Nuke can have no such node.
    """
    if refusal := edition.refusal():
        raise InputError(refusal)
    begins, selected = studio_defaults(), nuke.selectedNodes()[:1]
    node = cast(nuke.Group, nuke.createNode("Group", inpanel=False))
    node.setName("GVM_Matte1")
    with node:
        _fill()
    for plate in selected:  # an empty Group has no input yet that Nuke could connect
        node.setInput(0, plate)
    if (shows_inside := node.knob("disable_group_view")) is not None:  # Nuke 16 and later
        shows_inside.setValue(True)
    add_knobs(node, begins)
    set_id(node)
    return node


def set_id(node: nuke.Node) -> None:
    """Give a node a name of its own that survives renaming."""
    node["gvm_id"].setValue(new_identity())


def node_id(node: nuke.Node) -> str:
    """Return the name that `set_id` gave."""
    return str(node["gvm_id"].value())


def is_ours(node: nuke.Node) -> bool:
    """Whether a node is one of ours."""
    return node.Class() == "Group" and node.knob("gvm_id") is not None


def everywhere() -> list[nuke.Node]:
    """Return every node of the script, in Groups too.

    The root is named because a Group's callbacks look into that Group alone; and no class, because
    with one some versions of Nuke do not look into Groups.
    """
    return list(nuke.allNodes(group=nuke.root(), recurseGroups=True))


def ours() -> Iterator[nuke.Group]:
    """Yield every node of ours in the script, in Groups too."""
    for node in everywhere():
        if is_ours(node):
            yield cast(nuke.Group, node)


def find(identity: str) -> nuke.Group | None:
    """Return the node of a name, or None where it was deleted or its script was closed."""
    return next((node for node in ours() if node_id(node) == identity), None)


def part(node: nuke.Group, name: str) -> nuke.Node:
    """Return a node inside.

    Raises:
        InputError: an artist deleted it.
    """
    inside = node.node(name)
    if inside is None:
        raise InputError(
            f"The node {name} inside {node.fullName()} was deleted.",
            remedy="Make a new GVM node; its mattes are found again with the same output.",
        )
    return inside


def read_in_place(read: nuke.Node) -> None:
    """Have a Read take no local copies, which Nuke does not make anew with the files."""
    policy = read.knob("localizationPolicy")
    if policy is not None and policy.value() != "off":
        policy.setValue("off")


def _fill() -> None:
    plate = nuke.createNode("Input", inpanel=False)
    plate.setName("plate")
    crop = nuke.createNode("Crop", inpanel=False)
    crop.setName(CROP)
    crop.setInput(0, plate)
    for corner, expression in enumerate(("0", "0", "input.width", "input.height")):
        crop["box"].setExpression(expression, corner)
    write = nuke.createNode("Write", inpanel=False)
    write.setName(PLATE)
    write.setInput(0, crop)
    # Its settings are made safe again before each use; disabled, no farm renders it by itself.
    write["disable"].setValue(True)
    read = nuke.createNode("Read", inpanel=False)
    read.setName(MATTE)
    read.setInput(0, None)
    read["raw"].setValue(True)
    read_in_place(read)
    read["on_error"].setExpression(AS_CHOSEN)
    copy = nuke.createNode("Copy", inpanel=False)
    copy.setName(COPY)
    copy["disable"].setValue(True)  # until there is a matte: a Read without a file may be an error
    copy.setInput(0, plate)
    copy.setInput(1, read)
    copy["from0"].setValue("rgba.alpha")
    copy["to0"].setValue("rgba.alpha")
    output = nuke.createNode("Output", inpanel=False)
    output.setInput(0, copy)
