"""What has changed at our nodes, looked at when Nuke is idle.

Law: a callback of Nuke's only takes note. While a script is loaded or nodes are pasted, asking a
node for its range or metadata has cut its connections in some versions of Nuke.
"""

from __future__ import annotations

from contextlib import suppress

import nuke

from gvm_nodes import actions
from gvm_nodes.freshness import OUT_OF_DATE
from gvm_nodes.nuke import strict
from gvm_nodes.nuke.later import later
from gvm_nodes.nuke.node import NukeNode, nodes_of
from gvm_nodes.nuke.session import DESK

_noticed: dict[str, nuke.Node] = {}  # by their full names
_opened: set[str] = set()  # of those, whose panel the artist opened


def notice(node: nuke.Node, *, opens: bool) -> None:
    """Have a node looked at later; in a Nuke with a GUI.

    Args:
        node: one of ours.
        opens: whether its panel was opened: then its plate and its saved job are looked at too.
    """
    name = node.fullName()
    _noticed[name] = node
    if opens:
        _opened.add(name)
    later(look)


def look() -> None:
    """Show at each node that was noticed how it stands."""
    noticed, opened = dict(_noticed), set(_opened)
    _noticed.clear()
    _opened.clear()
    strict.end_all()
    for name, group in noticed.items():
        opens = name in opened
        with suppress(ValueError):  # deleted since, or its script was closed
            # Of no height are nodes that are not drawn yet: still being made, or out of sight.
            if opens or group.screenHeight():
                for node in nodes_of(group):
                    _show(node, opens=opens)


def _show(node: NukeNode, *, opens: bool) -> None:
    if opens and node.job:
        actions.opened(DESK, node)
    elif opens and node.is_tree_changed() and not DESK.is_running(node.identity):
        node.say(OUT_OF_DATE)
    else:
        actions.changed(DESK, node, looks=opens)
