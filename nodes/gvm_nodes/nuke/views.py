"""Stereo: which views a node mattes, and what it keeps of each.

Law: a script with one view has none in any path, name or knob; there the view is "".
"""

from __future__ import annotations

import json
import re

import nuke

ONE_VIEW = ""


def script_views() -> tuple[str, ...]:
    """Return the script's views; one without a name where it has only one."""
    names = tuple(str(name) for name in nuke.views())
    return names if len(names) > 1 else (ONE_VIEW,)


def chosen_views(node: nuke.Node, knob: str) -> tuple[str, ...]:
    """Return those of the script's views that a knob of Nuke's kind names; none named means all."""
    named = re.split(r"[\s{}]+", str(node[knob].value()))  # as Nuke's scripts write a list
    views = script_views()
    return tuple(view for view in views if view in named) or views


def without(path: str) -> str:
    """Return a path that names no view, for what all views share."""
    return re.sub(r"[._ -]*%[Vv]", "", path)


def kept(node: nuke.Node, knob: str, view: str) -> str:
    """Return what a hidden knob keeps of a view, or "".

    What a script kept while it had one view is the first view's when it gets more.
    """
    table = _table(node, knob)
    inherits = view == script_views()[0]
    return table.get(view) or (table.get(ONE_VIEW, "") if inherits else "")


def keep(node: nuke.Node, knob: str, view: str, text: str) -> None:
    """Have a hidden knob keep a text of a view; "" forgets it."""
    table = _table(node, knob)
    if view == script_views()[0]:
        table.pop(ONE_VIEW, None)
    table[view] = text
    held = {name: one for name, one in table.items() if one}
    node[knob].setValue(json.dumps(held) if held else "")


def _table(node: nuke.Node, knob: str) -> dict[str, str]:
    try:
        return {str(view): str(one) for view, one in json.loads(str(node[knob].value())).items()}
    except (ValueError, AttributeError):  # nothing is kept, or it is damaged: as good as nothing
        return {}
