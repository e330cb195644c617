"""How processes end: exit codes for every error, and SIGTERM."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from gvm_client.errors import ErrorCode, GvmError, InputError, OutputError, SettingsError
from gvm_client.process import Exit, exit_for, sigterm_interrupts


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsError("x"), 2),
        (InputError("x"), 3),
        (InputError("x", code=ErrorCode.PLATE_MISSING), 3),
        (GvmError("x", code=ErrorCode.UNKNOWN_JOB), 3),
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


def test_sigterm_is_control_c_within_and_what_it_was_after():
    """A farm's end of a task ends the job, too."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), sigterm_interrupts():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("listens", [True, False])
def test_the_code_is_said_although_nobody_listens_or_python_s_end_would_fault(listens):
    """Buffered words come out; nothing registered for Python's end runs."""
    code = (
        "import atexit, os; from gvm_client.process import leave;"
        "atexit.register(os._exit, 99); print('said', end=''); leave(5)"
    )
    reader, writer = os.pipe()
    if not listens:
        os.close(reader)
    buffered = {name: text for name, text in os.environ.items() if name != "PYTHONUNBUFFERED"}
    words = [sys.executable, "-c", code]
    ran = subprocess.run(words, stdout=writer, env=buffered, check=False)
    os.close(writer)
    assert ran.returncode == 5
    if listens:
        assert os.read(reader, 100) == b"said"
        os.close(reader)
