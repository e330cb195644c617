"""Nodes of the fake Natron, their parameters, and what a script sees of them.

What they hold their users to, as Natron's sources do:

- `set` calls back at once, with userEdited False; parameters are set on the main thread only;
- a Read's file, when it is set or read anew, sets its frames to those on disk, and does nothing
  else while a project is loaded or a PyPlug is built: then only a Read that was born with a file
  has a decoder;
- each question about a node is answered with a new object; a parameter that is not there is None.
"""

# The names are Natron's and Qt's.
# ruff: noqa: N802, D101, FBT001, FBT002

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.fakes.natron_session import only_main

READ, WRITE, GROUP = "fr.inria.built-in.Read", "fr.inria.built-in.Write", "fr.inria.built-in.Group"
DOT, INPUT = "fr.inria.built-in.Dot", "fr.inria.built-in.Input"
MERGE = "net.sf.openfx.MergePlugin"

_BEYOND = ("hold", "loop", "bounce", "black", "error")
_COMMON = {"disableNode": False, "userTextArea": "", "onParamChanged": "", "onInputChanged": ""}
CHOICES = {
    "before": _BEYOND,
    "after": _BEYOND,
    "onMissingFrame": ("previous", "next", "nearest", "error", "black"),
    "frameMode": ("startingTime", "timeOffset"),
    "outputComponents": ("RGBA", "RGB", "RG", "Alpha"),
    "operation": ("over", "copy"),
    "bbox": ("union", "intersection", "a", "b"),
}
_NATIVE: dict[str, dict[str, Any]] = {
    READ: {"firstFrame": 0, "lastFrame": 0, "before": 0, "after": 0, "onMissingFrame": 3,
           "frameMode": 0, "startingTime": 0, "timeOffset": 0, "outputComponents": 0,
           "ocioInputSpace": ""},
    WRITE: {"beforeRender": "", "beforeFrameRender": "", "afterRender": ""},
    GROUP: {"afterNodeCreated": "", "beforeNodeRemoval": ""},
    MERGE: {"operation": 0, "bbox": 0, **{f"OutputChannels{one}": True for one in "RGBA"}},
}  # fmt: skip
_INPUTS = {READ: 0, "net.sf.openfx.ColorBars": 0, INPUT: 0, MERGE: 64}


class Param:
    """A parameter; `evaluates` says whether a change of it renders something."""

    kind: Any = None
    type_name = ""

    def __init__(self, owner: Node, name: str, label: str, value: Any, *, user: bool) -> None:
        self.owner, self.name, self.label, self.value, self.user = owner, name, label, value, user
        self.evaluates = self.animates = self.visible = self.enabled = True
        self.default: Any = value
        self.help = ""

    def getScriptName(self) -> str:
        return self.name

    def getLabel(self) -> str:
        return self.label

    def getTypeName(self) -> str:
        return self.type_name

    def get(self) -> Any:
        return self.value

    def set(self, value: Any) -> None:
        self.assign(value, by_artist=False)

    def assign(self, value: Any, *, by_artist: bool) -> None:
        only_main()
        fitting = self.fitting(value)
        if fitting is None:
            return
        self.value = fitting
        self.owner.changed(self, by_artist=by_artist)

    def fitting(self, value: Any) -> Any:
        if type(value) is not self.kind and not (self.kind is float and type(value) is int):
            raise TypeError(f"{self.name}: {value!r} is no {self.kind}")
        return self.kind(value)

    def setDefaultValue(self, value: Any) -> None:
        only_main()
        self.default = self.value = self.fitting(value)

    def setHelp(self, text: str) -> None:
        self.help = text

    def setEvaluateOnChange(self, evaluates: bool) -> None:
        if self.user:
            self.evaluates = evaluates

    def setAnimationEnabled(self, animates: bool) -> None:
        if self.user:
            self.animates = animates

    def setVisible(self, visible: bool) -> None:
        self.visible = visible

    def getIsVisible(self) -> bool:
        return self.visible

    def setEnabled(self, enabled: bool) -> None:
        only_main()
        self.enabled = enabled

    def getIsEnabled(self) -> bool:
        return self.enabled


class IntParam(Param):
    kind, type_name = int, "Int"


class DoubleParam(Param):
    kind, type_name = float, "Double"


class BooleanParam(Param):
    kind, type_name = bool, "Bool"


class StringParam(Param):
    kind, type_name = str, "String"
    TypeEnum = SimpleNamespace(eStringTypeLabel="label")
    shown_as = ""

    def setType(self, kind: str) -> None:
        self.shown_as = kind


