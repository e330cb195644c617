"""A Fusion composition that behaves: tools with attributes, locks, undo, and files on a disk.

A Loader finds its sequence's first file by itself, as the real one; a step of undo that is not kept
takes its tools back.
"""

# ruff: noqa: N802, FBT001 - names and arguments are the host's

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any


class Tool:
    """A tool; `inputs` is what was set, `attributes` what it says of itself."""

    def __init__(self, kind: str, disk: Callable[[str], int]) -> None:
        self.kind = kind
        self.inputs: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}
        self.data: dict[str, str] = {}
        self._disk = disk

    def GetAttrs(self) -> dict[str, Any]:
        return self.attributes

    def SetInput(self, name: str, value: object) -> None:
        self.inputs[name] = value
        if name == "Clip":
            first = self._disk(str(value))
            self.attributes |= {
                "TOOLST_Clip_Name": {1: value},
                "TOOLIT_Clip_StartFrame": {1: first},
            }

    def GetData(self, name: str) -> str | None:
        return self.data.get(name)

    def SetData(self, name: str, value: str) -> None:
        self.data[name] = value


class Composition:
    """A composition whose render range is `start` to `end`.

    Attributes:
        tools: every tool, in the order of creation.
        selection: the tools that are selected.
        kinds: what `AddTool` knows.
        on_disk: the first number of a sequence in a folder, by its path; else the named file's.
    """

    def __init__(self, start: int, end: int) -> None:
        self.attributes = {"COMPN_RenderStart": float(start), "COMPN_RenderEnd": float(end)}
        self.tools: list[Tool] = []
        self.selection: list[Tool] = []
        self.kinds = {"Loader", "ofx.org.gvmbridge.matte"}
        self.on_disk: dict[str, int] = {}
        self.locks = 0
        self.steps: list[str] = []
        self._undo: list[Tool] = []

    def GetAttrs(self) -> dict[str, Any]:
        return self.attributes

    def AddTool(self, kind: str, x: int, y: int) -> Tool | None:
        assert self.locks > 0  # else Fusion asks for a file
        if kind not in self.kinds:
            return None
        self.tools.append(Tool(kind, self._first))
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
        self._undo = list(self.tools)

    def EndUndo(self, keep: bool) -> None:
        if not keep:
            self.steps.pop()
            self.tools = self._undo

    def select_loader(
        self, path: str, first: int, length: int, *, start: int, trim: int = 0
    ) -> Tool:
        """Add and select a Loader of a clip that is on disk; it plays from `start` on."""
        loader = Tool("Loader", self._first)
        loader.attributes = {
            "TOOLST_Clip_Name": {1: path},
            "TOOLIT_Clip_StartFrame": {1: first},
            "TOOLIT_Clip_Length": {1: length},
            "TOOLIT_Clip_TrimIn": {1: trim},
            "TOOLNT_Clip_Start": {1: float(start)},
            "TOOLNT_Clip_End": {1: float(start + length - trim - 1)},
        }
        self.tools.append(loader)
        self.selection.append(loader)
        return loader

    def _first(self, path: str) -> int:
        folder = path.rsplit("/", 1)[0]
        (number,) = re.findall(r"(\d+)\.exr$", path)
        return self.on_disk.get(folder, int(number))
