"""A group of ours as a node, and Natron as its host."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from gvm_client.errors import GvmError, InputError
from gvm_client.protocol.messages import Matte
from gvm_client.regions import region_of
from gvm_nodes.core import node_request
from gvm_nodes.core.node import Clip
from gvm_nodes.core.panel_words import in_panel_words
from gvm_nodes.core.settings import MatteOptions
from gvm_nodes.natron import matte_read
from gvm_nodes.natron.group import ours
from gvm_nodes.natron.parameters import (
    COLOUR,
    IDENTITY,
    JOB,
    MADE,
    NO_BOX,
    STATUS,
    draw_region,
    drawn_region,
    keep_text,
    kept_text,
    read_options,
)
from gvm_nodes.natron.plate import TimedPlate, display_window, plate_of, project_folder
from gvm_nodes.natron.program import (
    ActiveRenders,
    App,
    Effect,
    MainThread,
    is_background,
    natron,
    param_value,
    qt_core,
    quietly,
    set_if_changed,
)

RED = (0.75, 0.19, 0.19)
FAILED = "GVM failed: see its status"
_LABEL = "userTextArea"  # the text below a node's name


class NatronNode:
    """One of our groups; as `core.node.Node`.

    Args:
        app: its project.
        group: the group.
        renders: the active ones, during which nothing new is shown.
    """

    def __init__(self, app: App, group: Effect, renders: ActiveRenders) -> None:
        self.app, self.group, self._renders = app, group, renders

    @property
    def identity(self) -> str:
        """The short name that `group.set_id` gave."""
        return kept_text(self.group, IDENTITY)

    @property
    def name(self) -> str:
        """The group's name."""
        return str(self.group.getScriptName())

    @property
    def job(self) -> str:
        """The ticket of the job that the node waits for; "" for none."""
        return kept_text(self.group, JOB)

    @job.setter
    def job(self, ticket: str) -> None:
        keep_text(self.group, JOB, ticket)

    @property
    def made(self) -> str:
        """How the mattes that are shown were made, as `core.saved_state` keeps it."""
        return kept_text(self.group, MADE)

    @made.setter
    def made(self, kept: str) -> None:
        keep_text(self.group, MADE, kept)

    @property
    def said(self) -> str:
        """The sentence that the group shows."""
        return kept_text(self.group, STATUS)

    def options(self) -> MatteOptions:
        """Return what the parameters say; as `Node.options`."""
        options, drawn = read_options(self.group), drawn_region(self.group)
        if drawn is None:
            return options
        return replace(options, roi=str(region_of(drawn, *display_window(self.group))))

    def begin_region(self) -> None:
        """Let a box that is used and not drawn yet be the plate's format."""
        if drawn_region(self.group) != NO_BOX:
            return
        with suppress(InputError):  # nothing is connected: said when it renders
            form, aspect = display_window(self.group)
            left, right = form.left * aspect, form.right * aspect
            draw_region(self.group, replace(form, left=left, right=right))

    def plate(self) -> TimedPlate:
        """Return the plate, and where it stands in time.

        Raises:
            InputError: nothing is connected, or it is no Read of files.
        """
        return plate_of(self.app, self.group)

    def clip(self) -> Clip:
        """Return the plate; as `Node.clip`."""
        plate = self.plate()
        return Clip(
            path=plate.path, first=plate.first, last=plate.last, colourspace=plate.colourspace
        )

    def folder(self) -> str:
        """Return the project's folder; "" for one that was never saved."""
        return project_folder(self.app)

    def document_range(self) -> range:
        """Return the plate's numbers at the project's times."""
        shift = self.plate().shift
        first, last = self.app.timelineGetLeftBound(), self.app.timelineGetRightBound()
        return range(int(first) - shift, int(last) - shift + 1)

    def frame(self) -> int:
        """Return the plate's number at the current time."""
        plate, time = self.plate(), int(self.app.timelineGetTime())
        number = plate.number(time)
        return time - plate.shift if number is None else number

    def others(self) -> Iterator[NatronNode]:
        """Yield the project's other nodes; as `Node.others`."""
        for group in ours(self.app):
            node = NatronNode(self.app, group, self._renders)
            if node.identity != self.identity and not group.getParam("disableNode").get():
                yield node

    def write_plate(self, clip: Clip, frames: Iterable[int]) -> None:
        """Have nothing to write: a Read's files stand, and nothing else is a plate here."""

    def say(self, sentence: str, *, failed: bool = False) -> None:
        """Show a sentence on the group."""
        _show_status(self.group, sentence, failed=failed)

    def show(self, made: Matte) -> None:
        """Let the Read inside show a request's mattes, after the active renders.

        Raises:
            InputError: the Read inside was deleted.
        """
        if self._renders.keeps(self.identity, made):
            return
        plate = None
        with suppress(InputError):  # it was taken away meanwhile
            plate = self.plate()
        matte_read.show_mattes(self.group, made, plate)

    def follow_plate(self) -> None:
        """Let the Read inside be where its plate is in time, and show what it should.

        Mattes that were made stay, also when the parameters ask for others now. As long as none
        were, the Read names what will be made, so that a render without the artist finds it.

        Raises:
            InputError: the Read inside was deleted.
        """
        wanted = matte_read.kept_state(self.group)
        with suppress(GvmError):  # no plate, or no place for mattes yet
            pattern = node_request.matte_pattern(self)
            if wanted is None or not self.made or wanted.file == pattern:
                wanted = matte_read.MatteReadState.beside(self.plate(), pattern)
        if wanted is not None:
            matte_read.apply_state(self.group, wanted)
        else:
            matte_read.apply_missing(self.group)

    def open_matte_read(self) -> None:
        """Have the Read inside learn its layers, if it was set before the mattes that exist now.

        Natron does nothing about what is set while a project is loaded.

        Raises:
            InputError: the Read inside was deleted.
        """
        wanted = matte_read.kept_state(self.group)
        if wanted is None or matte_read.is_open(self.group):
            return
        if not Path(wanted.file).parent.is_dir():
            return
        frame = matte_read.first_existing(wanted, range(wanted.first, wanted.last + 1))
        if frame is not None:
            matte_read.reread(self.group, wanted, frame)


