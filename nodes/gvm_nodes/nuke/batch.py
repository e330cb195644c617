"""A Write below the node: the mattes of the frames asked for are made before they are read.

Laws:
1. With `-x` or `-X` the whole range is known and is one job; else each frame asks as it comes.
2. Nuke renders nothing within a render: a tree is written as a plate when a script is loaded to be
   rendered (`-x`, `-X`), and never later.
3. An error stops the render (Nuke's exit code 1) and is on the node; nothing waits for a person.
4. A node set to "only read what exists" contacts nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import nuke

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import Matte
from gvm_client.settings import Priority
from gvm_nodes.actions import prepared
from gvm_nodes.frame_range import parse_frames
from gvm_nodes.knobs import Policy
from gvm_nodes.nuke import views
from gvm_nodes.nuke.knobs import VIEWS, value
from gvm_nodes.nuke.node import NukeNode
from gvm_nodes.nuke.upstream import upstream
from gvm_nodes.work import Update, Work

LOOK_SECONDS = 0.1  # how often a progress bar's Cancel is looked at

_made: dict[str, set[int]] = {}  # by the node's own name: what this render has seen to
_refused: dict[str, RuntimeError] = {}  # by the Write: why its render cannot begin


def before_writes() -> None:
    """Make what the Writes need that the command line renders, where it says which they are.

    An error waits for its Write, so that it ends that render and not the loading of the script.
    """
    words = _command_line()
    for write in asked_writes(words):
        with _kept_for(write):
            _see_to(write, asked_frames(write, words), may_write=True)


def before_render() -> None:
    """Make the mattes of the whole range, where the command line says which it is.

    Raises:
        RuntimeError: a matte cannot be made.
    """
    write = nuke.thisNode()
    if refused := _refused.pop(write.fullName(), None):
        raise refused
    _made.clear()  # plates may have changed since the last render
    _see_to(write, asked_frames(write, _command_line()))


def before_frame() -> None:
    """Make the matte of the frame that is rendered next, if it is not made yet.

    Raises:
        RuntimeError: it cannot be made.
    """
    _see_to(nuke.thisNode(), (int(nuke.frame()),))


def asked_writes(words: list[str]) -> Iterator[nuke.Node]:
    """Yield the Writes that a command line renders."""
    named = [words[index + 1] for index, word in enumerate(words[:-1]) if word == "-X"]
    names = {name for text in named for name in text.split(",")}
    for write in nuke.allNodes("Write"):
        if write.name() in names or ("-x" in words and not value(write, "disable")):
            yield write


def asked_frames(write: nuke.Node, words: list[str]) -> tuple[int, ...]:
    """Return the frames that a command line renders, or none where it does not say."""
    if not any(word in ("-x", "-X") for word in words):
        return ()
    given = [words[index + 1] for index, word in enumerate(words[:-1]) if word == "-F"]
    if given:
        return parse_frames(" ".join(given))
    limits = write if write["use_limit"].value() else nuke.root()
    names = ("first", "last") if limits is write else ("first_frame", "last_frame")
    first, last = (int(limits[name].value()) for name in names)
    return tuple(range(first, last + 1))


def _command_line() -> list[str]:
    return [str(word) for word in nuke.rawArgs]


def _see_to(write: nuke.Node, frames: Iterable[int], *, may_write: bool = False) -> None:
    for group in upstream(write):
        for view in views.chosen_views(write, VIEWS):
            node = NukeNode(group, view)
            with _told(node):
                _make(node, frames, may_write=may_write)


@contextmanager
def _told(node: NukeNode) -> Iterator[None]:
    """Have an error on the node, and as what ends a render."""
    try:
        yield
    except GvmError as error:
        node.say(str(error), failed=True)
        raise RuntimeError(f"{node.name}: {error}") from error


@contextmanager
def _kept_for(write: nuke.Node) -> Iterator[None]:
    """Keep an error until the Write's render begins."""
    try:
        yield
    except RuntimeError as error:
        _refused[write.fullName()] = error


def _make(node: NukeNode, frames: Iterable[int], *, may_write: bool) -> None:
    if node.wishes().policy != Policy.MAKE or value(node.group, "disable"):
        return
    clip, made = node.clip(), _made.setdefault(node.identity, set())
    # Outside the clip the Read holds its first or last frame.
    wanted = {min(max(frame, clip.first), clip.last) for frame in frames} - made
    if not wanted:
        return
    request = prepared(node, sorted(wanted), Priority.RANGE, may_write=may_write)
    result = _follow(node, request)
    if result.error is not None:
        raise result.error
    made.update(wanted)
    node.show(request)


def _follow(node: NukeNode, request: Matte) -> Update:
    """Follow a job, with a progress bar where somebody can see it."""
    if not nuke.GUI:
        return Work(request, lambda _: None).run()
    news: list[Update] = [Update(note="Asking the server.")]
    work = Work(request, news.append)
    work.start()
    task = nuke.ProgressTask(f"{node.name} mattes")
    while not work.wait(LOOK_SECONDS):
        task.setMessage(news[-1].sentence)
        task.setProgress(100 * news[-1].frames_done // max(news[-1].frames_total, 1))
        if task.isCancelled():
            work.cancel()
    return news[-1]