class FileParam(Param):
    kind, type_name = str, "InputFile"
    reloads = 0

    def reloadFile(self) -> None:
        only_main()
        self.reloads += 1
        self.owner.changed(self, by_artist=False)


class ChoiceParam(Param):
    """A choice is its index; a text that is none of its options changes nothing."""

    kind, type_name = int, "Choice"
    options: tuple[str, ...] = ()

    def fitting(self, value: Any) -> int | None:
        if isinstance(value, str):
            return self.options.index(value) if value in self.options else None
        return super().fitting(value)

    def setDefaultValue(self, value: Any) -> None:
        if isinstance(value, str) and value not in self.options:
            raise RuntimeError("terminate called: no such option")
        super().setDefaultValue(value)

    def getOptions(self) -> list[str]:
        return list(self.options)

    def getOption(self, index: int) -> str:
        return self.options[index] if 0 <= index < len(self.options) else ""

    def setOptions(self, options: list[tuple[str, str]]) -> None:
        only_main()
        self.options = tuple(name for name, _help in options)
        self.value = 0


class ButtonParam(Param):
    type_name = "Button"

    def trigger(self) -> None:
        """Be pressed."""
        only_main()
        if not self.owner.params["disableNode"].value:
            self.owner.changed(self, by_artist=True)


class PageParam(Param):
    type_name = "Page"

    def addParam(self, param: Param) -> None:
        self.owner.pages.setdefault(self.label, []).append(param.name)


_KINDS = {int: IntParam, float: DoubleParam, bool: BooleanParam, str: StringParam}


class Node:
    """A node as Natron has it; scripts see an `Effect`."""

    def __init__(self, app: Any, plugin: str, parent: Node | None) -> None:
        self.app, self.plugin, self.parent = app, plugin, parent
        self.name = self.title = ""
        self.pyplug = ""
        self.inputs: dict[int, Node] = {}
        self.children: list[Node] = []
        self.active = True
        self.decoder = self.guessed = False
        self.colour = (0.5, 0.5, 0.5)
        self.pages: dict[str, list[str]] = {}
        self.params: dict[str, Param] = {}
        for name, value in {**_COMMON, **_NATIVE.get(plugin, {})}.items():
            self.add(name, value)
        if plugin in (READ, WRITE):
            self.params["filename"] = FileParam(self, "filename", "File", "", user=False)

    def add(self, name: str, value: Any) -> None:
        if name in CHOICES:
            made: Param = ChoiceParam(self, name, name, value, user=False)
            made.options = CHOICES[name]
        else:
            made = _KINDS[type(value)](self, name, name, value, user=False)
        made.evaluates = name not in (*_COMMON, *_NATIVE[WRITE], *_NATIVE[GROUP])
        self.params[name] = made

    def changed(self, param: Param, *, by_artist: bool) -> None:
        if self.app.loading:
            return
        if self.plugin == READ and not self.app.building:
            self._read_changed(param.name)
        if param.evaluates and not isinstance(param, ButtonParam):
            self.app.evaluated.append(f"{self.name}.{param.name}")
            self.app.aborts = self.app.aborts or self.app.renders
        if param.name == "onParamChanged" or hasattr(Effect, param.name):
            return  # a node's own attribute hides a parameter, which is then not found
        self.app.call(
            self.params["onParamChanged"].value,
            thisParam=param,
            thisNode=Effect(self),
            thisGroup=Effect(self.parent) if self.parent else self.app,
            app=self.app,
            userEdited=by_artist,
        )

    def connected(self, index: int) -> None:
        self.app.call(
            self.params["onInputChanged"].value,
            inputIndex=index,
            thisNode=Effect(self),
            thisGroup=Effect(self.parent) if self.parent else self.app,
            app=self.app,
        )

    def created(self) -> None:
        holder = self if self.plugin == GROUP else self.parent
        if holder is not None:
            self.app.call(
                holder.params["afterNodeCreated"].value,
                thisNode=Effect(self),
                app=self.app,
                userEdited=False,
            )

    def number(self, name: str, value: int | None = None) -> int:
        """Return one of a Read's numbers, or set it as its plug-in does, with no callback."""
        if value is not None:
            self.params[name].value = value
        return int(self.params[name].value)

    def look(self) -> None:
        """Set a Read's frames to those on disk."""
        first, last = on_disk(self.params["filename"].value)
        self.number("firstFrame", first)
        self.number("lastFrame", last)

    def _read_changed(self, name: str) -> None:
        if name == "filename":
            self.decoder = True
            self.look()
            if not self.guessed:
                self.number("startingTime", self.number("firstFrame"))
                self.guessed = shown_file(self, self.number("firstFrame")) != ""
        first, offset = self.number("firstFrame"), self.number("timeOffset")
        if name == "startingTime":
            self.number("timeOffset", self.number("startingTime") - first)
        elif name in ("firstFrame", "timeOffset"):
            self.number("startingTime", first + offset)


