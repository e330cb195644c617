"""The program that a script works with: what its menu gives by name, else what its module finds.

Laws:
1. An object of the program seems to have every attribute; what it does not have is None, or a
   function that does nothing. So what a version has is asked by its number.
2. A terminal gives no names, and has no window.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from gvm_client.errors import ErrorCode, ServerError

if TYPE_CHECKING:
    from fusionscript import Resolve

Names = Mapping[str, Any]
"""What a menu gives to its scripts: their `globals()`."""
NO_NAMES: Names = MappingProxyType({})
"""What a terminal gives."""


class _Program(NamedTuple):
    """A program that a terminal asks for."""

    name: str
    module_remedy: str
    silent_remedy: str


_FUSION = _Program(
    "Fusion",
    "Put the folder of Fusion's own module, fusionscript, on PYTHONPATH.",
    "Start Fusion Studio, and allow external scripting in its preferences.",
)
_RESOLVE = _Program(
    "Resolve",
    "Set RESOLVE_SCRIPT_API, RESOLVE_SCRIPT_LIB and PYTHONPATH as Resolve's README of scripting"
    " says.",
    "Start Resolve Studio, and set Preferences, General, External scripting to Local.",
)
RESOLVE_SINCE = 19, 1  # the first with every method that the scripts call
_MODULES = ("fusionscript", "BlackmagicFusion", "DaVinciResolveScript")


class Toolkit(NamedTuple):
    """What makes windows (`ui`), and what delivers their events (`dispatcher`)."""

    ui: Any
    dispatcher: Any


def find_fusion(names: Names) -> Any:  # noqa: ANN401 - its objects have no types
    """Return the Fusion that the menu gives, or that runs.

    Raises:
        ServerError: there is none.
    """
    for name in ("fusion", "fu"):
        if names.get(name) is not None:
            return names[name]
    return _running(names, _FUSION)


def find_resolve(names: Names) -> Resolve:
    """Return the Resolve that the menu gives, or that runs.

    Raises:
        ServerError: there is none, or it is too old.
    """
    given = names.get("resolve")
    found = cast("Resolve", _running(names, _RESOLVE) if given is None else given)
    version = _version(found)
    if version < RESOLVE_SINCE:
        shown, since = (".".join(map(str, numbers)) for numbers in (version, RESOLVE_SINCE))
        shown = shown or "of an unknown version"
        raise ServerError(
            f"This is Resolve {shown}; the scripts need {since} or later.",
            remedy="Update Resolve, or use the OpenFX node, GVM Matte.",
            code=ErrorCode.VERSION_MISMATCH,
        )
    return found


def find_toolkit(names: Names, fusion: Any) -> Toolkit | None:  # noqa: ANN401
    """Return what windows are made with; None in a terminal, or where the program has none."""
    if not names or fusion is None:
        return None
    ui = getattr(fusion, "UIManager", None)
    make = getattr(_scripting(names), "UIDispatcher", None)
    if ui is None or make is None:
        return None
    dispatcher = make(ui)
    can_step = getattr(dispatcher, "StepLoop", None) is not None
    return Toolkit(ui=ui, dispatcher=dispatcher) if can_step else None


def _version(resolve: Any) -> tuple[int, ...]:  # noqa: ANN401 - an old one is unlike its types
    """Return the major and the minor number; nothing where they cannot be had."""
    ask = getattr(resolve, "GetVersion", None)
    told = ask() if ask is not None else None
    numbers = told[:2] if isinstance(told, list | tuple) else ()
    return tuple(int(number) for number in numbers if isinstance(number, int | float))


def _running(names: Names, wanted: _Program) -> Any:  # noqa: ANN401
    scripting = _scripting(names)
    if scripting is None:
        raise ServerError(
            f"{wanted.name}'s scripting module cannot be imported.",
            remedy=wanted.module_remedy,
            code=ErrorCode.SERVER_NOT_RUNNING,
        )
    found = scripting.scriptapp(wanted.name)
    if found is None:
        raise ServerError(
            f"No {wanted.name} answers.",
            remedy=wanted.silent_remedy,
            code=ErrorCode.SERVER_NOT_RUNNING,
        )
    return found


def _scripting(names: Names) -> Any:  # noqa: ANN401
    """Return `bmd`; None where neither the menu gives it, nor a module can be imported."""
    if names.get("bmd") is not None:
        return names["bmd"]
    for name in _MODULES:
        with suppress(ImportError):
            return import_module(name)
    return None
