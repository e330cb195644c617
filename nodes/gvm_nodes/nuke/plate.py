"""The plate that comes into the node: its files where it is a plain Read, and its frames' stamps.

A Read is plain when the server, reading its files, sees frame for frame what Nuke sees; any other
tree is written (`plate_writer`).

A stamp says what a frame of a tree was made of, without a render: Nuke's op hash, and the times of
the files that it reads, for the hash does not see a file that was overwritten under its name. The
hash is that of the Crop inside our node: nodes that only pass pictures on have none. That the Read
of a node of ours above read its files anew, which Nuke counts in the hash, is no change. "" means
that there is no stamp; the caller decides what that means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import nuke

from gvm_client.errors import ErrorCode, InputError
from gvm_client.filenames import CLIP_EXTENSIONS, of_view
from gvm_nodes.core.clips import (
    SCENE_LINEAR,
    frame_path,
    percent_pattern,
    read_colourspace,
    server_colourspace,
)
from gvm_nodes.nuke.group import CROP, MATTE, everything_above, is_ours, part
from gvm_nodes.nuke.program import quietly

_FRAME_TOKENS = ("%", "#")

_OPS = re.compile(r"Op for \{(?P<at>[^}]*)\}[^\n]*?\bhash=(?:0x)?(?P<hash>[0-9a-fA-F]+)")
_FRAME = re.compile(r"\bframe=(-?\d+)")
_VIEW = re.compile(r"\bview=(\S+)")
_BITS = 0xFFFFFFFFFFFFFFFF  # a hash may come with a sign in one place and without in the other


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
    if (
        retimed
        or not sequence
        or path.lower().endswith(CLIP_EXTENSIONS)
        or colourspace_of(read) is None
    ):
        return ""
    return percent_pattern(_absolute(path))


def colourspace_of(read: nuke.Node) -> str | None:
    """Return what a Read's files are in, in the server's name; None where only Nuke can tell."""
    return read_colourspace(str(read["colorspace"].value() or ""), raw=bool(read["raw"].value()))


def working_colourspace() -> str:
    """Return what a tree's pixels are in, in the server's name."""
    knob = nuke.root().knob("workingSpaceLUT")
    named = server_colourspace(str(knob.value())) if knob else None
    return named or SCENE_LINEAR


def full_size(read: nuke.Node, view: str) -> str:
    """Return a Read's own file of a view, never its proxy's; "" where only Nuke can tell.

    `nuke.filename` answers for the current view and for the root's proxy setting; else the knob is
    read as it stands, and one that holds TCL cannot be.
    """
    typed = str(read["file"].value() or "")
    proxied = nuke.root().proxy() and read["proxy"].value()
    if not proxied and "%v" not in typed.lower():
        return _mapped_path(nuke.filename(read) or "")
    # A script with one view has that one, whose name no path of ours carries.
    return "" if "[" in typed else _mapped_path(of_view(typed, view or str(nuke.views()[0])))


def _absolute(path: str) -> str:
    if path.startswith("/") or path[1:2] == ":":
        return path
    # Its value is often an expression: the button for the script's folder writes one.
    project = cast("nuke.File_Knob", nuke.root()["project_directory"]).evaluate()
    return _mapped_path((Path(project) / path).as_posix()) if project else ""


def _mapped_path(path: str) -> str:
    """Return a path as the studio's filename filters and path mapping have it."""
    return str(nuke.filenameFilter(path)) if path else ""  # type: ignore[no-untyped-call]


class PlateTree:
    """The tree above one of our nodes; what reads files in it is found once.

    Args:
        node: ours.
        view: which view is looked at, in a script that has several.

    Raises:
        InputError: a node inside was deleted.
    """

    def __init__(self, node: nuke.Group, view: str) -> None:
        self._crop = part(node, CROP)
        self._view = view
        self._files = [percent_pattern(path) for path in _read_files(self._crop, view)]
        ours = filter(is_ours, everything_above(self._crop))
        self._mattes = [part(cast(nuke.Group, above), MATTE) for above in ours]

    @contextmanager
    def as_read_once(self) -> Iterator[None]:
        """Stamps are taken within: the Reads' counts of reloads are 0 meanwhile."""
        counts = [count for read in self._mattes if (count := read.knob("version")) is not None]
        kept = [count.value() for count in counts]
        try:
            with quietly():
                for count in counts:
                    count.setValue(0)
            yield
        finally:
            with quietly():
                for count, number in zip(counts, kept, strict=True):
                    count.setValue(number)

    def stamp(self, frame: int) -> str:
        """Return a text that differs when the plate's picture at a frame does.

        The root's proxy must be off, and the tree `as_read_once`.
        """
        named = self._validated(frame)
        digest = _op_hash(self._crop, frame, self._view)
        if not digest:
            return ""
        files = {frame_path(pattern, frame) for pattern in self._files}
        if named:
            files.add(Path(str(named)))
        return ":".join([digest, *filter(None, map(_file_stamp, sorted(files)))])

    def _validated(self, frame: int) -> object:
        """Have Nuke validate the op at a frame, and return the file that its picture is read from.

        A Nuke whose `metadata` takes no view answers for the current one.
        """
        if self._view:
            with suppress(TypeError):
                return self._crop.metadata("input/filename", frame, self._view)
        return self._crop.metadata("input/filename", frame)


def _op_hash(node: nuke.Node, frame: int, view: str) -> str:
    known = {one & _BITS for one in node.opHashes()}
    for found in _OPS.finditer(nuke.showInfo(node)):
        frames, views = _FRAME.search(found["at"]), _VIEW.search(found["at"])
        if frames is None or int(frames[1]) != frame or int(found["hash"], 16) & _BITS not in known:
            continue
        if not view or views is None or views[1] == view:
            return found["hash"].lower()
    return ""


def _read_files(node: nuke.Node, view: str) -> Iterator[str]:
    """Yield the files, or their patterns, that the Reads above a node name."""
    for above in everything_above(node):
        read = part(cast(nuke.Group, above), MATTE) if is_ours(above) else above
        path = full_size(read, view) if read.Class() == "Read" else ""
        if path:
            yield path


def _file_stamp(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:  # not there, or no file: then the hash has to do
        return ""
    return f"{found.st_mtime_ns}.{found.st_size}"
