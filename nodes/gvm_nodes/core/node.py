"""A node of a host, and the host itself, as far as buttons, jobs and renders need them.

A `Node` is used on the host's main thread only, and is looked up by its identity each time: a
renamed node is found, and a deleted one is skipped. Reading a node contacts no server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from gvm_client.protocol.messages import Matte
from gvm_nodes.core.clips import AS_FILE
from gvm_nodes.core.settings import MatteOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class Clip:
    """The plate below a node.

    Attributes:
        path: absolute: a movie, or the pattern of a sequence.
        first: the clip's first frame.
        last: the clip's last frame.
        title: its name in the mattes' paths; "" means that of its files.
        written: whether the host writes these files for us, from a tree that is no plain file.
        colourspace: what the files are in, as the host has it; `auto` leaves it to the server.
    """

    path: str
    first: int
    last: int
    title: str = ""
    written: bool = False
    colourspace: str = AS_FILE

    @property
    def frames(self) -> range:
        """Every frame of it."""
        return range(self.first, self.last + 1)


class Node(Protocol):
    """One of our nodes."""

    @property
    def identity(self) -> str:
        """A short name of its own that survives renaming and saving."""

    @property
    def name(self) -> str:
        """What the artist calls it."""

    @property
    def job(self) -> str:
        """The ticket of the job that it waits for, saved with the document; "" for none."""

    @job.setter
    def job(self, ticket: str) -> None: ...

    @property
    def made(self) -> str:
        """How the mattes that it shows were made (`saved_state`), saved with the document."""

    @made.setter
    def made(self, text: str) -> None: ...

    @property
    def said(self) -> str:
        """The sentence that it shows."""

    def options(self) -> MatteOptions:
        """Return what its knobs say.

        Raises:
            SettingsError: a knob holds what it cannot.
        """

    def clip(self) -> Clip:
        """Return its plate.

        Raises:
            GvmError: nothing is connected, or it cannot be used.
        """

    def folder(self) -> str:
        """Return the folder of its document, or "" where that was never saved."""

    def document_range(self) -> range:
        """Return the frames of its document."""

    def frame(self) -> int:
        """Return the current frame."""

    def others(self) -> Iterable[Node]:
        """Return the document's other nodes of ours, but those that are disabled."""

    def write_plate(self, clip: Clip, frames: Iterable[int]) -> None:
        """Have the plate's files stand that are written for us.

        Args:
            clip: what `clip` said, with `written`.
            frames: what will be looked at.

        Raises:
            GvmError: they cannot be written, or not now.
        """

    def say(self, sentence: str, *, failed: bool = False) -> None:
        """Show a sentence; it is neither a change of the document nor a step of undo."""

    def show(self, made: Matte) -> None:
        """Show a request's mattes, as far as they stand, and read them anew.

        Raises:
            GvmError: it cannot, because something of the node was deleted.
        """


class Host(Protocol):
    """The program that the nodes live in."""

    @property
    def is_batch(self) -> bool:
        """Whether nobody looks: then work is waited for, and errors are raised."""

    def find(self, identity: str) -> Node | None:
        """Return the node of this name, or None where it was deleted or its document closed."""

    def post(self, call: Callable[[], None]) -> None:
        """Have the main thread call this soon; any thread may ask."""