class Effect:
    """What a script sees of a node; a new one each time."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def getScriptName(self) -> str:
        return self.node.name

    def setScriptName(self, name: str) -> bool:
        only_main()
        self.node.name = name
        return True

    def getLabel(self) -> str:
        return self.node.title

    def setLabel(self, label: str) -> None:
        self.node.title = label

    def getPluginID(self) -> str:
        return self.node.pyplug or self.node.plugin

    def isReaderNode(self) -> bool:
        return self.node.plugin == READ

    def getColor(self) -> tuple[float, float, float]:
        return self.node.colour

    def setColor(self, red: float, green: float, blue: float) -> None:
        only_main()
        self.node.colour = (red, green, blue)

    def getParam(self, name: str) -> Param | None:
        return self.node.params.get(name)

    def getMaxInputCount(self) -> int:
        if self.node.plugin == GROUP:
            return sum(child.plugin == INPUT for child in self.node.children)
        return _INPUTS.get(self.node.plugin, 1)

    def getInput(self, index: int) -> Effect | None:
        above = self.node.inputs.get(index)
        return Effect(above) if above is not None and above.active else None

    def connectInput(self, index: int, other: Effect) -> bool:
        only_main()
        self.node.inputs[index] = other.node
        self.node.connected(index)
        return True

    def disconnectInput(self, index: int) -> None:
        only_main()
        self.node.inputs.pop(index, None)
        self.node.connected(index)

    def getChildren(self) -> list[Effect]:
        return [Effect(node) for node in self.node.children if node.active]

    def getNode(self, name: str) -> Effect | None:
        return next((each for each in self.getChildren() if each.getScriptName() == name), None)

    def destroy(self, reconnect: bool = True) -> None:
        only_main()
        self.node.active = False

    def refreshUserParamsGUI(self) -> None:
        only_main()

    def createIntParam(self, name: str, label: str) -> Param | None:
        return self._user(IntParam, name, label, 0)

    def createDoubleParam(self, name: str, label: str) -> Param | None:
        return self._user(DoubleParam, name, label, 0.0)

    def createBooleanParam(self, name: str, label: str) -> Param | None:
        return self._user(BooleanParam, name, label, value=False)

    def createStringParam(self, name: str, label: str) -> Param | None:
        return self._user(StringParam, name, label, "")

    def createChoiceParam(self, name: str, label: str) -> Param | None:
        return self._user(ChoiceParam, name, label, 0)

    def createButtonParam(self, name: str, label: str) -> Param | None:
        return self._user(ButtonParam, name, label, None)

    def createPageParam(self, name: str, label: str) -> Param | None:
        return self._user(PageParam, name, label, None)

    def _user(self, kind: type[Param], name: str, label: str, value: Any) -> Param | None:
        only_main()
        known = self.node.params.setdefault(name, kind(self.node, name, label, value, user=True))
        return known if isinstance(known, kind) else None


def shown_file(read: Node, at: int) -> str:
    """Return the file that a Read shows at a time; "" where it shows none."""
    first, last = read.number("firstFrame"), read.number("lastFrame")
    number = at - read.number("timeOffset")
    if not first <= number <= last:
        beyond = _BEYOND[read.number("before" if number < first else "after")]
        if beyond != "hold":  # the others are their own test's
            return ""
        number = min(max(number, first), last)
    path = file_of(read.params["filename"].value, number)
    return path if read.decoder and Path(path).is_file() else ""


def file_of(path: str, number: int) -> str:
    """Return the file of a frame of a pattern; a movie is its own."""
    return re.sub(
        r"%0?(\d*)d|#+", lambda found: str(number).zfill(int(found[1] or len(found[0]))), path
    )


def on_disk(path: str) -> tuple[int, int]:
    """Return the first and last number of a pattern's files; 1 and 1 where there are none."""
    head, _, tail = re.sub(r"%0?\d*d|#+", "\0", path).partition("\0")
    folder = Path(head).parent
    wanted = re.compile(re.escape(Path(head + "X").name[:-1]) + r"(-?\d+)" + re.escape(tail))
    names = [file.name for file in folder.iterdir()] if folder.is_dir() else []
    numbers = [int(found[1]) for name in names if (found := wanted.fullmatch(name))]
    return (min(numbers), max(numbers)) if numbers else (1, 1)
