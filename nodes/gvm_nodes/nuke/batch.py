"""A Write below the node: the mattes of the frames asked for are made before they are read.

Laws:
1. With `-x` or `-X` the whole range is known and is one job; else each frame asks as it comes.
2. An error stops the render (Nuke's exit code 1) and is on the node; nothing waits for a person.
3. A node set to "only read what exists" contacts nobody.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import cast

import nuke

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import Matte
from gvm_client.settings import Priority
from gvm_nodes.actions import prepared
from gvm_nodes.frame_range import parse_frames
from gvm_nodes.knobs import Policy
from gvm_nodes.nuke.group import is_ours
from gvm_nodes.nuke.knobs import value
from gvm_nodes.nuke.node import NukeNode
from gvm_nodes.work import Update, Work

LOOK_SECONDS = 0.1  # how often a progress bar's Cancel is looked at

_made: dict[str, set[int]] = {}  # by the node's own name: what this render has seen to


def before_render() -> None:
    """Make the mattes of the whole range, where the command line says which it is.

    Raises:
        RuntimeError: a matte cannot be made.
    """
    _made.clear()
    write = nuke.thisNode()
    frames = asked_frames(write, [str(word) for word in nuke.rawArgs])
    if frames:
        _see_to(write, frames)


def before_frame() -> None:
    """Make the matte of the frame that is rendered next, if it is not made yet.

    Raises:
        RuntimeError: it cannot be made.
    """
    _see_to(nuke.thisNode(), (int(nuke.frame()),))


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


def _see_to(write: nuke.Node, frames: Iterable[int]) -> None:
    for node in map(NukeNode, _upstream(write)):
        if node.wishes().policy == Policy.MAKE and not value(node.group, "disable"):
            clip, made = node.clip(), _made.setdefault(node.identity, set())
            # Outside the clip the Read holds its first or last frame.
            wanted = {min(max(frame, clip.first), clip.last) for frame in frames} - made
            if wanted:
                _make(node, sorted(wanted))
                made.update(wanted)


def _make(node: NukeNode, frames: list[int]) -> None:
    try:
        request = prepared(node, frames, Priority.RANGE, may_write=False)
        result = _follow(node, request)
        if result.error is not None:
            raise result.error
    except GvmError as error:
        node.say(str(error), failed=True)
        raise RuntimeError(f"{node.name}: {error}") from error
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


def _upstream(write: nuke.Node) -> Iterator[nuke.Group]:
    """Yield the nodes of ours above a node, those nearest to the plate first."""
    found: dict[str, nuke.Group] = {}
    waiting, seen = [write], {write.fullName()}
    while waiting:
        for above in _above(waiting.pop()):
            if above.fullName() in seen:
                continue
            seen.add(above.fullName())
            waiting.append(above)
            if is_ours(above):
                found[above.fullName()] = cast(nuke.Group, above)
    yield from reversed(found.values())


def _above(node: nuke.Node) -> Iterator[nuke.Node]:
    """Yield what a node gets its pictures from: its inputs, a Group's inside, a Group's outside."""
    for index in range(node.inputs()):
        above = node.input(index)
        if above is not None:
            yield above
    if isinstance(node, nuke.Group) and not is_ours(node):
        with suppress(ValueError):  # a Group without an Output
            yield node.output()
    outside = nuke.toNode(f"root.{node.fullName().rpartition('.')[0]}")
    if node.Class() == "Input" and outside is not None:
        above = outside.input(int(node["number"].value()))
        if above is not None:
            yield above
