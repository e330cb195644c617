"""The package and the Python that an installed node has: which they are, and whether they work."""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from gvm_client.server_config import LOADER_PREFIXES, PYTHON_PREFIX
from gvm_nodes.side import PYTHON_VARIABLE
from gvm_server.cli.doctor.child import hear

SECONDS = 20.0  # a Python on a slow server
_VERSION = re.compile(r'^__version__ = "([^"]*)"', re.MULTILINE)
_ASK = (
    "import platform, gvm_client, gvm_nodes.side, msgpack, zmq;"
    " print(f'Python {platform.python_version()}, gvm-bridge {gvm_client.__version__}')"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a program said of itself, or why it said nothing."""

    works: bool
    says: str


def package_version(folder: Path) -> str:
    """Return the release of the package in a folder, as `0.1.0`; "" where there is none."""
    try:
        text = (folder / "gvm_client" / "__init__.py").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    found = _VERSION.search(text)
    return found[1] if found and (folder / "gvm_nodes").is_dir() else ""


def called(script: str, function: str) -> list[str]:
    """Return the texts that a Python script hands to a function, such as `sys.path.append`."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError):
        return []
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [
        argument.value
        for call in calls
        if ast.unparse(call.func) == function
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]


def side_python(installed: str) -> tuple[str, str]:
    """Return the Python of a node's side processes, and who says so."""
    if chosen := os.environ.get(PYTHON_VARIABLE):
        return chosen, f"{PYTHON_VARIABLE} says"
    return installed, "the install says"


def ask_python(python: str) -> Answer:
    """Return whether a Python can run a node's side process, started as a node starts it."""
    clean = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith((PYTHON_PREFIX, *LOADER_PREFIXES))
    }
    return _asked((python, "-c", _ASK), tuple(sorted(clean.items())))


def ask_program(words: tuple[str, ...]) -> Answer:
    """Return what a command says, its first line."""
    return _asked(words, None)


@lru_cache
def _asked(words: tuple[str, ...], environment: tuple[tuple[str, str], ...] | None) -> Answer:
    try:
        heard = hear(
            words, seconds=SECONDS, environment=None if environment is None else dict(environment)
        )
    except (OSError, ValueError) as error:
        return Answer(works=False, says=getattr(error, "strerror", None) or str(error))
    if heard.code != 0:
        complaint = heard.err.strip().splitlines()[-1:]
        return Answer(works=False, says=": ".join([heard.ending(), *complaint]))
    return Answer(works=True, says=(heard.out.strip().splitlines() or [""])[0])
