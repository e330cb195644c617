"""A Fusion that behaves: tools with attributes, locks, undo, renders, a queue and kept texts.

A Loader finds its sequence's first file by itself, as the real one; a new clip sets its inputs
anew, its beginning cannot pass its end, and moving one of them changes trims and holds. It shows
the files as they were when its clip was set. What is set while the composition is locked is lost,
unless a step of undo has begun. A step of undo that is not kept takes its tools back. A render goes
on by a frame for each look at the composition. Every thread but the main one is refused.
"""

# ruff: noqa: N802, FBT001 - names and arguments are the host's

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.fakes.remote import Remote
from tests.fakes.uimanager import Screen

BEFORE_ANY = -2000000000  # COMPN_LastFrameRendered


class Disk(NamedTuple):
    """A sequence on disk."""

    first: int
    length: int


class Tool(Remote):
    """A tool; `inputs` is what was set, `attributes` what it says of itself besides."""

    def __init__(self, kind: str, comp: Composition) -> None:
        self.kind = kind
        self.comp = comp
        self.disk = Disk(0, 1)
        self.inputs: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}
        self.data: dict[str, str] = {}
        self.shows: dict[str, bytes] = {}  # of a Loader: the files as it has read them

    def GetAttrs(self) -> dict[str, Any]:
        if self.kind != "Loader":
            return self.attributes
        own = {
            "TOOLST_Clip_Name": self.inputs.get("Clip", ""),
            "TOOLIT_Clip_StartFrame": self.disk.first,
            "TOOLIT_Clip_Length": self.disk.length,
            "TOOLIT_Clip_TrimIn": self.inputs.get("ClipTimeStart", 0),
            "TOOLIT_Clip_TrimOut": self.inputs.get("ClipTimeEnd", 0),
            "TOOLIT_Clip_ExtendFirst": self.inputs.get("HoldFirstFrame", 0),
            "TOOLIT_Clip_ExtendLast": self.inputs.get("HoldLastFrame", 0),
            "TOOLNT_Clip_Start": self.inputs.get("GlobalIn", 0),
            "TOOLNT_Clip_End": self.inputs.get("GlobalOut", 0),
            "TOOLBT_Clip_Reverse": bool(self.inputs.get("Reverse")),
            "TOOLBT_Clip_Loop": bool(self.inputs.get("Loop")),
        }
        tables = {name: {1.0: _as_lua(value)} for name, value in own.items()}
        return tables | self.attributes

    def SetInput(self, name: str, value: Any) -> None:
        if self.comp.locks and not self.comp.is_in_step:
            return  # as in Resolve 19.1
        if name == "Clip":
            self._open(value)
        elif name == "GlobalIn":
            value = min(value, self.inputs["GlobalOut"])
            self._moved("ClipTimeStart", "HoldFirstFrame", value - self.inputs["GlobalIn"])
        elif name == "GlobalOut":
            value = max(value, self.inputs["GlobalIn"])
            self._moved("ClipTimeEnd", "HoldLastFrame", self.inputs["GlobalOut"] - value)
        self.inputs[name] = value

    def GetData(self, name: str) -> str | None:
        return self.data.get(name)

    def SetData(self, name: str, value: str) -> None:
        self.data[name] = value

    def _open(self, path: str) -> None:
        self.disk = self.comp.sequence(path)
        folder = Path(path).parent
        self.shows = {one.name: one.read_bytes() for one in folder.glob("*.exr")}
        begins = self.comp.global_start
        self.inputs |= {
            "GlobalIn": begins,
            "GlobalOut": begins + self.disk.length - 1,
            "ClipTimeStart": 0,
            "ClipTimeEnd": self.disk.length - 1,
            "HoldFirstFrame": 0,
            "HoldLastFrame": 0,
        }

    def _moved(self, trim: str, hold: str, inwards: int) -> None:
        if inwards > 0:
            self.inputs[trim] += inwards if trim == "ClipTimeStart" else -inwards
        else:
            self.inputs[hold] -= inwards


