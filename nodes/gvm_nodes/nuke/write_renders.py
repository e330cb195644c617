"""A Write below the node: the mattes of the frames asked for are made before they are read.

With `-x` or `-X` the whole range is known and is one job; else each frame is asked for as it comes.
A tree's plate is written, and its mattes are made, when a script is loaded to be rendered: within a
Write's own render Nuke may refuse to render anything else.

An error stops the render (Nuke's exit code 1) and is shown on the node, without a GUI in the
terminal; nothing waits for a person. No frame is rendered without its matte, also where Nuke goes
on after errors (`matte_read`), and none with its plate's own alpha. What the Reads inside name is
set before the render; within it, only files appear. A node set to "only read what exists" contacts
no server.

The command line is `nuke <switches> <script> <argv> <ranges>`; what follows the script is the
script's own (argv), except for ranges at the end. Source: "Using command line flags" of Foundry's
guide to Nuke 16.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

import nuke

from gvm_client.errors import GvmError
from gvm_client.frames import parse_frames
from gvm_client.protocol.messages import Matte
from gvm_client.settings import Priority
from gvm_nodes.core.actions import prepare_request
from gvm_nodes.core.clips import existing_frames
from gvm_nodes.core.followed_job import FollowedJob, Update
from gvm_nodes.core.node_request import matte_pattern, node_request
from gvm_nodes.core.panel_words import in_panel_words
from gvm_nodes.core.saved_state import record_made
from gvm_nodes.core.settings import Policy
from gvm_nodes.nuke import knobs, matte_read
from gvm_nodes.nuke.group import nodes_above, script_writes
from gvm_nodes.nuke.knobs import VIEWS, value
from gvm_nodes.nuke.node import NukeNode

LOOK_SECONDS = 0.1  # how often a progress bar's Cancel is looked at

_made: dict[str, set[int]] = {}  # by the node's own name: what this render has seen to
_refused: dict[str, Exception] = {}  # by the Write: why its render cannot begin

# Switches whose value is the next word.
_VALUED = frozenset(
    {"-F", "-X", "-c", "-d", "-m", "-s", "-Pf", "--view", "--remap", "--priority",
     "--workspace", "--crashhandling"}
)  # fmt: skip
_INDEXED = frozenset({"--gpu", "-V"})  # their value, a number, may be left out
_JOINED = re.compile(r"(-F)(-?\d.*)")  # a range in the switch's own word
_RANGE = re.compile(r"-?\d+(--?\d+(x\d+)?)?")
_OLD_RANGE = re.compile(r"(-?\d+),(-?\d+)(?:,(\d+))?")  # first, last and step: before `-F`


def before_writes() -> None:
    """Make what the Writes need that the command line renders, where it says which they are.

    An error waits for its Write, so that it ends that render and not the loading of the script.
    """
    for write in script_writes():
        with _errors_kept_for(write):
            line = _command_line()
            if _is_asked_for(write, line):
                _make_needed(write, asked_frames(write, line), line.views)


def before_render() -> None:
    """Make the mattes of the whole range, where the command line says which it is.

    Raises:
        RuntimeError: a matte cannot be made.
    """
    write = nuke.thisNode()
    matte_read.end_render(write)  # of a render that was broken off
    above = [group for group in nodes_above(write) if not value(group, "disable")]
    making = [group for group in above if makes(group)]
    reading = [group for group in above if not makes(group) and matte_read.passes_plate(group)]
    matte_read.begin_render(write, making, reading)
    if refused := _refused.pop(write.fullName(), None):
        raise refused
    _made.clear()  # plates may have changed since the last render
    line = _command_line()
    for node in _in_views(making + reading, write, line.views):
        with _errors_on_node(node):
            node.point_at(node_request(node, ()))
    if line.renders:
        _make_needed(write, asked_frames(write, line), line.views)


def after_render() -> None:
    """Have the nodes show again what the artist chose to see where a matte is missing."""
    matte_read.end_render(nuke.thisNode())


def before_frame() -> None:
    """Make the matte of the frame that is rendered next, if it is not made yet.

    Raises:
        RuntimeError: it cannot be made.
    """
    _make_needed(nuke.thisNode(), (int(nuke.frame()),), _command_line().views, in_frame=True)


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
    return _read_words(tuple(str(word) for word in nuke.rawArgs))


@lru_cache(maxsize=1)  # a render asks before each frame, and a range may be long
def _read_words(words: tuple[str, ...]) -> CommandLine:
    return read_command_line(words)


def _is_asked_for(write: nuke.Node, line: CommandLine) -> bool:
    """Whether a command line renders a Write; `-X` may name it, or a Group that it is in."""
    parts = write.fullName().split(".")
    names = {".".join(parts[: count + 1]) for count in range(len(parts))}
    if line.writes:
        return bool(names & line.writes)
    return line.renders_all and not value(write, "disable")


def _make_needed(
    write: nuke.Node, frames: Iterable[int], named: Iterable[str], *, in_frame: bool = False
) -> None:
    """Make the mattes that a Write reads in its views, those that are named if any are."""
    frames = tuple(frames)
    for node in _in_views(filter(makes, nodes_above(write)), write, named):
        with _errors_on_node(node):
            _make(node, frames, in_frame=in_frame)


def _in_views(
    groups: Iterable[nuke.Group], write: nuke.Node, named: Iterable[str]
) -> Iterator[NukeNode]:
    """Yield nodes in each view of a Write, of those that are named if any are."""
    chosen = knobs.chosen_views(write, VIEWS)
    wanted = [view for view in chosen if view in named] or chosen
    for group in groups:
        for view in wanted:
            yield NukeNode(group, view)


@contextmanager
def _errors_on_node(node: NukeNode) -> Iterator[None]:
    """Have an error on the node, and as what ends a render; no matte of before is read then.

    Without a GUI nobody sees a node, and a render may be a copy of the script: there it is printed,
    because whoever goes on after errors may print none.
    """
    try:
        yield
    except GvmError as error:
        matte_read.hide_mattes(node.group)
        if nuke.GUI:
            node.say(str(error), failed=True)
        else:
            nuke.tprint(f"{node.name}: {in_panel_words(str(error))}")
        raise RuntimeError(f"{node.name}: {in_panel_words(str(error))}") from error


@contextmanager
def _errors_kept_for(write: nuke.Node) -> Iterator[None]:
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
        matte_read.show_mattes(node.group)  # another frame was refused before
        return
    asked = prepare_request(node, sorted(wanted), Priority.RANGE)
    stood = existing_frames(matte_pattern(node), wanted)
    result = _follow_job(node, asked)
    if result.error is not None:
        raise result.error
    made.update(wanted)
    node.made = record_made(node.made, asked, wanted)
    node.point_at(asked)
    if stood or nuke.GUI or not in_frame:  # else Nuke has not looked for these files yet
        matte_read.reload(node.group, at_once=True)


def _follow_job(node: NukeNode, asked: Matte) -> Update:
    """Follow a job, with a progress bar where somebody can see it."""
    if not nuke.GUI:
        return FollowedJob(asked, lambda _: None).run()
    news = [Update(note="Asking the server.")]

    def tell(update: Update) -> None:
        news[0] = update

    job = FollowedJob(asked, tell)
    job.start()
    task = nuke.ProgressTask(f"{node.name} mattes")
    while not job.wait(LOOK_SECONDS):
        task.setMessage(news[0].sentence)
        task.setProgress(100 * news[0].frames_done // max(news[0].frames_total, 1))
        if task.isCancelled():
            job.cancel()
    assert job.result is not None  # noqa: S101 - it has ended
    return job.result


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandLine:
    """What is rendered.

    Attributes:
        renders_all: whether it is every Write that is switched on (`-x`).
        writes: the Writes that are named (`-X`).
        frames: the frames that are named; () where they are not.
        views: the views that are named; () where they are not.
    """

    renders_all: bool = False
    writes: frozenset[str] = frozenset()
    frames: tuple[int, ...] = ()
    views: tuple[str, ...] = ()

    @property
    def renders(self) -> bool:
        """Whether Nuke was started to render a script and to end."""
        return self.renders_all or bool(self.writes)


def read_command_line(words: Sequence[str]) -> CommandLine:
    """Return what a command line renders.

    Args:
        words: as `nuke.rawArgs`, the program first.

    Raises:
        SettingsError: a range cannot be read.
    """
    switches, values, rest = _split(words[1:])
    ranges = [text for name, text in values if name == "-F"] or _ranges_at_the_end(rest[1:])
    return CommandLine(
        renders_all=any(_has_letter(switch, "x") for switch in switches),
        writes=_names_of("-X", values),
        frames=parse_frames(" ".join(ranges)) if ranges else (),
        views=tuple(sorted(_names_of("--view", values))),
    )


def _split(words: Sequence[str]) -> tuple[list[str], list[tuple[str, str]], list[str]]:
    """Return switches, switches with their values, and what begins with the script."""
    switches: list[str] = []
    values: list[tuple[str, str]] = []
    index = 0
    while index < len(words) and words[index].startswith("-"):
        word = words[index]
        index += 1
        if word == "--":
            break
        following = words[index] if index < len(words) else ""
        if joined := _JOINED.fullmatch(word):
            values.append((joined[1], joined[2]))
        elif (word in _VALUED and following) or (word in _INDEXED and following.isdigit()):
            values.append((word, following))
            index += 1
        else:
            switches.append(word)
    return switches, values, list(words[index:])


def _names_of(switch: str, values: Iterable[tuple[str, str]]) -> frozenset[str]:
    return frozenset(name for key, text in values if key == switch for name in text.split(","))


def _has_letter(switch: str, letter: str) -> bool:
    """Whether a switch of single letters has one of them: `-x`, `-xi`, `-ix`."""
    return not switch.startswith("--") and switch.isascii() and letter in switch[1:3]


def _ranges_at_the_end(argv: Sequence[str]) -> list[str]:
    ranges: list[str] = []
    for word in reversed(argv):
        if old := _OLD_RANGE.fullmatch(word):
            ranges.append(f"{old[1]}-{old[2]}" + (f"x{old[3]}" if old[3] else ""))
        elif _RANGE.fullmatch(word):
            ranges.append(word)
        else:
            break
    return ranges
