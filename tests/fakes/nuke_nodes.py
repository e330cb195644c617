"""The nodes and knobs of the fake Nuke; `tests.fakes.nuke` has the functions around them."""

# The names, and the positional flags, are Nuke's.
# ruff: noqa: N801, N802, N815, FBT001, D101

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path
from typing import Any

from tests.fakes.nuke_session import current, only_main

_COMMON = {"label": "", "tile_color": 0, "note_font": "", "gl_color": 0, "disable": False}
_LOOKS = ("name", "label", "tile_color", "note_font", "gl_color")  # change no picture
_WITHOUT_OP = ("Dot", "FrameHold", "Input", "Output", "Group")
_CLASSES: dict[str, dict[str, Any]] = {
    "Root": {"first_frame": 1, "last_frame": 100, "name": "", "workingSpaceLUT": "linear"},
    "Read": {"file": "", "first": 1, "last": 1, "origfirst": 1, "origlast": 1, "raw": False,
             "colorspace": "default", "proxy": "", "frame_mode": "expression", "frame": "",
             },
    "Write": {"file": "", "file_type": "", "channels": "rgb", "raw": False, "first": 1, "last": 1,
              "create_directories": False, "use_limit": False, "reading": False,
             "frame_mode": "expression", "frame": ""},
    "Blur": {"size": 1.0, "channels": "all"},
    "Dilate": {"size": 1.0, "channels": "all"},
    "Clamp": {"channels": "all", "minimum": 0.0, "maximum": 1.0},
    "Merge2": {"bbox": "union", "Achannels": "rgba", "Bchannels": "rgba", "output": "rgba"},
    "Copy": {"from0": "", "to0": ""},
    "Crop": {"box": ["0", "0", "1", "1"]},
    "Dot": {}, "FrameHold": {}, "Input": {"number": 0}, "Output": {},
    "Group": {"disable_group_view": False},
}  # fmt: skip
_POLICIES = ["on", "from auto-localize path", "on demand", "off"]
_ON_ERROR = ["error", "black", "checkerboard", "nearest frame"]
_OPERATIONS = ["over", "max", "stencil", "mask", "plus"]
_RELOAD = "version = nuke.thisNode()['version']; version.setValue(version.value() + 1)"
# A Write has a format's knobs from when it is chosen on.
_OF_FORMAT = {"exr": {"datatype": "32 bit float", "autocrop": True}}


class Knob:
    """A named value; setting it runs the knobChanged callbacks of its node."""

    number = 1  # of its kind, in an addUserKnob line
    names: tuple[str, ...] | list[str] = ()
    default: Any = ""

    def __init__(self, name: str, label: str = "", value: Any = None) -> None:
        self._name, self.label_text, self.flags = name, label, 0
        self._value = self.default if value is None else value
        self.owner: Node | None = None
        self.expression = ""
        self.is_enabled = True

    def name(self) -> str:
        return self._name

    def value(self) -> Any:
        if self.expression.isdigit():  # an index of its choices
            return self.names[int(self.expression)]
        if self.expression and self.owner is not None:
            return _evaluated(self.expression, self.owner.group)
        return self._value

    getValue = value

    def setValue(self, value: Any) -> bool:
        only_main()
        self._value = value
        if self.owner is not None:
            self.owner.set_up(self)
            current().touched(self)
        return True

    def setExpression(self, expression: str, index: int = -1) -> bool:
        if index < 0:
            self.expression = expression
        else:
            self._value = [*self._value[:index], expression, *self._value[index + 1 :]]
        return True

    def setEnabled(self, enabled: bool) -> None:
        self.is_enabled = enabled

    def enabled(self) -> bool:
        return self.is_enabled

    def setFlag(self, flag: int) -> None:
        self.flags |= flag

    def setTooltip(self, text: str) -> None:
        self.tooltip_text = text


def _evaluated(expression: str, group: Group) -> Any:
    """Return what arithmetic with `parent.KNOB` and `parent.NODE.KNOB` is."""

    def held(named: re.Match[str]) -> str:
        *inside, knob = named[1].split(".")
        return repr((group.node(inside[0]) if inside else group)[knob].value())

    return eval(re.sub(r"parent\.([\w.]+)", held, expression))


class String_Knob(Knob):
    pass


class Text_Knob(Knob):
    number = 26


class File_Knob(Knob):
    def evaluate(self) -> str | None:
        """Return the file with its expressions worked out; None for an empty one."""
        folder = Path(current().root.name()).parent.as_posix()
        return self._value.replace("[python {nuke.script_directory()}]", folder) or None


