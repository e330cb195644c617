"""The inputs for guides inside a node: what comes in there forces the matte, as Nuke plays it.

    Input garbage ── Dilate ── Blur ── Merge (max) ── Clamp ─┐ A      (the same for holdout)
    Copy (alpha) ────────────────────────────── Merge (stencil, over) ── Output

A pixel whose alpha comes in as 1 is 0, or 1, in the matte's alpha; where both are, the holdout
matte wins. These are the server's rules (`Guides`), in Nuke's own nodes: nothing is asked of the
server, so a guide that changes costs no matte. The feather is the node's, by the server's rule:
grown by half of it, blurred over the other half, never less than the guide was. Where nothing is
connected, and as long as the node has no matte, nothing happens.
"""

from __future__ import annotations

import nuke

COPY = "MatteCopy"  # lays the matte over the plate; disabled as long as there is none

# By the guides' names, in the order of use: how Nuke's Merge lays a guide, A, over the alpha, B.
RULES = {"garbage": "stencil", "holdout": "over"}
INPUTS = {"garbage": 1, "holdout": 2}  # the plate's is 0
NEVER_LESS = "max"

# By the nodes' classes: a Blur's size is 2.4 sigmas, of which four are half a feather.
SIZES = {"Dilate": "parent.guide_feather / 2", "Blur": "parent.guide_feather * 2.4 / 8"}
_ALPHA = "alpha"


def lay_guides(node: nuke.Group) -> None:
    """Have a node's guide inputs, if it has none: a new one, or one that an older release saved.

    Where an artist has taken away what guides are laid between, there are no inputs.
    """
    above, output = node.node(COPY), node.output()
    if above is None or output is None or any(node.node(_applied(name)) for name in RULES):
        return
    with node:
        for name in RULES:
            above = _laid(name, above)
        output.setInput(0, above)


def _applied(name: str) -> str:
    return f"{name.title()}Guide"


def _laid(name: str, below: nuke.Node) -> nuke.Node:
    """Make a guide's input and what applies it to an alpha; return the last node."""
    guide = _made("Input", name)
    guide["number"].setValue(INPUTS[name])
    faded = guide
    for kind, size in SIZES.items():
        faded = _made(kind, f"{name.title()}{kind}", faded)
        faded["channels"].setValue(_ALPHA)
        faded["size"].setExpression(size)
    faded = _merged(f"{name.title()}Feather", NEVER_LESS, guide, faded)
    clamped = _made("Clamp", f"{name.title()}Clamp", faded)
    clamped["channels"].setValue(_ALPHA)
    applied = _merged(_applied(name), RULES[name], below, clamped)
    applied["disable"].setExpression(f"parent.{COPY}.disable")
    return applied


def _merged(name: str, how: str, b: nuke.Node, a: nuke.Node) -> nuke.Node:
    """Merge two pictures' alphas; colours are B's."""
    made = _made("Merge2", name, b, a)
    made["operation"].setValue(how)
    for channels in ("Achannels", "Bchannels", "output"):
        made[channels].setValue(_ALPHA)
    return made


def _made(kind: str, name: str, *above: nuke.Node) -> nuke.Node:
    made = nuke.createNode(kind, inpanel=False)
    made.setName(name)
    for index in range(made.inputs()):  # a new node hangs on the selected one
        made.setInput(index, None)
    for index, node in enumerate(above):
        made.setInput(index, node)
    return made
