"""A program's objects, touched from another thread: the real ones may hang or crash there."""

from __future__ import annotations

import threading
from typing import Any


class MainThreadOnly:
    """An object that refuses every thread but the main one."""

    def __getattribute__(self, name: str) -> Any:
        only_main(f"{type(self).__name__}.{name}")
        return object.__getattribute__(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        only_main(f"{type(self).__name__}.{name}")
        object.__setattr__(self, name, value)


def only_main(what: str) -> None:
    """Refuse any other thread; pytest fails a test whose thread raises."""
    here = threading.current_thread()
    assert here is threading.main_thread(), f"{what} was touched by the thread {here.name}"
