"""Fixtures of the tests that run the real command line and the real server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.site import Site, machine_for_hosts


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A machine of its own; its server ends with the test."""
    with machine_for_hosts(tmp_path) as site:
        yield site


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Wait until something is true, at most 20 seconds, and return it."""

    def wait(happens: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if value := happens():
                return value
            time.sleep(0.02)
        raise AssertionError("It did not happen within 20 seconds.")

    return wait
