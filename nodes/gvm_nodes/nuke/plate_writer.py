"""Writes the plate of any tree as EXR frames: only those that changed, by their stamps.

It runs on the main thread, under Nuke's own progress bar, whose Cancel is heard. Frames are full
size and as the tree has them (raw): the root's proxy is off meanwhile. A frame without a stamp is
written anew: never a stale plate.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nuke

from gvm_client.errors import ErrorCode, InputError, JobCancelled, OutputError
from gvm_client.frames import segments
from gvm_client.text import ARE, counted
from gvm_nodes.core.clips import frame_path
from gvm_nodes.nuke.group import PLATE, part
from gvm_nodes.nuke.plate import PlateTree
from gvm_nodes.nuke.program import quietly

_STAMPS = "gvm_frames.json"  # frame -> stamp; also the sign that the folder is ours
_SEGMENT = 50  # frames that are looked at and written before a Cancel is heard and all is kept

_just_written: set[tuple[str, int]] = set()  # by this Nuke: patterns and frames
_refused_nodes: list[str] = []  # nodes whose plate Nuke was too busy to render
_BUSY = ("executing", "recursive")  # in what it says then

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
    "frame_mode": "expression",
    "frame": "",
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
    changed: list[int] = []
    frames, known = sorted(frames), _known_stamps(pattern)
    with (
        _proxy_off(),
        _progress_bar(node, len(frames)) as look,
        _write_enabled(part(node, PLATE), pattern),
    ):
        tree = PlateTree(node, view)
        for index in range(0, len(frames), _SEGMENT):
            look(index)
            some = frames[index : index + _SEGMENT]
            with tree.as_read_once():
                now = {frame: _frame_stamp(tree, frame) for frame in some}
            new = [frame for frame in some if not _is_current(pattern, frame, now[frame], known)]
            for run in segments(new):
                _execute(node, run, view)
                _just_written.update((pattern, frame) for frame in run)
                _keep_stamps(pattern, {str(frame): now[frame] for frame in run})
            changed += new
    return tuple(changed)


def changed_frames(
    node: nuke.Group, pattern: str, frames: Iterable[int], view: str
) -> tuple[int, ...]:
    """Return those of the plate's frames that `write_changed` would write."""
    known = _known_stamps(pattern)
    with _proxy_off():
        tree = PlateTree(node, view)
        with tree.as_read_once():
            now = {frame: _frame_stamp(tree, frame) for frame in frames}
        return tuple(frame for frame in now if not _is_current(pattern, frame, now[frame], known))


def _frame_stamp(tree: PlateTree, frame: int) -> str:
    """Return a frame's stamp; in a render at proxy size, which is left alone, there is none."""
    return "" if nuke.root().proxy() else tree.stamp(frame)


def _is_current(pattern: str, frame: int, stamp: str, known: dict[str, str]) -> bool:
    if not frame_path(pattern, frame).is_file():
        return False
    if not stamp:  # it cannot be told: of what this render's own Nuke has just written it need not
        return bool(nuke.executing()) and not nuke.GUI and (pattern, frame) in _just_written
    return known.get(str(frame)) == stamp


@contextmanager
def _progress_bar(node: nuke.Group, count: int) -> Iterator[Callable[[int], None]]:
    """Show how far the looking is, and hear its Cancel; not within a render, which has a bar."""
    task = nuke.ProgressTask(f"{node.name()} plate") if nuke.GUI and not nuke.executing() else None

    def look(index: int) -> None:
        if task is not None:
            task.setProgress(100 * index // count)
            if task.isCancelled():
                raise JobCancelled("Writing the plate was cancelled.")

    yield look


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
def _write_enabled(write: nuke.Node, pattern: str) -> Iterator[None]:
    """Have the Write enabled with safe settings."""
    with quietly():
        views = " ".join(nuke.views())
        for name, setting in {"file": pattern, **_SAFE, "views": views, "disable": False}.items():
            write[name].setValue(setting)
    try:
        yield
    finally:
        with quietly():
            write["disable"].setValue(True)


def _execute(node: nuke.Group, frames: range, view: str) -> None:
    views = [view] if view else list(nuke.views())
    if nuke.root().proxy():  # only within a render: elsewhere it is off by now
        raise InputError(
            f"Within a render at proxy size it cannot be told whether the plate of {node.name()}"
            " has changed.",
            remedy="Render at full size, or have the node only read what exists.",
            frame=frames[0],
        )
    try:
        with node:
            nuke.execute(part(node, PLATE), frames[0], frames[-1], frames.step, views)
    except RuntimeError as error:
        if "cancel" in str(error).lower():
            raise JobCancelled("Writing the plate was cancelled.") from error
        if _is_busy(error):  # Nuke renders nothing within a render
            _refused_nodes.append(node.fullName())
            raise InputError(
                f"{counted(len(frames), 'plate frame', ARE)} not written of {node.name()},"
                f" from {frames[0]} on.",
                remedy="Press Render Range in the node before the render.",
                frame=frames[0],
            ) from error
        raise InputError(
            f"The plate cannot be rendered: {str(error).rstrip('.')}.",
            remedy="Mend what the tree above the node says.",
            code=ErrorCode.PLATE_UNREADABLE,
            frame=frames[0],
        ) from error


def was_busy() -> bool:
    """Whether Nuke has refused to render a plate since it was last asked, being busy."""
    busy = bool(_refused_nodes)
    _refused_nodes.clear()
    return busy


def _is_busy(error: RuntimeError) -> bool:
    said = str(error).lower()
    return bool(nuke.executing()) or any(word in said for word in _BUSY)


def _known_stamps(pattern: str) -> dict[str, str]:
    try:
        stamps = json.loads((Path(pattern).parent / _STAMPS).read_text(encoding="utf-8"))
        return {str(frame): str(stamp) for frame, stamp in stamps.items()}
    except (OSError, ValueError, AttributeError):  # never written, or damaged: all is written anew
        return {}


def _keep_stamps(pattern: str, written: dict[str, str]) -> None:
    """Keep the stamps of frames that were written, beside what others wrote meanwhile."""
    path = Path(pattern).parent / _STAMPS
    fresh = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
    try:
        fresh.write_text(json.dumps({**_known_stamps(pattern), **written}), encoding="utf-8")
        fresh.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror}.",
            remedy="Make the folder writable.",
            path=str(path),
        ) from error
