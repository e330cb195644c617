"""The plate that comes into the node: a plain Read goes by path, any other tree is written.

Law: a Read is plain when the server, reading its files, sees frame for frame what Nuke sees.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import nuke

from gvm_client.errors import ErrorCode, InputError
from gvm_client.filenames import CLIP_EXTENSIONS, of_view
from gvm_nodes.outputs import percent_pattern
from gvm_nodes.spaces import SCENE_LINEAR, our_name, read_space

_FRAME_TOKENS = ("%", "#")


def source(node: nuke.Node) -> nuke.Node:
    """Return what is connected to the plate input, Dots read through.

    Raises:
        InputError: nothing is connected.
    """
    upstream = node.input(0)
    while upstream is not None and upstream.Class() == "Dot":
        upstream = upstream.input(0)
    if upstream is None:
        raise InputError(
            f"{node.name()} has no plate.",
            remedy="Connect its input.",
            code=ErrorCode.PLATE_MISSING,
        )
    return upstream


def plain_path(node: nuke.Node, view: str) -> str:
    """Return the absolute path of a plain Read's sequence, or "" where it must be written.

    Args:
        node: one of ours.
        view: which view's, in a script that has several.

    Raises:
        InputError: nothing is connected.
    """
    read = source(node)
    if read.Class() != "Read" or read["disable"].value():
        return ""
    retimed = read["frame_mode"].value() != "expression" or read["frame"].value()
    path = full_size(read, view)
    sequence = any(token in Path(path).name for token in _FRAME_TOKENS)
    if retimed or not sequence or path.lower().endswith(CLIP_EXTENSIONS) or space_of(read) is None:
        return ""
    return percent_pattern(_absolute(path))


def space_of(read: nuke.Node) -> str | None:
    """Return what a Read's files are in, in the server's name; None where only Nuke can tell."""
    return read_space(str(read["colorspace"].value() or ""), raw=bool(read["raw"].value()))


def working_space() -> str:
    """Return what a tree's pixels are in, in the server's name."""
    knob = nuke.root().knob("workingSpaceLUT")
    named = our_name(str(knob.value())) if knob else None
    return named or SCENE_LINEAR


def full_size(read: nuke.Node, view: str) -> str:
    """Return a Read's own file of a view, never its proxy's; "" where only Nuke can tell.

    `nuke.filename` answers for the current view and for the root's proxy setting; else the knob is
    read as it stands, and one that holds TCL cannot be.
    """
    typed = str(read["file"].value() or "")
    proxied = nuke.root().proxy() and read["proxy"].value()
    if not proxied and "%v" not in typed.lower():
        return _mapped(nuke.filename(read) or "")
    # A script with one view has that one, whose name no path of ours carries.
    return "" if "[" in typed else _mapped(of_view(typed, view or str(nuke.views()[0])))


def _absolute(path: str) -> str:
    if path.startswith("/") or path[1:2] == ":":
        return path
    # Its value is often an expression: the button for the script's folder writes one.
    project = cast("nuke.File_Knob", nuke.root()["project_directory"]).evaluate()
    return _mapped((Path(project) / path).as_posix()) if project else ""


def _mapped(path: str) -> str:
    """Return a path as the studio's filename filters and path mapping have it."""
    return str(nuke.filenameFilter(path)) if path else ""  # type: ignore[no-untyped-call]
