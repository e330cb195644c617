"""Systems are told apart in one Python module and in `bridge/platform*`, and nowhere else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.tree import ROOT

ASKS = Path("nodes/gvm_client/platform.py")
MACROS = re.compile(
    r"\b(_WIN32|_WIN64|__MINGW32__|__APPLE__|__MACH__|__linux__|__unix__|_MSC_VER)\b"
)
HEADERS = re.compile(r"#\s*include\s*<((?:sys/|unistd|fcntl|signal|spawn|windows|winsock)[^>]*)>")
# Who asks by the name of a system's own function or flag tells systems apart too.
MODULES = {"fcntl", "msvcrt", "winreg"}
NAMES = {("sys", "platform"), ("os", "name"), ("platform", "system"), ("sys", "getwindowsversion")}


def _asked(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if (node.value.id, node.attr) in NAMES:
                yield f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom):
            found = {(node.module, alias.name) for alias in node.names} & NAMES
            yield from (f"{module}.{name}" for module, name in found)


def test_one_python_module_asks_which_system_this_is():
    """All else asks that module, whose branches tests can choose."""
    asking: dict[str, list[str]] = {}
    for folder in ("nodes", "gvm_server", "plugin_host"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if found := sorted(_asked(ast.parse(path.read_text(encoding="utf-8")))):
                asking[str(path.relative_to(ROOT))] = found
    assert set(asking) == {str(ASKS)}, asking
    assert asking[str(ASKS)].count("sys.platform") == 4


@pytest.mark.parametrize(
    "text",
    ["import sys\nsys.platform", "from sys import platform", "import os\nos.name", "import fcntl"],
)
def test_whoever_asks_elsewhere_is_found(text: str):
    """The test above can fail."""
    assert list(_asked(ast.parse(text)))


def test_one_place_of_the_plug_in_asks_its_compiler_for_the_system():
    """The OpenFX side, and all of the bridge but `platform*`, are the same source everywhere."""
    for path in sorted((ROOT / "plugin_host" / "src").rglob("*.[ch]pp")):
        found = MACROS.findall(path.read_text(encoding="utf-8"))
        own = path.parent.name == "bridge" and path.name.startswith("platform")
        assert own or not found, f"{path} asks for {found}"


def test_only_the_bridges_platform_files_include_a_systems_headers():
    """POSIX and Windows begin there."""
    for path in sorted((ROOT / "plugin_host" / "src").rglob("*.[ch]pp")):
        found = HEADERS.findall(path.read_text(encoding="utf-8"))
        own = path.parent.name == "bridge" and path.name.startswith("platform")
        assert own or not found, f"{path} includes {found}"
