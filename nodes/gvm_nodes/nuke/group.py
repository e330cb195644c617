"""Our Groups in a script: building one, finding them, copies, and who feeds whom.

    Input plate ──┬──────────────────── Copy (alpha) ── guides ── Output
                  └─ Crop ─ Write plate   │               │
    Read matte ───────────────────────────┘               │
    Inputs garbage, holdout (`guide_inputs`) ─────────────┘

The Group is made of Nuke's own nodes, so that a colleague without GVM opens it too. The Crop gives
written plates the format's size: a bounding box that moves would change the picture that the model
sees.

A copy gets an identity of its own: two nodes never share a job or an output. While a script loads,
its nodes come one by one and the root last, so a created node is looked at as soon as that can be
done, and once more when all of them are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import nuke

from gvm_client.errors import InputError
from gvm_nodes.core.defaults import studio_defaults
from gvm_nodes.core.saved_state import new_identity
from gvm_nodes.nuke import program
from gvm_nodes.nuke.guide_inputs import COPY, lay_guides
from gvm_nodes.nuke.knobs import add_knobs
from gvm_nodes.nuke.program import call_when_idle, quietly, without_undo

MATTE, PLATE, CROP = "MatteRead", "PlateWrite", "PlateCrop"
AS_CHOSEN = "parent.missing_mattes"  # what the Read does where a matte is missing

_created: list[nuke.Node] = []  # whose names may be another node's


def create() -> nuke.Group:
    """Make the node where Nuke's menu would: after the selected node.

    Raises:
        SettingsError: the studio's defaults cannot be used.
        InputError: this edition of Nuke can have no such node.
    """
    if refusal := program.edition_refusal():
        raise InputError(refusal)
    initial, selected = studio_defaults(), nuke.selectedNodes()[:1]
    node = cast(nuke.Group, nuke.createNode("Group", inpanel=False))
    node.setName("GVM_Matte1")
    with node:
        _fill()
    lay_guides(node)
    for plate in selected:  # an empty Group has no input yet that Nuke could connect
        node.setInput(0, plate)
    if (shows_inside := node.knob("disable_group_view")) is not None:  # Nuke 16 and later
        shows_inside.setValue(True)
    add_knobs(node, initial)
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


def note_created(node: nuke.Node) -> None:
    """Look at a node that was made, pasted or loaded."""
    _created.append(node)
    with suppress(ValueError):  # the root is not there yet: a script is being loaded
        _give_own_names()
    if nuke.GUI:
        call_when_idle(tell_copies_apart)
        call_when_idle(complete_inside)


def tell_copies_apart() -> None:
    """Look at every new node; the script is there.

    A clone is no copy: it shares its knobs with the node that it is a clone of.
    """
    _give_own_names()
    _created.clear()


def complete_inside() -> None:
    """Give every node the inputs that it lacks, because an older release saved it.

    Only while Nuke is idle: a node inside a Group that is being loaded may lose its connections.
    """
    with quietly():
        for node in ours():
            lay_guides(node)


def _give_own_names() -> None:
    new = dict(_still_there())
    if not new:
        return
    taken = {node_id(node) for node in ours() if node.fullName() not in new}
    with without_undo():
        for node in new.values():
            if node_id(node) in taken and not node.clones():
                set_id(node)
                node["gvm_job"].setValue("")
            taken.add(node_id(node))


def _still_there() -> Iterator[tuple[str, nuke.Node]]:
    for node in _created:
        with suppress(ValueError):  # deleted since, or its script was closed
            yield node.fullName(), node


def script_writes() -> Iterator[nuke.Node]:
    """Yield the script's Writes, in Groups too; the one inside our own node is none of them."""
    for node in everywhere():
        outside = _outer_group(node) if node.Class() == "Write" else None
        if node.Class() == "Write" and not (outside is not None and is_ours(outside)):
            yield node


def nodes_above(write: nuke.Node) -> Iterator[nuke.Group]:
    """Yield the nodes of ours above a node, those nearest to the plate first."""
    found = [cast(nuke.Group, node) for node in everything_above(write) if is_ours(node)]
    yield from reversed(found)


def everything_above(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield everything above a node, each node once, the nearest first; our Groups stay closed."""
    waiting, seen = [node], {node.fullName()}
    while waiting:
        for above in _sources(waiting.pop()):
            if above.fullName() not in seen:
                seen.add(above.fullName())
                waiting.append(above)
                yield above


def _sources(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield what a node gets its pictures from: its inputs, a Group's inside, a Group's outside."""
    for index in range(node.inputs()):
        above = node.input(index)
        if above is not None:
            yield above
    if isinstance(node, nuke.Group) and not is_ours(node):
        output = node.output()
        if output is not None:
            yield output
    outside = _outer_group(node) if node.Class() == "Input" else None
    if outside is not None:
        above = outside.input(int(node["number"].value()))
        if above is not None:
            yield above


def _outer_group(node: nuke.Node) -> nuke.Node | None:
    """Return the Group that a node is in, or None at the top."""
    name = node.fullName().rpartition(".")[0]
    return nuke.toNode(f"root.{name}") if name else None
