"""The package's border: light to import, and just the public names."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import gvm_client
from tests.support.tree import ROOT

PYPROJECT = ROOT / "pyproject.toml"


def modules_after(code: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter has loaded after running the code."""
    report = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    output = subprocess.check_output([sys.executable, "-c", f"{code}; {report}"], text=True)
    return set(output.split())


def test_importing_it_loads_nothing_heavy():
    """A compositing host pays for neither numpy nor torch, not even when it uses every name."""
    heavy = {"numpy", "torch", "OpenImageIO", "cv2", "PIL", "av", "gvm_server", "rich", "asyncio"}
    assert not modules_after("import gvm_client") & (heavy | {"zmq", "msgpack"})
    everything = "import gvm_client; [getattr(gvm_client, name) for name in gvm_client.__all__]"
    loaded = modules_after(everything)
    assert {"zmq", "msgpack"} <= loaded
    assert not loaded & heavy


def test_importing_it_loads_only_what_an_interpreter_has_anyway():
    """Collections, enums, types and texts: not even the modules that send and receive."""
    loaded = modules_after("import gvm_client") - modules_after("pass")
    light = {"collections", "contextlib", "copyreg", "enum", "functools", "importlib", "itertools"}
    light |= {"keyword", "operator", "re", "reprlib", "types", "typing", "warnings"}
    light |= {"sre_compile", "sre_constants", "sre_parse"}  # Python 3.10's parts of `re`
    assert {name for name in loaded if not name.startswith("_")} - light == {"gvm_client"}


def test_every_public_name_can_be_had():
    """`__all__`, the lazy table and `dir` agree."""
    assert sorted(gvm_client.__all__) == gvm_client.__all__ == dir(gvm_client)
    assert {*gvm_client._HOMES, "__version__"} == set(gvm_client.__all__)
    for name in gvm_client.__all__:
        assert getattr(gvm_client, name) is not None


def test_an_unknown_name_is_an_attribute_error():
    """As for any module."""
    with pytest.raises(AttributeError, match="no attribute 'Clinet'"):
        gvm_client.Clinet  # noqa: B018


def test_the_version_stands_once():
    """A host has the package and no distribution, so the distribution takes the package's."""
    declared = PYPROJECT.read_text(encoding="utf-8")
    assert re.search(r'^dynamic = \["version"\]$', declared, re.MULTILINE)
    assert re.search(r'^path = "nodes/gvm_client/__init__.py"', declared, re.MULTILINE)
    assert re.search(r"^version = ", declared, re.MULTILINE) is None
