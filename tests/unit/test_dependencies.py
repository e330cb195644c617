"""`pyproject.toml` names every distribution that the packages import, and no other."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.support.tree import ROOT

PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
OURS = {"gvm_client", "gvm_nodes", "gvm_server"}
# Modules that only a host has, or only a type checker.
HOSTS = {"_typeshed", "fusionscript", "nuke", "parsers", "services"}
# It comes with PyTorch's builds for CUDA, and is done without where it is not.
WITH_TORCH = {"triton"}


def declared(name: str) -> set[str]:
    """Return the distributions of a list in `pyproject.toml`."""
    found = re.search(rf"^{name} = \[(.*?)\]", PYPROJECT, re.MULTILINE | re.DOTALL)
    assert found
    return set(re.findall(r'"([\w-]+)[><=~!]', found[1]))


def imported(*folders: str) -> set[str]:
    """Return the distributions of what the files below some folders import."""
    modules: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        modules |= top_modules(path)
    known = providers()
    foreign = modules - set(sys.stdlib_module_names) - OURS - HOSTS - WITH_TORCH
    names = {name for module in foreign for name in known.get(module, [f"? {module}"])}
    return {name.lower().replace("_", "-") for name in names}


def providers() -> dict[str, set[str]]:
    """Return the distributions whose files make each top-level module.

    Of importlib's own table Python 3.10 and 3.11 leave out some: no file says that they are there.
    """
    found: dict[str, set[str]] = {}
    for each in distributions():
        for file in each.files or ():
            found.setdefault(file.parts[0].partition(".")[0], set()).add(each.metadata["Name"])
    return found


def top_modules(path: Path) -> set[str]:
    """Return the first words of the modules that a file imports, at its top or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(str(node.module))
    return {name.partition(".")[0] for name in found}


@pytest.mark.parametrize(
    ("base", "folders"),
    [
        (["dependencies"], ["nodes"]),
        (["dependencies", "server", "compare"], ["nodes", "gvm_server"]),
    ],
)
def test_what_is_imported_is_what_is_declared(base, folders):
    """Of the light client and of the server: one too few breaks an install."""
    assert imported(*folders) == {name for part in base for name in declared(part)}


def test_diffusers_is_for_the_tests_alone():
    """GVM's network is our own: nobody who mattes needs diffusers (decision 6)."""
    assert "diffusers" in declared("dev") - declared("server")
