"""What the scripts use of Fusion and of a composition, by the names of Fusion's scripting guide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from gvm_nodes.core.clips import FrameRange


class Tool(Protocol):
    """A tool of a composition."""

    def GetAttrs(self) -> Mapping[str, Any]:  # noqa: N802 - Fusion's name
        """Return its attributes; a table is a dictionary with keys from 1."""

    def SetInput(self, name: str, value: object) -> None:  # noqa: N802
        """Set an input that is not animated."""

    def GetData(self, name: str) -> object:  # noqa: N802
        """Return what is kept beside the tool, or None."""

    def SetData(self, name: str, value: str) -> None:  # noqa: N802
        """Keep a text beside the tool; it is saved with the composition."""


class Composition(Protocol):
    """A composition."""

    def GetAttrs(self) -> Mapping[str, Any]:  # noqa: N802
        """Return its attributes; numbers are floats."""

    def MapPath(self, path: str) -> str:  # noqa: N802
        """Return a path without path maps, such as `Comp:`."""

    def AddTool(self, kind: str, x: int, y: int) -> Tool | None:  # noqa: N802
        """Add a tool; None where there is no such kind."""

    def GetToolList(self, selected: bool, kind: str) -> Mapping[Any, Tool] | None:  # noqa: N802, FBT001
        """Return the tools of a kind, only the selected ones or all."""

    def Lock(self) -> None:  # noqa: N802
        """Show no dialogs and render nothing by itself until it is unlocked.

        Only within a step of undo: Resolve 19.1 loses what is set under a bare lock.
        """

    def Unlock(self) -> None:  # noqa: N802
        """End a lock."""

    def StartUndo(self, name: str) -> None:  # noqa: N802
        """Begin one step of undo."""

    def EndUndo(self, keep: bool) -> None:  # noqa: N802, FBT001
        """End it; it is taken back where it is not kept."""

    def Render(self, how: Mapping[str, object]) -> bool | None:  # noqa: N802
        """Render as the table says; false or None where it does not start."""

    def AbortRender(self) -> None:  # noqa: N802
        """End a render, and ask nobody."""

    def Close(self) -> None:  # noqa: N802
        """Close the composition; a locked one is not asked about."""


class Fusion(Protocol):
    """The application."""

    def GetCurrentComp(self) -> Composition | None:  # noqa: N802
        """Return the composition in front."""

    def LoadComp(self, path: str, quiet: bool) -> Composition | None:  # noqa: N802, FBT001
        """Open a composition, asking nothing if it is to be quiet; None where it cannot be."""

    def QueueComp(self, how: Mapping[str, object]) -> object:  # noqa: N802
        """Add a job to the Render Manager; false or None where it cannot be."""


def render_range(comp: Composition) -> FrameRange:
    """Return the frames that a composition renders."""
    attributes = comp.GetAttrs()
    return FrameRange(int(attributes["COMPN_RenderStart"]), int(attributes["COMPN_RenderEnd"]))


def loaders(comp: Composition, *, selected: bool = False) -> list[Tool]:
    """Return the Loaders of a composition."""
    return list((comp.GetToolList(selected, "Loader") or {}).values())


@contextmanager
def undo_step(comp: Composition, name: str) -> Iterator[None]:
    """Make what is done one step of undo, without dialogs; an error takes all of it back.

    Whatever is set under a lock is set here.
    """
    comp.Lock()
    comp.StartUndo(name)
    keep = False
    try:
        yield
        keep = True
    finally:
        comp.EndUndo(keep)
        comp.Unlock()
