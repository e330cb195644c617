"""Parameters of the fake Natron's nodes.

What they hold their users to, as Natron's sources do:

- `set` calls back at once, with userEdited False; parameters are set on the main thread, and in
  NatronRenderer on a render's thread too;
- a choice is its index, and a text that is none of its options changes nothing.
"""

# The names are Natron's.
# ruff: noqa: N802, D101, FBT001

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from tests.fakes.natron_session import only_setters

if TYPE_CHECKING:
    from tests.fakes.natron_nodes import Node


class Param:
    """A parameter; `evaluates` says whether a change of it renders something."""

    kind: Any = None
    type_name = ""

    def __init__(self, owner: Node, name: str, label: str, value: Any, *, user: bool) -> None:
        self.owner, self.name, self.label, self.value, self.user = owner, name, label, value, user
        self.evaluates = self.animates = self.visible = self.enabled = True
        self.default: Any = value
        self.help = ""
        self.expressions: dict[int, str] = {}  # by dimension

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
        only_setters()
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
        only_setters()
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
        only_setters()
        self.enabled = enabled

    def getIsEnabled(self) -> bool:
        return self.enabled

    def setExpression(self, expression: str, has_ret_variable: bool, dimension: int = 0) -> bool:
        only_setters()
        self.expressions[dimension] = expression
        return True


class Pair(NamedTuple):
    """What a parameter of two dimensions holds."""

    x: float
    y: float


class Double2DParam(Param):
    kind, type_name = float, "Double2D"
    has_handle = False

    def set(self, x: float, y: float) -> None:  # type: ignore[override]
        self.assign((x, y), by_artist=False)

    def fitting(self, value: Any) -> Pair:
        return Pair(*(super(Double2DParam, self).fitting(one) for one in value))

    def setUsePointInteract(self, use: bool) -> None:
        self.has_handle = use


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
        only_setters()
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
        only_setters()
        self.options = tuple(name for name, _help in options)
        self.value = 0


class ButtonParam(Param):
    type_name = "Button"

    def trigger(self) -> None:
        """Be pressed."""
        only_setters()
        if not self.owner.params["disableNode"].value:
            self.owner.changed(self, by_artist=True)


class PageParam(Param):
    type_name = "Page"

    def addParam(self, param: Param) -> None:
        self.owner.pages.setdefault(self.label, []).append(param.name)


KINDS = {int: IntParam, float: DoubleParam, bool: BooleanParam, str: StringParam}
