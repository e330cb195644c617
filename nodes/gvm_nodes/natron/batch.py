"""A project's mattes and its Writes with an exit code: `NatronRenderer -t GVMRender.py`.

NatronRenderer itself ends with 0 whatever became of a render. It passes no arguments to a script,
and takes an `.ntp` among its own for the project instead of the script, so the environment has
them:

    GVM_NATRON_PROJECT  the project's file
    GVM_NATRON_FRAMES   a range text of the timeline; else the project's range
    GVM_NATRON_WRITES   names of Writes, separated by commas; else all that are not disabled

The mattes of the frames that are rendered are made first, so that Natron opens them when they
exist; then the Writes are rendered, one after another. A frame is rendered when Natron says so; one
of which it does not is an error. The project is not saved, and the process exits without Python's
finalization, in which NatronRenderer crashes.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from gvm_client import process
from gvm_client.errors import GvmError, InputError, OutputError, SettingsError
from gvm_client.filenames import CLIP_EXTENSIONS
from gvm_client.frames import format_frames, parse_frames, segments
from gvm_client.process import Exit, exit_for
from gvm_client.settings import Priority
from gvm_nodes.core import actions
from gvm_nodes.core.panel_words import in_panel_words
from gvm_nodes.core.settings import Policy
from gvm_nodes.natron.node import NatronNode
from gvm_nodes.natron.program import App, Effect, quietly
from gvm_nodes.natron.session import HOST, TRACKER, repair_groups
from gvm_nodes.natron.write_callbacks import groups_above, project_writes, remove_callbacks
from gvm_nodes.natron.write_renders import refuse_other_mattes

PROJECT, FRAMES, WRITES = "GVM_NATRON_PROJECT", "GVM_NATRON_FRAMES", "GVM_NATRON_WRITES"

_rendered: set[int] = set()  # frames of the Write that renders now


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchRender:
    """What is to be rendered.

    Attributes:
        project: absolute.
        frames: times of the timeline, in any order; () is the project's range.
        writes: names; () is all that are not disabled.
    """

    project: str
    frames: tuple[int, ...]
    writes: tuple[str, ...]

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> BatchRender:
        """Return what the environment says.

        Raises:
            SettingsError: it names no project, or the frames cannot be read.
        """
        project, frames = environment.get(PROJECT, ""), environment.get(FRAMES, "")
        if not project:
            raise SettingsError(f"{PROJECT} is not set.", remedy="Set it to the project's file.")
        names = (name.strip() for name in environment.get(WRITES, "").split(","))
        return cls(
            project=Path(project).absolute().as_posix(),
            frames=parse_frames(frames) if frames.strip() else (),
            writes=tuple(filter(None, names)),
        )


def leave(app: App) -> NoReturn:
    """Do what the environment says, and end the process with the exit code of how it went."""
    code = Exit.SERVER
    try:
        code = run(app, os.environ)
    finally:
        process.leave(code)


def run(app: App, environment: Mapping[str, str]) -> Exit:
    """Do what the environment says and return the exit code; what goes wrong is said."""
    try:
        _render(app, BatchRender.of(environment))
    except GvmError as error:
        sys.stderr.write(f"GVM: {in_panel_words(str(error))}\n")
        return exit_for(error)
    except KeyboardInterrupt:
        sys.stderr.write("GVM: Cancelled; what is finished is kept.\n")
        return Exit.CANCELLED
    except Exception:  # noqa: BLE001 - a defect must not look like success
        traceback.print_exc()
        return Exit.SERVER
    return Exit.DONE


def rendered(frame: int) -> None:
    """Hear of a frame that Natron has rendered; any thread."""
    _rendered.add(frame)


def _render(app: App, order: BatchRender) -> None:
    opened = app.loadProject(order.project) if Path(order.project).is_file() else None
    if opened is None:
        raise InputError(
            f"Natron cannot open the project {order.project}.",
            remedy=f"Set {PROJECT} to a project that this machine can read.",
            path=order.project,
        )
    HOST.remember(opened)
    repair_groups(opened)
    chosen = _chosen(opened, order.writes)
    times = order.frames or range(
        int(opened.timelineGetLeftBound()), int(opened.timelineGetRightBound()) + 1
    )
    with process.sigterm_interrupts():  # Natron's own render is deaf to Python: there it just ends
        for node in _nodes(opened, chosen):
            _make(node, times)
    for write in chosen:
        _render_write(opened, write, times)


def _chosen(app: App, names: tuple[str, ...]) -> list[Effect]:
    there = {str(write.getScriptName()): write for write in project_writes(app)}
    unknown = [name for name in names if name not in there]
    chosen = [there[name] for name in names if name in there] or [
        write for write in there.values() if not write.getParam("disableNode").get()
    ]
    if unknown or not chosen:
        raise SettingsError(
            f"The project has no Write {', '.join(unknown)}."
            if unknown
            else "The project has no Write that is not disabled.",
            remedy=f"Its Writes are {', '.join(there)}." if there else "Add one, and save it.",
        )
    return chosen


def _nodes(app: App, chosen: Iterable[Effect]) -> Iterator[NatronNode]:
    found: dict[str, NatronNode] = {}
    for write in chosen:
        for group in groups_above(write, app):
            node = HOST.node(app, group)
            found.setdefault(node.identity, node)
    yield from found.values()


def _make(node: NatronNode, times: Iterable[int]) -> None:
    """Make the mattes that are shown at the times, and see that they are shown."""
    if node.options().policy != Policy.MAKE or node.group.getParam("disableNode").get():
        return
    plate = node.plate()
    numbers = {number for time in times if (number := plate.number(time)) is not None}
    if not numbers:  # the clip shows no file at any of them
        return
    _print(f"{node.name}: the mattes of {format_frames(numbers)}.")
    request = actions.prepare_request(node, sorted(numbers), Priority.RANGE)
    TRACKER.start(node, request)
    refuse_other_mattes(node, plate, request)
    _print(f"{node.name}: {node.said}")


def _render_write(app: App, write: Effect, times: Iterable[int]) -> None:
    name, runs = str(write.getScriptName()), list(segments(times))
    file = str(write.getParam("filename").get())
    if len(runs) > 1 and file.lower().endswith(CLIP_EXTENSIONS):
        raise SettingsError(
            f"{name} writes the movie {file}, which each of {len(runs)} ranges would begin anew.",
            remedy=f"Ask for one range without gaps in {FRAMES}.",
        )
    remove_callbacks(write)  # the mattes stand
    _tell_of_frames(write)
    _rendered.clear()
    for run in runs:
        app.render(write, run[0], run[-1], run.step)
    missing = {time for run in runs for time in run}.difference(_rendered)
    if missing:
        raise OutputError(
            f"Natron did not render the frames {format_frames(missing)} of {name}.",
            remedy="Natron's own lines above say why.",
            path=file,
        )


def _tell_of_frames(write: Effect) -> None:
    """Have Natron tell us of each frame, after whom the project names."""
    param = write.getParam("afterFrameRender")
    theirs = f"{called}(frame, thisNode, app), " if (called := str(param.get())) else ""
    ours = f'sys.modules["{__name__}"].rendered(frame)'
    with quietly():
        param.set(f"(lambda frame, thisNode, app: ({theirs}{ours}))")


def _print(sentence: str) -> None:
    sys.stdout.write(f"GVM: {sentence}\n")
    sys.stdout.flush()
