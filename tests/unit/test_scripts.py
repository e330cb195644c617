"""The demo and the benchmarks stand outside the suite: what they take from the program is there."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import pytest

from tests.support.tree import ROOT

SCRIPTS = sorted(
    path for folder in ("docs", "benchmarks", "tests/perf") for path in (ROOT / folder).glob("*.py")
)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_every_name_that_a_script_takes_is_there(script: Path) -> None:
    """`make demo` is the first command of the README: a name that moved must not break it."""
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gvm_"):
            module = import_module(str(node.module))
            gone = [name.name for name in node.names if not hasattr(module, name.name)]
            assert gone == [], f"{node.module} has no {gone}"
