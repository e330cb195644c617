"""The node and Natron, as the buttons, jobs and renders of every host need them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from gvm_client.errors import InputError
from gvm_client.protocol.messages import Matte
from gvm_nodes.knobs import Wishes
from gvm_nodes.natron import shown
from gvm_nodes.natron.api import App, Effect, is_background, natron
from gvm_nodes.natron.group import ours
from gvm_nodes.natron.knobs import IDENTITY, JOB, MADE, STATUS, keep, read, text
from gvm_nodes.natron.mainthread import MainThread, qt_core
from gvm_nodes.natron.plate import Placed, placed, project_folder
from gvm_nodes.natron.underway import UnderWay
from gvm_nodes.node import Clip


class NatronNode:
    """One of our groups; as `gvm_nodes.node.Node`.

    Args:
        app: its project.
        group: the group.
        renders: those that are under way, during which nothing new is shown.
    """

    def __init__(self, app: App, group: Effect, renders: UnderWay) -> None:
        self.app, self.group, self._renders = app, group, renders

    @property
    def identity(self) -> str:
        """The short name that `group.set_id` gave."""
        return text(self.group, IDENTITY)

    @property
    def name(self) -> str:
        """The group's name."""
        return str(self.group.getScriptName())

    @property
    def job(self) -> str:
        """The ticket of the job that the node waits for; "" for none."""
        return text(self.group, JOB)

    @job.setter
    def job(self, ticket: str) -> None:
        keep(self.group, JOB, ticket)

    @property
    def made(self) -> str:
        """What `freshness` keeps of the mattes that are shown."""
        return text(self.group, MADE)

    @made.setter
    def made(self, kept: str) -> None:
        keep(self.group, MADE, kept)

    @property
    def said(self) -> str:
        """The sentence that the group shows."""
        return text(self.group, STATUS)

    def wishes(self) -> Wishes:
        """Return what the parameters say; as `Node.wishes`."""
        return read(self.group)

    def plate(self) -> Placed:
        """Return the plate, and where it stands in time.

        Raises:
            InputError: nothing is connected, or it is no Read of files.
        """
        return placed(self.app, self.group)

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

    def write_plate(self, clip: Clip, frames: Iterable[int]) -> None:
        """Have nothing to write: a Read's files stand, and nothing else is a plate here."""

    def say(self, sentence: str, *, failed: bool = False) -> None:
        """Show a sentence on the group."""
        shown.status(self.group, sentence, failed=failed)

    def show(self, made: Matte) -> None:
        """Let the Read inside show a request's mattes, after the renders that are under way.

        Raises:
            InputError: the Read inside was deleted.
        """
        if self._renders.keeps(self.identity, made):
            return
        plate = None
        with suppress(InputError):  # it was taken away meanwhile
            plate = self.plate()
        shown.mattes(self.group, made, plate)


class NatronHost:
    """The Natron that runs; as `gvm_nodes.node.Host`.

    Args:
        main: the way to its main thread.
        renders: those that are under way.
    """

    def __init__(self, main: MainThread, renders: UnderWay) -> None:
        self._main, self._renders = main, renders
        self._projects: set[int] = set()

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
        self._projects.add(number)
        return number

    def project(self, number: int) -> App | None:
        """Return an open project by Natron's number."""
        return natron().getInstance(number)

    def find(self, identity: str) -> NatronNode | None:
        """Return the node of an identity."""
        return next((node for node in self._nodes() if node.identity == identity), None)

    def post(self, call: Callable[[], None]) -> None:
        """Have the main thread call this soon."""
        self._main.post(call)

    def watch(self) -> None:
        """Have what is posted be called, until nothing is under way; on the main thread only."""
        if not self.is_batch:
            self._main.watch()

    def _nodes(self) -> Iterator[NatronNode]:
        for number in sorted(self._projects):
            app = self.project(number)
            if app is not None:
                yield from (self.node(app, group) for group in ours(app))
