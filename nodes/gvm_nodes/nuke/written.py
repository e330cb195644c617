"""Writes the plate of any tree as EXR frames: only those that changed, by their stamps.

Laws:
1. It runs on the main thread, under Nuke's own progress bar, whose Cancel is heard.
2. Frames are full size and as the tree has them (raw): the root's proxy is off while they are made.
3. A frame whose stamp cannot be had is written anew: never a stale plate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nuke

from gvm_client.errors import ErrorCode, InputError, JobCancelled, OutputError
from gvm_nodes.frame_range import segments
from gvm_nodes.nuke.group import PLATE, part
from gvm_nodes.nuke.stamps import frame_stamp
from gvm_nodes.outputs import frame_path

_STAMPS = "gvm_frames.json"  # frame -> stamp; also the sign that the folder is ours
_SEGMENT = 50  # frames after which what is finished is remembered, should the next be cancelled

# What an artist may have changed inside, and the folder, format and pixels that must be.
_SAFE = {
    "file_type": "exr",
    "channels": "rgb",
    "raw": True,
    "datatype": "16 bit half",
    "autocrop": False,
    "create_directories": True,
    "use_limit": False,
    "reading": False,
}


def write_changed(
    node: nuke.Group, pattern: str, frames: Iterable[int], view: str
) -> tuple[int, ...]:
    """Write those of the plate's frames that are missing or changed, and return them.

    Args:
        node: one of ours.
        pattern: where they go.
        frames: which ones.
        view: which view's, in a script that has several.

    Raises:
        JobCancelled: the artist cancelled; what was written stays.
        InputError: the tree cannot be rendered.
        OutputError: the folder cannot be written.
    """
    stamps = _read(pattern)
    with _proxy_off():
        now = _stamps_of(node, frames, view)
        changed = [frame for frame in now if not _stands(pattern, frame, now[frame], stamps)]
        write = part(node, PLATE)
        with _ready(write, pattern):
            for run in segments(changed):
                for start in range(0, len(run), _SEGMENT):
                    some = run[start : start + _SEGMENT]
                    _execute(node, write, some, view)
                    stamps.update({str(frame): now[frame] for frame in some})
                    _remember(pattern, stamps)
    return tuple(changed)


def changed_frames(
    node: nuke.Group, pattern: str, frames: Iterable[int], view: str
) -> tuple[int, ...]:
    """Return those of the plate's frames that `write_changed` would write."""
    stamps = _read(pattern)
    with _proxy_off():
        now = _stamps_of(node, frames, view)
    return tuple(frame for frame in now if not _stands(pattern, frame, now[frame], stamps))


def _stamps_of(node: nuke.Group, frames: Iterable[int], view: str) -> dict[int, str]:
    """Return each frame's stamp; in a render at proxy size, which is left alone, there is none."""
    if nuke.root().proxy():
        return dict.fromkeys(frames, "")
    return {frame: frame_stamp(node, frame, view) for frame in frames}


def _stands(pattern: str, frame: int, stamp: str, stamps: dict[str, str]) -> bool:
    if not frame_path(pattern, frame).is_file():
        return False
    if (
        not stamp
    ):  # it cannot be told: written anew, but in a render, where Nuke may not render more
        return bool(nuke.executing())
    return stamps.get(str(frame)) == stamp


@contextmanager
def _proxy_off() -> Iterator[None]:
    """Have full-size pictures, but within a render, whose size is the render's."""
    root = nuke.root()
    if not root.proxy() or nuke.executing():
        yield
        return
    root.setProxy(False)
    try:
        yield
    finally:
        root.setProxy(True)


@contextmanager
def _ready(write: nuke.Node, pattern: str) -> Iterator[None]:
    """Have the Write enabled with safe settings."""
    write["file"].setValue(pattern)
    for name, setting in _SAFE.items():
        write[name].setValue(setting)
    write["disable"].setValue(False)
    try:
        yield
    finally:
        write["disable"].setValue(True)


def _execute(node: nuke.Group, write: nuke.Node, frames: range, view: str) -> None:
    views = [view] if view else list(nuke.views())
    try:
        with node:
            nuke.execute(write, frames[0], frames[-1], frames.step, views)
    except RuntimeError as error:
        if "cancel" in str(error).lower():
            raise JobCancelled("Writing the plate was cancelled.") from error
        if "executing" in str(error).lower():  # Nuke renders nothing within a render
            raise InputError(
                f"{len(frames)} plate frames of {node.name()} are not written, from {frames[0]}"
                " on.",
                remedy="Press Render Range in the node before the render.",
                frame=frames[0],
            ) from error
        raise InputError(
            f"The plate cannot be rendered: {error}.",
            remedy="Mend what the tree above the node says.",
            code=ErrorCode.PLATE_UNREADABLE,
            frame=frames[0],
        ) from error


def _read(pattern: str) -> dict[str, str]:
    try:
        stamps = json.loads((Path(pattern).parent / _STAMPS).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never written, or cut short: everything is written anew
        return {}
    return {str(frame): str(digest) for frame, digest in stamps.items()}


def _remember(pattern: str, stamps: dict[str, str]) -> None:
    path = Path(pattern).parent / _STAMPS
    fresh = path.with_suffix(".tmp")
    try:
        fresh.write_text(json.dumps(stamps), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Make the folder writable.",
            path=str(path),
        ) from error