class Composition(Remote):
    """A composition whose render range is `start` to `end`.

    Attributes:
        tools: every tool, in the order of creation.
        selection: the tools that are selected.
        kinds: what `AddTool` knows.
        on_disk: sequences by their folder, besides those that are really there.
        maps: what `MapPath` replaces at a path's beginning.
        rendered: the tables that `Render` was given.
        starts: whether a render starts.
        fails_at: the frame at which a render stops, if any.
        closed: whether it was closed, and locked then.
    """

    def __init__(self, start: int, end: int, *, global_start: int = 0) -> None:
        self.attributes = {
            "COMPN_RenderStart": float(start),
            "COMPN_RenderEnd": float(end),
            "COMPN_LastFrameRendered": float(BEFORE_ANY),
            "COMPB_Rendering": False,
            "COMPS_FileName": "",
            "COMPB_Modified": True,
        }
        self.global_start = global_start
        self.tools: list[Tool] = []
        self.selection: list[Tool] = []
        self.kinds = {"Loader", "ofx.org.gvmbridge.matte"}
        self.on_disk: dict[str, Disk] = {}
        self.maps: dict[str, str] = {}
        self.locks = 0
        self.steps: list[str] = []
        self.rendered: list[dict[str, Any]] = []
        self.starts = True
        self.fails_at: int | None = None
        self.is_aborted = False
        self.closed: bool | None = None
        self.is_in_step = False
        self._undo: list[Tool] = []
        self._frames: Iterator[int] = iter(())

    def GetAttrs(self) -> dict[str, Any]:
        if self.attributes["COMPB_Rendering"]:
            self._render_on()
        return dict(self.attributes)

    def MapPath(self, path: str) -> str:
        for name, folder in self.maps.items():
            path = path.replace(name, folder)
        return path

    def AddTool(self, kind: str, x: int, y: int) -> Tool | None:
        assert self.locks > 0  # else Fusion asks for a file
        if kind not in self.kinds:
            return None
        self.tools.append(Tool(kind, self))
        return self.tools[-1]

    def GetToolList(self, selected: bool, kind: str) -> dict[float, Tool]:
        tools = self.selection if selected else self.tools
        found = [tool for tool in tools if tool.kind == kind]
        return {float(number): tool for number, tool in enumerate(found, 1)}

    def Lock(self) -> None:
        self.locks += 1

    def Unlock(self) -> None:
        self.locks -= 1

    def StartUndo(self, name: str) -> None:
        self.steps.append(name)
        self.is_in_step = True
        self._undo = list(self.tools)

    def EndUndo(self, keep: bool) -> None:
        self.is_in_step = False
        if not keep:
            self.steps.pop()
            self.tools = self._undo

    def Render(self, how: dict[str, Any]) -> bool | None:
        assert how["Wait"] is False  # the script would hear no Cancel
        self.rendered.append(how)
        if not self.starts:
            return None
        self.attributes["COMPB_Rendering"] = True
        self._frames = iter(range(how["Start"], how["End"] + 1))
        return True

    def AbortRender(self) -> None:
        self.attributes["COMPB_Rendering"] = False
        self.is_aborted = True

    def Close(self) -> None:
        self.closed = self.locks > 0

    def select_loader(
        self, path: str, first: int, length: int, *, start: int, trim: int = 0
    ) -> Tool:
        """Add and select a Loader of a clip that is on disk; it plays from `start` on."""
        loader = Tool("Loader", self)
        loader.disk = Disk(first, length)
        loader.inputs = {
            "Clip": path,
            "ClipTimeStart": trim,
            "ClipTimeEnd": length - 1,
            "GlobalIn": start,
            "GlobalOut": start + length - trim - 1,
        }
        self.tools.append(loader)
        self.selection.append(loader)
        return loader

    def sequence(self, path: str) -> Disk:
        """Return what a Loader finds when it is given one file."""
        folder, _, name = path.rpartition("/")
        (number,) = re.findall(r"(\d+)\.exr$", name)
        known = self.on_disk.get(folder)
        found = sorted(Path(folder).glob(re.sub(r"\d+\.exr$", "*.exr", name)))
        if known or not found:
            return known or Disk(int(number), 1000)
        return Disk(int(found[0].name.split(".")[-2]), len(found))

    def _render_on(self) -> None:
        frame = next(self._frames, None)
        if frame is None or frame == self.fails_at:
            self.attributes["COMPB_Rendering"] = False
        else:
            self.attributes["COMPN_LastFrameRendered"] = float(frame)


class Fusion(Remote):
    """The application.

    Attributes:
        UIManager: what makes its windows; None where it has none.
        comp: the composition in front.
        files: what `LoadComp` opens, by path.
        takes_a_moment: how often `LoadComp` opens nothing, as in a Fusion that has just started.
        jobs: what was queued.
        takes: whether the Render Manager takes jobs.
        data: the texts that scripts keep.
    """

    def __init__(self, comp: Composition | None = None, screen: Screen | None = None) -> None:
        self.comp = comp
        self.UIManager = screen
        self.files: dict[str, Composition] = {}
        self.takes_a_moment = 0
        self.jobs: list[dict[str, Any]] = []
        self.takes = True
        self.data: dict[str, str] = {}

    def GetData(self, name: str) -> str | None:
        return self.data.get(name)

    def SetData(self, name: str, value: str) -> None:
        self.data[name] = value

    def GetCurrentComp(self) -> Composition | None:
        return self.comp

    def LoadComp(self, path: str, *quiet: bool) -> Composition | None:
        assert quiet == (True,)  # else it may ask for missing media, and a farm waits
        self.takes_a_moment -= 1
        return self.files.get(path) if self.takes_a_moment < 0 else None

    def QueueComp(self, how: dict[str, Any]) -> dict[str, Any] | None:
        if self.takes:
            self.jobs.append(how)
        return how if self.takes else None

    def names(self) -> dict[str, Any]:
        """Return what a script of the menu is given."""
        given = {"fusion": self, "fu": self, "comp": self.comp}
        return given | ({"bmd": self.UIManager} if self.UIManager else {})


def _as_lua(value: Any) -> Any:
    """Return a value as it comes from Lua, which has one kind of number."""
    return float(value) if type(value) is int else value
