"""The base classes of CGRU's Afanasy 3.4 that a parser and a service of a host build on.

`afanasy/python/parsers/parser.py` and `services/service.py` there: what the render calls, in its
order, and what it takes of the result. What it prints at a fault, and goes on, is raised here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any


class Parser:
    """Takes a task's output as it comes, and says its percent and activity."""

    def __init__(self) -> None:
        self.percent = 0
        self.percentframe = 0
        self.activity = ""
        self.report = ""
        self.error = False

    def parse(self, args: dict[str, Any]) -> None:
        """Called by the render with new output, of any length, cut anywhere."""
        if args["data"]:
            self.activity = self.report = ""
        self.do(args)
        assert type(self.percent) is int, "it goes into a message as a whole number"

    def do(self, args: dict[str, Any]) -> None:
        """Overridden."""


class Service:
    """What a host does with a task."""


@contextmanager
def loaded(path: Path, kind: str) -> Iterator[ModuleType]:
    """Load a parser's or a service's file as Afanasy does: `from parsers import parser`."""
    base = ModuleType(f"{kind}s")
    own = ModuleType(f"{kind}s.{kind}")
    setattr(own, kind, Parser if kind == "parser" else Service)
    setattr(base, kind, own)
    sys.modules[f"{kind}s"] = base
    module = ModuleType(path.stem)
    try:
        exec(compile(path.read_text(), str(path), "exec"), module.__dict__)
        yield module
    finally:
        del sys.modules[f"{kind}s"]
