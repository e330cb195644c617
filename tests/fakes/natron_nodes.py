"""Nodes of the fake Natron, and what a script sees of them.

What they hold their users to, as Natron's sources do:

- each question about a node is answered with a new object; a parameter that is not there is None;
- an input that is connected takes no other node before it was disconnected;
- pictures carry a tag that says whether their colours are multiplied with alpha: an alpha alone is,
  a Merge's are where one of its inputs' are, Unpremult says that they are not, whatever it does to
  them; a Write takes the tag of what is connected to it, when it is connected.

`natron_params` and `natron_read` have the parameters and the Read.
"""

# The names are Natron's and Qt's.
# ruff: noqa: N802, FBT001, FBT002

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.fakes import natron_read
from tests.fakes.natron_params import (
    KINDS,
    BooleanParam,
    ButtonParam,
    ChoiceParam,
    Double2DParam,
    DoubleParam,
    FileParam,
    IntParam,
    PageParam,
    Pair,
    Param,
    StringParam,
)
from tests.fakes.natron_read import BEYOND
from tests.fakes.natron_session import only_main, session

READ, WRITE, GROUP = "fr.inria.built-in.Read", "fr.inria.built-in.Write", "fr.inria.built-in.Group"
DOT, INPUT = "fr.inria.built-in.Dot", "fr.inria.built-in.Input"
OUTPUT = "fr.inria.built-in.Output"
MERGE, UNPREMULT = "net.sf.openfx.MergePlugin", "net.sf.openfx.Unpremult"
CLAMP, DILATE = "net.sf.openfx.Clamp", "net.sf.cimg.CImgDilate"
BLUR = "net.sf.cimg.CImgBlur"

OPAQUE, PREMULT, UNPREMULTIPLIED = TAGS = ("opaque", "premult", "unpremult")
_COMMON = {"disableNode": False, "userTextArea": "", "onParamChanged": "", "onInputChanged": ""}
CHOICES = {
    "before": BEYOND,
    "after": BEYOND,
    "onMissingFrame": ("previous", "next", "nearest", "error", "black"),
    "frameMode": ("startingTime", "timeOffset"),
    "outputComponents": ("RGBA", "RGB", "RG", "Alpha"),
    "outputLayer": (),
    "operation": ("over", "copy", "max", "stencil"),
    "bbox": ("union", "intersection", "a", "b"),
    "inputPremult": TAGS,
}
CALLBACKS = ("beforeRender", "beforeFrameRender", "afterFrameRender", "afterRender")
_NATIVE: dict[str, dict[str, Any]] = {
    READ: {"firstFrame": 0, "lastFrame": 0, "before": 0, "after": 0, "onMissingFrame": 3,
           "frameMode": 0, "startingTime": 0, "timeOffset": 0, "outputComponents": 0,
           "outputLayer": 0, "ocioInputSpace": ""},
    WRITE: {**dict.fromkeys(CALLBACKS, ""), "inputPremult": TAGS.index(PREMULT)},
    GROUP: {"afterNodeCreated": "", "beforeNodeRemoval": ""},
    MERGE: {"operation": 0, "bbox": 0, **{f"OutputChannels{one}": True for one in "RGBA"}},
    INPUT: {"optional": False},
    DILATE: {"size": 1},
    BLUR: {"size": 0.0},
    UNPREMULT: {f"NatronOfxParamProcess{one}": True for one in "RGBA"},
}  # fmt: skip
_SILENT = (*_COMMON, *CALLBACKS, *_NATIVE[GROUP], "outputLayer")
_INPUTS = {READ: 0, "net.sf.openfx.ColorBars": 0, INPUT: 0, MERGE: 64}


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
        self.on_disk: tuple[int, int] | None = None  # a Read's files, when it looked last
        self.colour = (0.5, 0.5, 0.5)
        self.format, self.pixel_aspect = (0, 0, 1920, 1080), 1.0  # in pixels; of a Read
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
            made = KINDS[type(value)](self, name, name, value, user=False)
        made.evaluates = name not in _SILENT
        self.params[name] = made

    def changed(self, param: Param, *, by_artist: bool) -> None:
        if self.app.loading:
            return
        if self.plugin == READ and not self.app.building:
            natron_read.changed(self, param.name, by_artist=by_artist)
        if param.evaluates and not isinstance(param, ButtonParam):
            self.app.evaluated.append(f"{self.name}.{param.name}")
            if self.app.renders and session().ends_renders:
                self.app.aborts = True
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

    def isWriterNode(self) -> bool:
        return self.node.plugin == WRITE

    def getColor(self) -> tuple[float, float, float]:
        return self.node.colour

    def setColor(self, red: float, green: float, blue: float) -> None:
        only_main()
        self.node.colour = (red, green, blue)

    def getParam(self, name: str) -> Param | None:
        return self.node.params.get(name)

    def getOutputFormat(self) -> SimpleNamespace:
        """Return a RectI, whose sides are methods."""
        left, bottom, right, top = self.node.format
        return SimpleNamespace(
            left=lambda: left, bottom=lambda: bottom, right=lambda: right, top=lambda: top
        )

    def getPixelAspectRatio(self) -> float:
        return self.node.pixel_aspect

    def getMaxInputCount(self) -> int:
        if self.node.plugin == GROUP:
            return sum(child.plugin == INPUT for child in self.node.children)
        return _INPUTS.get(self.node.plugin, 1)

    def getInput(self, index: int) -> Effect | None:
        above = self.node.inputs.get(index)
        return Effect(above) if above is not None and above.active else None

    def connectInput(self, index: int, other: Effect) -> bool:
        only_main()
        if index in self.node.inputs:  # only after it was disconnected
            return False
        self.node.inputs[index] = other.node
        if self.node.plugin == WRITE:
            self.node.number("inputPremult", TAGS.index(tag(other.node)))
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

    def createDouble2DParam(self, name: str, label: str) -> Param | None:
        return self._user(Double2DParam, name, label, Pair(0.0, 0.0))

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


def tag(node: Node | None) -> str:
    """Return what a node's picture is tagged as."""
    if node is None:
        return OPAQUE
    if node.plugin == READ:
        components = node.params["outputComponents"]
        return PREMULT if components.getOption(components.get()) == "Alpha" else OPAQUE
    if node.plugin == UNPREMULT:
        return UNPREMULTIPLIED
    if node.plugin == INPUT:
        inputs = [one for one in node.parent.children if one.plugin == INPUT]
        return tag(node.parent.inputs.get(inputs.index(node)))
    if node.plugin == GROUP:
        return tag(next((one for one in node.children if one.plugin == OUTPUT), None))
    tags = [tag(above) for above in node.inputs.values()]
    return next((one for one in (PREMULT, UNPREMULTIPLIED) if one in tags), OPAQUE)


def written(write: Effect, colour: float, alpha: float, suffix: str) -> float:
    """Return the colour that a Write puts into a file, of a pixel that comes in."""
    wanted = {".exr": PREMULT, ".png": UNPREMULTIPLIED}[suffix]
    comes = TAGS[write.node.number("inputPremult")]
    if comes in (OPAQUE, wanted):
        return colour
    return colour * alpha if wanted == PREMULT else colour / alpha
