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
    named = str(node[knob].value()).split()
    views = script_views()
    return tuple(view for view in views if view in named) or views


def of_view(path: str, view: str) -> str:
    """Return a path with `%V` and `%v` as Nuke reads them in a view."""
    return path.replace("%V", view).replace("%v", view[:1]) if view else path


def without(path: str) -> str:
    """Return a path that names no view, for what all views share."""
    return re.sub(r"[._ -]*%[Vv]", "", path)


def kept(node: nuke.Node, knob: str, view: str) -> str:
    """Return what a hidden knob keeps of a view, or ""."""
    return _table(node, knob).get(view, "")


def keep(node: nuke.Node, knob: str, view: str, text: str) -> None:
    """Have a hidden knob keep a text of a view; "" forgets it."""
    table = {**_table(node, knob), view: text}
    held = {name: one for name, one in table.items() if one}
    node[knob].setValue(json.dumps(held) if held else "")


def _table(node: nuke.Node, knob: str) -> dict[str, str]:
    text = str(node[knob].value())
    return {str(view): str(one) for view, one in json.loads(text).items()} if text else {}
