"""Paths of every system, by one rule."""

from __future__ import annotations

import json

import pytest

from gvm_client.errors import LocalProtocolError
from gvm_client.paths import is_absolute
from gvm_client.protocol.messages import FilePlate
from tests.support.tree import GOLDEN

GOLDEN_PATHS = json.loads((GOLDEN / "paths.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", GOLDEN_PATHS["absolute"])
def test_an_absolute_path_of_any_system_travels(path: str):
    """A server says itself that it has no such file."""
    assert is_absolute(path)
    assert FilePlate(path=path).path == path


@pytest.mark.parametrize("path", GOLDEN_PATHS["relative"])
def test_a_path_that_depends_on_a_folder_does_not(path: str):
    """Of a drive's current folder too."""
    assert not is_absolute(path)
    with pytest.raises(LocalProtocolError, match="absolute path"):
        FilePlate(path=path)