class Tab_Knob(Knob):
    number = 20


class Int_Knob(Knob):
    number, default = 3, 0


class Double_Knob(Knob):
    number, default = 7, 0.0


class Boolean_Knob(Knob):
    number, default = 6, False


class Enumeration_Knob(Knob):
    number = 4

    def __init__(self, name: str, label: str, values: list[str]) -> None:
        super().__init__(name, label, values[0])
        self.names = values

    def setValue(self, value: Any) -> bool:
        value = self.names[value] if isinstance(value, int) else value
        if value not in self.names:
            raise TypeError(f"{value!r} is none of {self.names}")
        return super().setValue(value)


class BBox_Knob(Knob):
    """Four edges; new, all of them are 0."""

    number = 15

    def __init__(self, name: str, label: str = "") -> None:
        super().__init__(name, label, [0.0, 0.0, 0.0, 0.0])

    def setValue(self, value: Any, index: int = -1) -> bool:
        edges = list(self._value)
        if index < 0:
            edges = [float(edge) for edge in value]
        else:
            edges[index] = float(value)
        return super().setValue(edges)

    def x(self) -> float:
        return self._value[0]

    def y(self) -> float:
        return self._value[1]

    def r(self) -> float:
        return self._value[2]

    def t(self) -> float:
        return self._value[3]


class Format:
    """A picture's format."""

    def __init__(self, width: int, height: int) -> None:
        self._size = width, height

    def width(self) -> int:
        return self._size[0]

    def height(self) -> int:
        return self._size[1]


class MultiView_Knob(Knob):
    number = 45

    def __init__(self, name: str, label: str = "") -> None:
        super().__init__(name, label, " ".join(current().views))


class PyScript_Knob(Knob):
    number = 22

    def execute(self) -> None:
        """Press the button."""
        current().within(self.owner, self, lambda: exec(self._value, {"nuke": sys.modules["nuke"]}))


