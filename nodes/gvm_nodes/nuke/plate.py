"""The plate that comes into the node: a plain Read goes by path, any other tree is written.

Law: a Read is plain when the server, reading its files, sees frame for frame what Nuke sees.
"""

from __future__ import annotations

from pathlib import Path

import nuke

from gvm_client.errors import ErrorCode, InputError
from gvm_nodes.outputs import percent_pattern

_MOVIES = (".mov", ".mp4", ".mxf", ".avi", ".r3d", ".braw", ".ari", ".mkv", ".m4v")
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


def plain_path(node: nuke.Node) -> str:
    """Return the absolute path of a plain Read's sequence, or "" where it must be written.

    Raises:
        InputError: nothing is connected.
    """
    read = source(node)
    if read.Class() != "Read" or read["disable"].value():
        return ""
    retimed = read["frame_mode"].value() != "expression" or read["frame"].value()
    path = nuke.filename(read, nuke.REPLACE) or ""
    sequence = any(token in Path(path).name for token in _FRAME_TOKENS)
    stereo = "%v" in path.lower()
    if retimed or stereo or not sequence or path.lower().endswith(_MOVIES):
        return ""
    return percent_pattern(_absolute(path))


def _absolute(path: str) -> str:
    if path.startswith("/") or path[1:2] == ":":
        return path
    project = str(nuke.root()["project_directory"].value())
    return (Path(project) / path).as_posix() if project else ""
