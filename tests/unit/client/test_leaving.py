"""A process that leaves says what it said, and its exit code, whoever still listens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from gvm_client.leaving import sigterm_interrupts


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
        "import atexit, os; from gvm_client.leaving import leave;"
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
