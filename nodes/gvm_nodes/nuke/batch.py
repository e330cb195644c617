"""A Write below the node: the mattes of the frames asked for are made before they are read.

Laws:
1. With `-x` or `-X` the whole range is known and is one job; else each frame asks as it comes.
2. A tree's plate is written, and its mattes are made, when a script is loaded to be rendered:
   within a Write's own render Nuke may refuse to render anything else.
3. An error stops the render (Nuke's exit code 1) and is on the node, without a GUI in the terminal;
   nothing waits for a person.
4. No frame is rendered without its matte, also where Nuke goes on after errors (`strict`), and none
   with its plate's own alpha.
5. What the Reads inside name stands before the render; within it, only files appear.
6. A node set to "only read what exists" contacts nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import nuke

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import Matte
from gvm_client.settings import Priority
from gvm_nodes.actions import prepared
from gvm_nodes.asking import matte_pattern, request
from gvm_nodes.freshness import record
from gvm_nodes.knobs import Policy
from gvm_nodes.nuke import shown, strict, views
from gvm_nodes.nuke.command_line import CommandLine, read_command_line
from gvm_nodes.nuke.knobs import VIEWS, value
from gvm_nodes.nuke.node import NukeNode
from gvm_nodes.nuke.upstream import upstream, writes
from gvm_nodes.outputs import existing
from gvm_nodes.work import Update, Work

LOOK_SECONDS = 0.1  # how often a progress bar's Cancel is looked at

_made: dict[str, set[int]] = {}  # by the node's own name: what this render has seen to
_refused: dict[str, Exception] = {}  # by the Write: why its render cannot begin


def before_writes() -> None:
    """Make what the Writes need that the command line renders, where it says which they are.

    An error waits for its Write, so that it ends that render and not the loading of the script.
    """
    for write in writes():
        with _kept_for(write):
            line = _command_line()
            if _is_asked_for(write, line):
                _see_to(write, asked_frames(write, line), line.views)


def before_render() -> None:
    """Make the mattes of the whole range, where the command line says which it is.

    Raises:
        RuntimeError: a matte cannot be made.
    """
    write = nuke.thisNode()
    strict.end(write)  # of a render that was broken off
    above = [group for group in upstream(write) if not value(group, "disable")]
    making = [group for group in above if makes(group)]
    reading = [group for group in above if not makes(group) and strict.passes_by(group)]
    strict.begin(write, making, reading)
    if refused := _refused.pop(write.fullName(), None):
        raise refused
    _made.clear()  # plates may have changed since the last render
    line = _command_line()
    for node in _in_views(making + reading, write, line.views):
        with _told(node):
            node.point_at(request(node, ()))
    if line.renders:
        _see_to(write, asked_frames(write, line), line.views)


def after_render() -> None:
    """Have the nodes show again what the artist chose to see where a matte is missing."""
    strict.end(nuke.thisNode())


def before_frame() -> None:
    """Make the matte of the frame that is rendered next, if it is not made yet.

    Raises:
        RuntimeError: it cannot be made.
    """
    _see_to(nuke.thisNode(), (int(nuke.frame()),), _command_line().views, in_frame=True)


def asked_frames(write: nuke.Node, line: CommandLine) -> tuple[int, ...]:
    """Return the frames that a command line renders of a Write."""
    if line.frames:
        return line.frames
    limits = write if write["use_limit"].value() else nuke.root()
    names = ("first", "last") if limits is write else ("first_frame", "last_frame")
    first, last = (int(limits[name].value()) for name in names)
    return tuple(range(first, last + 1))


def makes(group: nuke.Node) -> bool:
    """Whether a render makes the mattes of one of our nodes."""
    return value(group, "policy") != Policy.READ and not value(group, "disable")


def _command_line() -> CommandLine:
    return _read(tuple(str(word) for word in nuke.rawArgs))


@lru_cache(maxsize=1)  # a render asks before each frame, and a range may be long
def _read(words: tuple[str, ...]) -> CommandLine:
    return read_command_line(words)


def _is_asked_for(write: nuke.Node, line: CommandLine) -> bool:
    """Whether a command line renders a Write; `-X` may name it, or a Group that it is in."""
    parts = write.fullName().split(".")
    names = {".".join(parts[: count + 1]) for count in range(len(parts))}
    if line.writes:
        return bool(names & line.writes)
    return line.renders_all and not value(write, "disable")


def _see_to(
    write: nuke.Node, frames: Iterable[int], named: Iterable[str], *, in_frame: bool = False
) -> None:
    """Make the mattes that a Write reads in its views, those that are named if any are."""
    frames = tuple(frames)
    for node in _in_views(filter(makes, upstream(write)), write, named):
        with _told(node):
            _make(node, frames, in_frame=in_frame)


def _in_views(
    groups: Iterable[nuke.Group], write: nuke.Node, named: Iterable[str]
) -> Iterator[NukeNode]:
    """Yield nodes in each view of a Write, of those that are named if any are."""
    chosen = views.chosen_views(write, VIEWS)
    wanted = [view for view in chosen if view in named] or chosen
    for group in groups:
        for view in wanted:
            yield NukeNode(group, view)


@contextmanager
def _told(node: NukeNode) -> Iterator[None]:
    """Have an error on the node, and as what ends a render; no matte of before is read then.

    Without a GUI nobody sees a node, and a render may be a copy of the script: there it is printed,
    because whoever goes on after errors may print none.
    """
    try:
        yield
    except GvmError as error:
        strict.hide(node.group)
        if nuke.GUI:
            node.say(str(error), failed=True)
        else:
            nuke.tprint(f"{node.name}: {error}")
        raise RuntimeError(f"{node.name}: {error}") from error


@contextmanager
def _kept_for(write: nuke.Node) -> Iterator[None]:
    """Keep an error until the Write's render begins."""
    try:
        yield
    except (RuntimeError, GvmError) as error:
        _refused[write.fullName()] = error


def _make(node: NukeNode, frames: Iterable[int], *, in_frame: bool) -> None:
    clip, made = node.clip(), _made.setdefault(node.identity, set())
    # Outside the clip the Read holds its first or last frame.
    wanted = {min(max(frame, clip.first), clip.last) for frame in frames} - made
    if not wanted:
        strict.show_again(node.group)  # another frame was refused before
        return
    asked = prepared(node, sorted(wanted), Priority.RANGE)
    stood = existing(matte_pattern(node), wanted)
    result = _follow(node, asked)
    if result.error is not None:
        raise result.error
    made.update(wanted)
    node.made = record(node.made, asked, wanted)
    node.point_at(asked)
    if stood or nuke.GUI or not in_frame:  # else Nuke has not looked for these files yet
        shown.reload(node.group, at_once=True)


def _follow(node: NukeNode, asked: Matte) -> Update:
    """Follow a job, with a progress bar where somebody can see it."""
    if not nuke.GUI:
        return Work(asked, lambda _: None).run()
    news = [Update(note="Asking the server.")]

    def tell(update: Update) -> None:
        news[0] = update

    work = Work(asked, tell)
    work.start()
    task = nuke.ProgressTask(f"{node.name} mattes")
    while not work.wait(LOOK_SECONDS):
        task.setMessage(news[0].sentence)
        task.setProgress(100 * news[0].frames_done // max(news[0].frames_total, 1))
        if task.isCancelled():
            work.cancel()
    assert work.result is not None  # noqa: S101 - it has ended
    return work.result
