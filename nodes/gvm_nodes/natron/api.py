"""Natron's own objects, which have no published types; its modules are loaded in Natron only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, TypeAlias

App: TypeAlias = Any
"""A project that is open."""
Effect: TypeAlias = Any
"""A node; Natron makes a new object for it each time that it is asked for."""
Param: TypeAlias = Any
"""A parameter, likewise."""

INPUT = "fr.inria.built-in.Input"
OUTPUT = "fr.inria.built-in.Output"
DOT = "fr.inria.built-in.Dot"
MERGE = "net.sf.openfx.MergePlugin"
UNPREMULT = "net.sf.openfx.Unpremult"
NEWEST = -1  # of a plug-in's versions

_OUR_OWN: ContextVar[bool] = ContextVar("our_own", default=False)


def natron() -> Any:  # noqa: ANN401 - as above
    """Return the running program."""
    return import_module("NatronEngine").natron


def is_background() -> bool:
    """Whether this is NatronRenderer, or Natron without windows."""
    return bool(natron().isBackground())


def label_kind() -> Any:  # noqa: ANN401 - as above
    """Return the kind of a text parameter that is shown and not edited."""
    return import_module("NatronEngine").StringParam.TypeEnum.eStringTypeLabel


def chosen(param: Param) -> Any:  # noqa: ANN401 - a parameter holds what its kind says
    """Return a parameter's value; of a choice its text, for Natron gives its index."""
    value = param.get()
    return str(param.getOption(value)) if param.getTypeName() == "Choice" else value


def set_if_other(param: Param, value: object) -> None:
    """Set a parameter that has another value; each change is one of the project, and a render."""
    if chosen(param) != value:
        param.set(value)


@contextmanager
def quietly() -> Iterator[None]:
    """Change parameters without hearing of it: Natron calls back within `set`."""
    token = _OUR_OWN.set(True)
    try:
        yield
    finally:
        _OUR_OWN.reset(token)


def is_our_own() -> bool:
    """Whether what changes now is changed by us."""
    return _OUR_OWN.get()
