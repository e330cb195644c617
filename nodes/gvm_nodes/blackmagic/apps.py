"""The program that a script works with: what its menu gives by name, else what its module finds.

Laws:
1. An object of the program seems to have every attribute; what it does not have is None.
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
    return _running(names, "Fusion", "Start Fusion Studio, and allow external scripting in it.")


def find_resolve(names: Names) -> Resolve:
    """Return the Resolve that the menu gives, or that runs.

    Raises:
        ServerError: there is none.
    """
    given = names.get("resolve")
    if given is None:
        given = _running(
            names,
            "Resolve",
            "Start Resolve Studio, and set Preferences, General, External scripting to Local.",
        )
    return cast("Resolve", given)


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


def _running(names: Names, name: str, remedy: str) -> Any:  # noqa: ANN401
    scripting = _scripting(names)
    if scripting is None:
        raise ServerError(
            f"{name}'s scripting module cannot be imported.",
            remedy="Set RESOLVE_SCRIPT_API, RESOLVE_SCRIPT_LIB and PYTHONPATH as its README of"
            " scripting says.",
            code=ErrorCode.SERVER_NOT_RUNNING,
        )
    found = scripting.scriptapp(name)
    if found is None:
        raise ServerError(f"No {name} answers.", remedy=remedy, code=ErrorCode.SERVER_NOT_RUNNING)
    return found


def _scripting(names: Names) -> Any:  # noqa: ANN401
    """Return `bmd`; None where neither the menu gives it, nor a module can be imported."""
    if names.get("bmd") is not None:
        return names["bmd"]
    for name in _MODULES:
        with suppress(ImportError):
            return import_module(name)
    return None
