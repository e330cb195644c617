"""The inputs for guides inside a group: what comes in there forces the matte, as Natron plays it.

    Input Garbage ── Dilate ── Blur ── Merge (max) ── Clamp ─┐ A      (the same for Holdout)
    Merge of the mattes ────────────────────────── Merge (stencil, over) ── Unpremult

A pixel whose alpha comes in as 1 is 0, or 1, in the matte's alpha; where both are, the holdout
matte wins. These are the server's rules (`Guides`), in Natron's own nodes: nothing is asked of the
server, so a guide that changes costs no matte. The feather is the group's, by the server's rule:
grown by half of it, blurred over the other half, never less than the guide was.

A Natron that was built without the filters (openfx-misc's CImg) does without the feather. The
nodes of an input that is not connected are disabled, for Natron renders no filter without its
source.
"""

from __future__ import annotations

from gvm_nodes.natron.program import (
    BLUR,
    CLAMP,
    DILATE,
    INPUT,
    MERGE,
    NEWEST,
    OUTPUT,
    UNPREMULT,
    App,
    Effect,
    set_if_changed,
)

# By the guides' names, in the order of use: how Natron's Merge lays a guide, A, over the alpha, B.
RULES = {"Garbage": "stencil", "Holdout": "over"}
INPUTS = {"Garbage": 1, "Holdout": 2}  # the plate's is 0
NEVER_LESS = "max"

_FEATHER = "thisGroup.gvm_guide_feather.get()"
# By the plug-ins: a Dilate's size is whole pixels, a Blur's is 2.4 sigmas; four are half a feather.
SIZES = {DILATE: f"int(round({_FEATHER} / 2))", BLUR: f"{_FEATHER} * 2.4 / 8"}
_PARTS = ("Grown", "Blurred", "Feather", "Clamp", "Guide")


def lay_guides(app: App, group: Effect) -> None:
    """Have a group's guide inputs, if it has none: a new one, or one that an older release saved.

    Where an artist has taken away what guides are laid between, there are no inputs.
    """
    tag = _tag_of(group)
    if tag is None or any(group.getNode(_name(name, "Guide")) for name in RULES):
        return
    above = tag.getInput(0)
    for name in RULES:
        above = _laid(app, group, name, above)
    tag.disconnectInput(0)
    tag.connectInput(0, above)
    follow_inputs(group)


def follow_inputs(group: Effect) -> None:
    """Have the nodes of each guide input work where something is connected, and nowhere else."""
    for name, index in INPUTS.items():
        is_off = group.getInput(index) is None
        for part in _PARTS:
            node = group.getNode(_name(name, part))
            if node is not None:
                set_if_changed(node.getParam("disableNode"), is_off)


def _tag_of(group: Effect) -> Effect | None:
    """Return the node before the output, whose input is the plate with its matte."""
    outputs = (node for node in group.getChildren() if node.getPluginID() == OUTPUT)
    output = next(outputs, None)
    tag = output.getInput(0) if output is not None else None
    if tag is None or tag.getPluginID() != UNPREMULT or tag.getInput(0) is None:
        return None
    return tag


def _name(guide: str, part: str) -> str:
    return f"GVM{guide}{part}"


def _laid(app: App, group: Effect, name: str, below: Effect) -> Effect:
    """Make a guide's input and what applies it to an alpha; return the last node."""
    guide = app.createNode(INPUT, NEWEST, group)
    guide.setLabel(name)
    guide.getParam("optional").set(True)
    faded = guide
    for part, (plugin, size) in zip(_PARTS, SIZES.items(), strict=False):
        wider = _made(app, group, plugin, _name(name, part), faded)
        if wider is None:
            continue
        faded = wider
        for dimension in range(2):
            faded.getParam("size").setExpression(size, False, dimension)
    faded = _merged(app, group, _name(name, "Feather"), NEVER_LESS, guide, faded)
    faded = _made(app, group, CLAMP, _name(name, "Clamp"), faded) or faded
    laid = _merged(app, group, _name(name, "Guide"), RULES[name], below, faded)
    for channel in "RGB":  # colours are the plate's
        laid.getParam(f"OutputChannels{channel}").set(False)
    return laid


def _merged(app: App, group: Effect, name: str, how: str, b: Effect, a: Effect) -> Effect:
    made = _made(app, group, MERGE, name, b, a)
    made.getParam("operation").set(how)
    made.getParam("bbox").set("b")
    return made


def _made(app: App, group: Effect, plugin: str, name: str, *above: Effect) -> Effect:
    """Make a node of a plug-in; None where this Natron was built without it."""
    made = app.createNode(plugin, NEWEST, group)
    if made is None:
        return None
    made.setScriptName(name)
    for index, node in enumerate(above):
        made.connectInput(index, node)
    return made
