"""Which of our nodes feed a Write: through Groups, into them and out of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import cast

import nuke

from gvm_nodes.nuke.group import is_ours


def upstream(write: nuke.Node) -> Iterator[nuke.Group]:
    """Yield the nodes of ours above a node, those nearest to the plate first."""
    found: dict[str, nuke.Group] = {}
    waiting, seen = [write], {write.fullName()}
    while waiting:
        for above in _above(waiting.pop()):
            if above.fullName() in seen:
                continue
            seen.add(above.fullName())
            waiting.append(above)
            if is_ours(above):
                found[above.fullName()] = cast(nuke.Group, above)
    yield from reversed(found.values())


def _above(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield what a node gets its pictures from: its inputs, a Group's inside, a Group's outside."""
    for index in range(node.inputs()):
        above = node.input(index)
        if above is not None:
            yield above
    if isinstance(node, nuke.Group) and not is_ours(node):
        with suppress(ValueError):  # a Group without an Output
            yield node.output()
    outside = nuke.toNode(f"root.{node.fullName().rpartition('.')[0]}")
    if node.Class() == "Input" and outside is not None:
        above = outside.input(int(node["number"].value()))
        if above is not None:
            yield above
