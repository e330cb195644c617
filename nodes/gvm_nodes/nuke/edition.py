"""Editions of Nuke in which the node cannot work: their Python reaches ten nodes, ours is seven.

What was matted elsewhere is shown there all the same: the node is made of Nuke's own.
"""

from __future__ import annotations

import nuke

_NAMES = {"nc": "Non-commercial", "indie": "Indie"}  # as `nuke.env` has them


def refusal() -> str:
    """Return why this Nuke can make no mattes, and what to do; "" for one that can."""
    for word, name in _NAMES.items():
        if nuke.env.get(word):
            return (
                f"Nuke {name} lets Python reach ten nodes, too few for this node to make mattes."
                " Use the OpenFX node (`gvm install ofx`) or `gvm matte`; mattes that exist are"
                " shown."
            )
    return ""


def has_toolbar() -> bool:
    """Whether there is a toolbar of nodes; Hiero has none."""
    return not nuke.env.get("hiero")
