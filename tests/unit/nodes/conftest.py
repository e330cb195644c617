"""What every host's node is tested with."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_nodes.core.defaults import VARIABLE


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run-time folder that is made by whoever looks for a server, of which there is none."""
    folder = tmp_path / "runtime"
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(folder))
    monkeypatch.setenv("GVM_SERVER", "/none/server")
    return folder


@pytest.fixture
def no_studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a studio's file."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
