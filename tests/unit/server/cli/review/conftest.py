"""What the commands that look at finished mattes share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cache and a run-time folder of the test's own: no server of anybody's is asked."""
    monkeypatch.setenv("GVM_CACHE_DIR", str(tmp_path / "cache"))
    with tempfile.TemporaryDirectory(prefix="gvm-") as runtime:
        monkeypatch.setenv("GVM_RUNTIME_DIR", runtime)
        yield
