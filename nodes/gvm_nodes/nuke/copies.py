"""A copy of a node gets a name of its own: two nodes never share a job or an output.

While a script loads its nodes come one by one and the root last, so a created node is looked at as
soon as that can be done, and once more when all of them are there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import nuke

from gvm_nodes.nuke import group
from gvm_nodes.nuke.later import later
from gvm_nodes.nuke.shown import unrecorded

_created: list[nuke.Node] = []  # whose names may be another node's


def created(node: nuke.Node) -> None:
    """Look at a node that was made, pasted or loaded."""
    _created.append(node)
    with suppress(ValueError):  # the root is not there yet: a script is being loaded
        _tell_apart()
    if nuke.GUI:
        later(all_created)


def all_created() -> None:
    """Look at every new node; the script is there.

    A clone is no copy: it shares its knobs with the node that it is a clone of.
    """
    _tell_apart()
    _created.clear()


def _tell_apart() -> None:
    new = dict(_still_there())
    if not new:
        return
    taken = {group.node_id(node) for node in group.ours() if node.fullName() not in new}
    with unrecorded():
        for node in new.values():
            if group.node_id(node) in taken and not node.clones():
                group.set_id(node)
                node["gvm_job"].setValue("")
            taken.add(group.node_id(node))


def _still_there() -> Iterator[tuple[str, nuke.Node]]:
    for node in _created:
        with suppress(ValueError):  # deleted since, or its script was closed
            yield node.fullName(), node