class NatronHost:
    """The Natron that runs; as `core.node.Host`.

    Args:
        main: the way to its main thread.
        renders: the active ones.
    """

    def __init__(self, main: MainThread, renders: ActiveRenders) -> None:
        self._main, self._renders = main, renders
        self._projects: list[int] = []  # the one that was used last first

    @property
    def is_batch(self) -> bool:
        """Whether nobody looks, or there is no way back to the main thread."""
        return bool(is_background()) or qt_core() is None

    def node(self, app: App, group: Effect) -> NatronNode:
        """Return one of our groups as a node."""
        return NatronNode(app, group, self._renders)

    def remember(self, app: App) -> int:
        """Know a project, for Natron has no list of those that are open; return its number."""
        number = int(app.getAppID())
        self._projects = [number, *(one for one in self._projects if one != number)]
        return number

    def project(self, number: int) -> App | None:
        """Return an open project by Natron's number."""
        return natron().getInstance(number)

    def find(self, identity: str) -> NatronNode | None:
        """Return the node of an identity.

        Two projects may be open of which one was saved as the other: then it is the node that waits
        for a job, else that of the project that was used last.
        """
        found = [node for node in self._nodes() if node.identity == identity]
        return next((node for node in found if node.job), found[0] if found else None)

    def post(self, call: Callable[[], None]) -> None:
        """Have the main thread call this soon."""
        self._main.post(call)

    def watch(self) -> None:
        """Have what is posted be called, until nothing is busy; on the main thread only."""
        if not self.is_batch:
            self._main.watch()

    def _nodes(self) -> Iterator[NatronNode]:
        for number in self._projects:
            app = self.project(number)
            if app is not None:
                yield from (self.node(app, group) for group in ours(app))


def _show_status(group: Effect, sentence: str, *, failed: bool = False) -> None:
    """Show a sentence on a group, in its words; a failure is red until the next sentence."""
    keep_text(group, STATUS, in_panel_words(sentence))
    label = group.getParam(_LABEL)
    with quietly():
        if param_value(label) in ("", FAILED):  # else it is the artist's
            set_if_changed(label, FAILED if failed else "")
    if not is_background():
        _colour(group, failed=failed)


def _colour(group: Effect, *, failed: bool) -> None:
    before = kept_text(group, COLOUR)
    if failed and not before:
        keep_text(group, COLOUR, json.dumps(list(group.getColor())))
        group.setColor(*RED)
    elif before and not failed:
        with suppress(ValueError, TypeError):  # a damaged one is not put back
            group.setColor(*json.loads(before))
        keep_text(group, COLOUR, "")
