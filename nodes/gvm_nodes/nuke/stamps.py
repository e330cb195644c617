"""What a frame of a tree was made of, without a render: Nuke's op hash, and the files it reads.

Laws:
1. The hash is that of the Crop inside our node: nodes that only pass pictures on have none.
2. The hash does not see a file that was overwritten under its name, so files' times are part of it.
3. That the Read of a node of ours above read its files anew, which Nuke counts in it, is no change.
4. "" means that it cannot be told; whoever asks decides what that means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import nuke

from gvm_nodes.nuke.group import CROP, MATTE, is_ours, part
from gvm_nodes.nuke.plate import full_size
from gvm_nodes.nuke.shown import quietly
from gvm_nodes.nuke.upstream import all_above
from gvm_nodes.outputs import frame_path, percent_pattern

_OPS = re.compile(r"Op for \{(?P<at>[^}]*)\}[^\n]*?\bhash=(?:0x)?(?P<hash>[0-9a-fA-F]+)")
_FRAME = re.compile(r"\bframe=(-?\d+)")
_VIEW = re.compile(r"\bview=(\S+)")
_BITS = 0xFFFFFFFFFFFFFFFF  # a hash may come with a sign in one place and without in the other


class Tree:
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
        self._files = [percent_pattern(path) for path in _files(self._crop, view)]
        ours = filter(is_ours, all_above(self._crop))
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
        return ":".join([digest, *filter(None, map(_stat, sorted(files)))])

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


def _files(node: nuke.Node, view: str) -> Iterator[str]:
    """Yield the files, or their patterns, that the Reads above a node name."""
    for above in all_above(node):
        read = part(cast(nuke.Group, above), MATTE) if is_ours(above) else above
        path = full_size(read, view) if read.Class() == "Read" else ""
        if path:
            yield path


def _stat(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:  # not there, or no file: then the hash has to do
        return ""
    return f"{found.st_mtime_ns}.{found.st_size}"
