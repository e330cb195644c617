"""The package's border: light to import, and just the public names."""

from __future__ import annotations

import re
import subprocess
import sys
import time

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
    heavy = {"numpy", "torch", "OpenImageIO", "cv2", "PIL", "av", "gvm_server", "rich"}
    assert not modules_after("import gvm_client") & (heavy | {"zmq", "msgpack"})
    everything = "import gvm_client; [getattr(gvm_client, name) for name in gvm_client.__all__]"
    loaded = modules_after(everything)
    assert {"zmq", "msgpack"} <= loaded
    assert not loaded & heavy


def test_importing_it_is_fast():
    """It costs a fresh interpreter far less than a frame of a menu's animation."""

    def seconds(code: str) -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - started

    bare = min(seconds("pass") for _ in range(3))
    ours = min(seconds("import gvm_client") for _ in range(3))
    assert ours - bare < 0.1


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
