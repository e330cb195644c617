"""Who feeds whom: the Writes of a script, our nodes above one, and everything above a node.

Groups are looked into, and out of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import nuke

from gvm_nodes.nuke.group import everywhere, is_ours


def writes() -> Iterator[nuke.Node]:
    """Yield the script's Writes, in Groups too; the one inside our own node is none of them."""
    for node in everywhere():
        outside = _outside(node) if node.Class() == "Write" else None
        if node.Class() == "Write" and not (outside is not None and is_ours(outside)):
            yield node


def upstream(write: nuke.Node) -> Iterator[nuke.Group]:
    """Yield the nodes of ours above a node, those nearest to the plate first."""
    found = [cast(nuke.Group, node) for node in all_above(write) if is_ours(node)]
    yield from reversed(found)


def all_above(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield everything above a node, each node once, the nearest first; our Groups stay closed."""
    waiting, seen = [node], {node.fullName()}
    while waiting:
        for above in _above(waiting.pop()):
            if above.fullName() not in seen:
                seen.add(above.fullName())
                waiting.append(above)
                yield above


def _above(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield what a node gets its pictures from: its inputs, a Group's inside, a Group's outside."""
    for index in range(node.inputs()):
        above = node.input(index)
        if above is not None:
            yield above
    if isinstance(node, nuke.Group) and not is_ours(node):
        output = node.output()
        if output is not None:
            yield output
    outside = _outside(node) if node.Class() == "Input" else None
    if outside is not None:
        above = outside.input(int(node["number"].value()))
        if above is not None:
            yield above


def _outside(node: nuke.Node) -> nuke.Node | None:
    """Return the Group that a node is in, or None at the top."""
    name = node.fullName().rpartition(".")[0]
    return nuke.toNode(f"root.{name}") if name else None