class Node:
    """A node: knobs, inputs, and what its tree says of frames and hashes."""

    def __init__(self, kind: str, group: Group | None) -> None:
        self.kind, self.group, self.sources = kind, group, []
        self.all: dict[str, Knob] = {}
        for name, value in {**_COMMON, **_CLASSES[kind], "name": ""}.items():
            self.addKnob(Knob(name, "", value))
        if kind == "Read":
            self.addKnob(Enumeration_Knob("localizationPolicy", "", _POLICIES))
            self.all["localizationPolicy"]._value = "from auto-localize path"
            self.addKnob(Knob("version", "", 0))
            self.addKnob(Enumeration_Knob("on_error", "", _ON_ERROR))
            self.addKnob(PyScript_Knob("reload", "", _RELOAD))
        if kind == "Merge2":
            self.addKnob(Enumeration_Knob("operation", "", _OPERATIONS))
        if kind == "Write":
            self.addKnob(MultiView_Knob("views"))
        if kind == "Root":
            self.addKnob(File_Knob("project_directory"))
        self.has_open_panel = self.is_deleted = False
        self.size = (1920, 1080)  # of a Read's format
        self.native = set(self.all)

    def Class(self) -> str:
        return self.kind

    def addKnob(self, knob: Knob) -> None:
        knob.owner = self
        self.all[knob.name()] = knob

    def set_up(self, changed: Knob) -> None:
        """Have the knobs that go with what another one says."""
        if self.kind == "Write" and changed.name() == "file_type":
            for name, value in _OF_FORMAT.get(changed.value(), {}).items():
                if name not in self.all:
                    self.addKnob(Knob(name, "", value))
                    self.native.add(name)

    def knob(self, name: str) -> Knob | None:
        return self.all.get(name)

    def __getitem__(self, name: str) -> Knob:
        self.attached()
        if name not in self.all:
            raise NameError(f"knob {name} does not exist")
        return self.all[name]

    def name(self) -> str:
        self.attached()
        return self.all["name"].value()

    def attached(self) -> None:
        """Refuse what there is no node behind."""
        only_main()
        if self.is_deleted:
            raise ValueError("A PythonObject is not attached to a node")

    def shown(self) -> bool:
        """Return whether the panel is open."""
        return self.has_open_panel

    def screenHeight(self) -> int:
        self.attached()
        return 0 if current().is_building else 18

    def validate(self) -> None:
        """Do what some versions of Nuke do for a node that is still being made."""
        if current().is_building:
            self.sources = []

    def setName(self, name: str) -> None:
        others = {node.name() for node in current().nodes if node is not self}
        stem, number = name.rstrip("0123456789"), 1
        while name in others and self.group is None:
            number, name = number + 1, f"{stem}{number + 1}"
        self.all["name"].setValue(name)

    def fullName(self) -> str:
        return f"{self.group.fullName()}.{self.name()}" if self.group else self.name()

    def setInput(self, index: int, node: Node | None) -> bool:
        self.sources += [None] * (index + 1 - len(self.sources))
        self.sources[index] = node
        while self.sources and self.sources[-1] is None:
            self.sources.pop()
        current().changed(self, Knob("inputChange"))
        return True

    def input(self, index: int) -> Node | None:
        above = self.sources[index] if index < len(self.sources) else None
        return current().reached(above) if above else None

    def inputs(self) -> int:
        return len(self.sources)

    def firstFrame(self) -> int:
        self.validate()
        return self._extent("first")

    def lastFrame(self) -> int:
        self.validate()
        return self._extent("last")

    def _extent(self, end: str) -> int:
        if self.kind == "Read":
            return self[end].value()
        above = self.input(0)
        return above._extent(end) if above else current().root[f"{end}_frame"].value()

    def format(self) -> Format:
        """Return what the node's picture is in, never at proxy size."""
        self.validate()
        above = self.input(0) if self.kind != "Read" else None
        return above.format() if above else Format(*self.size)

    def clones(self) -> int:
        return 0

    def metadata(self, key: str, frame: int, view: str = "") -> str | None:
        """Validate the op at a frame, and return the file that it is read from."""
        if view and not current().metadata_of_views:
            raise TypeError("metadata() takes at most 2 arguments (3 given)")
        self.validate()
        current().validated, current().validated_view = frame, view
        if self.kind == "Read":
            return self.all["file"].value() % frame
        above = self._first_above()
        return above.metadata(key, frame, view) if above else None

    def opHashes(self) -> list[int]:
        """Return signed numbers, as Python has C's."""
        if self.kind in _WITHOUT_OP:
            return []
        unsigned = self._hash(current().validated)
        return [unsigned - (1 << 64) if unsigned >> 63 else unsigned]

    def _first_above(self) -> Node | None:
        if self.kind == "Input" and self.group is not None:
            return self.group.input(self.all["number"].value())
        return self.input(0)

    def picture(self, frame: int) -> bytes:
        """Return a Read's file, or the local copy that Nuke made of it when it first saw it."""
        path = Path(self.all["file"].value() % frame)
        if self.all["localizationPolicy"].value() in ("off", "on demand"):
            return path.read_bytes()
        return current().local_copies.setdefault(path, path.read_bytes())

    def _hash(self, frame: int) -> int:
        own = [(knob.name(), knob.value()) for knob in self.all.values()
               if knob.name() not in _LOOKS]  # fmt: skip
        above = [node._hash(frame) for node in (self._first_above(), *self.sources[1:]) if node]
        text = repr((self.kind, own, above, frame, current().proxy))
        return int(hashlib.sha256(text.encode()).hexdigest()[:16], 16)


class Group(Node):
    """A node of nodes; within `with group:` new nodes land inside."""

    def __init__(self, kind: str, group: Group | None) -> None:
        super().__init__(kind, group)
        self.children: list[Node] = []

    def __enter__(self) -> Group:  # noqa: PYI034 - `Self` is not in Python 3.10
        current().inside.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        current().inside.pop()

    def _hash(self, frame: int) -> int:
        output = self.output()
        return output._hash(frame) if output else super()._hash(frame)

    def node(self, name: str) -> Node | None:
        inside = next((node for node in self.children if node.name() == name), None)
        return current().reached(inside) if inside else None

    def nodes(self) -> list[Node]:
        return list(self.children)

    def output(self) -> Node | None:
        return next((node for node in self.children if node.Class() == "Output"), None)


class Root(Node):
    def attached(self) -> None:
        """While a script loads the root has no node yet."""
        only_main()
        if current().is_loading:
            raise ValueError("A PythonObject is not attached to a node")

    def knob(self, name: str) -> Knob | None:
        self.attached()
        return super().knob(name)

    def name(self) -> str:
        return super().name() or "Root"

    def proxy(self) -> bool:
        self.attached()
        return current().proxy

    def setProxy(self, on: bool) -> None:
        self.attached()
        current().proxy = on

    def modified(self) -> bool:
        self.attached()
        return current().modified

    def setModified(self, state: bool) -> None:
        self.attached()
        current().modified = state
