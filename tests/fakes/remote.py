"""An object of Fusion or Resolve, as a script's process has it: a stand-in at the end of a pipe."""

from __future__ import annotations

from typing import Any, ClassVar

from tests.fakes.main_thread import MainThreadOnly


class Remote(MainThreadOnly):
    """An object that seems to have every method; one that it does not have is None.

    Attributes:
        lacks: the methods that this version of the program does not have.
    """

    lacks: ClassVar[frozenset[str]] = frozenset()

    def __getattribute__(self, name: str) -> Any:
        value = MainThreadOnly.__getattribute__(self, name)
        return None if name in Remote.lacks else value

    def __getattr__(self, name: str) -> Any:
        if name[:1].isupper():  # as all of the program's own are written
            return None
        raise AttributeError(name)
