"""Exit codes: every error has one, and the documented ones stay what they are."""

from __future__ import annotations

import pytest

from gvm_client.errors import ErrorCode, GvmError, InputError, OutputError, SettingsError
from gvm_client.exits import Exit, exit_for


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), 2),
        (InputError("x"), 3),
        (InputError("x", code=ErrorCode.PLATE_MISSING), 3),
        (OutputError("x"), 5),
        (GvmError("x", code=ErrorCode.DISK_FULL), 5),
        (GvmError("x", code=ErrorCode.CANCELLED), 130),
        (GvmError("x", code=ErrorCode.SERVER_LOST), 4),
        (GvmError("x"), 4),
    ],
)
def test_an_error_ends_with_its_exit_code(error: GvmError, code: int):
    """What scripts rely on."""
    assert exit_for(error) == code


def test_no_error_ends_as_if_done():
    """Whatever the code, a program sees that it failed."""
    assert all(exit_for(GvmError("x", code=code)) is not Exit.DONE for code in ErrorCode)
