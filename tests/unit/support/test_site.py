"""What a test's machine says of a command that hangs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plates import write_plate
from tests.support.site import machine_for_hosts


def test_a_command_that_takes_too_long_is_told_with_the_server_s_threads(tmp_path: Path):
    """A hang that comes once in a thousand runs leaves what it takes to find it."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    with machine_for_hosts(tmp_path) as site:
        site.environment["GVM_TEST_ENGINE_SECONDS"] = "60"  # a frame
        with pytest.raises(TimeoutError, match="took longer than 10 s") as late:
            site.matte(plate, "out", timeout=10)
    assert "gvm_server/matting/engines/test.py" in str(late.value)
