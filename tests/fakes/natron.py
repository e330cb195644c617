"""A Natron that behaves: nodes, parameters, groups, and a render that calls a Write's callbacks.

Callbacks are texts, `Module.function`, as in Natron; an exception in one ends the render.
"""

# ruff: noqa: N802 - names are the host's

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any


class Param:
    """A parameter; setting another type of value than it has is an error, as in Natron."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self.animates = True

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        assert isinstance(value, type(self.value)), (value, self.value)
        self.value = value

    def setAnimationEnabled(self, animates: Any) -> None:
        self.animates = animates


class Node:
    """A node, which may be a group."""

    def __init__(self, plugin: str, name: str) -> None:
        self.plugin, self.name, self.label = plugin, name, name
        self.inputs: dict[int, Node] = {}
        self.nodes: list[Node] = []
        self.params: dict[str, Param] = {"disableNode": Param(value=False)}
        self.onParamChanged, self.onInputChanged = Param(""), Param("")
        texts = {"filename": "", "operation": "over", "beforeRender": "", "beforeFrameRender": ""}
        self.params |= {name: Param(text) for name, text in texts.items()}
        self.params |= {f"NatronOfxParamProcess{one}": Param(value=True) for one in "RGBA"}
        self.params["lastFrame"] = Param(0)

    def getPluginID(self) -> str:
        return self.plugin

    def getScriptName(self) -> str:
        return self.name

    def setScriptName(self, name: str) -> None:
        self.name = name

    def setLabel(self, label: str) -> None:
        self.label = label

    def getParam(self, name: str) -> Param | None:
        return self.params.get(name)

    def getInput(self, index: int) -> Node | None:
        return self.inputs.get(index)

    def connectInput(self, index: int, node: Node) -> None:
        self.inputs[index] = node

    def getNode(self, name: str) -> Node | None:
        return next((node for node in self.nodes if node.name == name), None)

    def createPageParam(self, name: str, label: str) -> Any:
        return SimpleNamespace(addParam=lambda param: None)

    def createStringParam(self, name: str, label: str) -> Param:
        return self.params.setdefault(name, Param(""))

    def createIntParam(self, name: str, label: str) -> Param:
        return self.params.setdefault(name, Param(0))

    def refreshUserParamsGUI(self) -> None:
        pass


class App:
    """A project."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def createNode(self, plugin: str, version: int = -1, group: Node | None = None) -> Node:
        nodes = self.nodes if group is None else group.nodes
        nodes.append(Node(plugin, f"{plugin.rsplit('.', 1)[-1]}{len(nodes) + 1}"))
        return nodes[-1]

    def getChildren(self) -> list[Node]:
        return self.nodes

    def render(self, write: Node, frames: Iterable[int], modules: dict[str, Any]) -> list[int]:
        """Render and return the frames that were rendered."""

        def call(param: str, frame: int) -> None:
            if name := write.params[param].get():
                module, function = name.split(".")
                modules[module][function](frame, write, self)

        done: list[int] = []
        for frame in frames:
            if not done:
                call("beforeRender", frame)
            call("beforeFrameRender", frame)
            done.append(frame)
        return done
