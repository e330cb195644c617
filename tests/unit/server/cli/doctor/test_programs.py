"""A child process is heard to its end, whatever it does."""

from __future__ import annotations

import sys
import time

import pytest

from gvm_server.cli.doctor.programs import MAX_HEARD, hear


def heard(code: str, seconds: float = 30):
    """Run Python's code."""
    return hear([sys.executable, "-c", code], seconds=seconds)


def test_what_it_says_and_how_it_ends():
    """Both streams, and the exit code."""
    found = heard("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")
    assert (found.code, found.out, found.err) == (3, "out\n", "err\n")
    assert found.ending() == "exit code 3"


def test_a_fault_has_its_signal_s_name():
    """As an artist may look it up."""
    assert heard("import os; os.kill(os.getpid(), 11)").ending() == "SIGSEGV"


def test_what_hangs_is_ended_with_all_that_it_started():
    """A child of the child holds its streams and sleeps on."""
    began = time.monotonic()
    code = "import subprocess, time; print('begun', flush=True); subprocess.run(['sleep', '60'])"
    found = heard(code, seconds=1)
    assert (found.code, found.out, found.ending()) == (None, "begun\n", "no end in time")
    assert time.monotonic() - began < 10


def test_heirs_keep_nobody_waiting():
    """It ends, and what it left behind holds its streams."""
    began = time.monotonic()
    found = heard("import subprocess; subprocess.Popen(['sleep', '60']); print('left')")
    assert (found.code, found.out) == (0, "left\n")
    assert time.monotonic() - began < 10


def test_a_flood_is_heard_at_its_end():
    """No more of it than is wanted comes into memory."""
    found = heard(f"print('x' * {2 * MAX_HEARD}, end='the end')")
    assert len(found.out) == MAX_HEARD
    assert found.out.endswith("the end")


def test_what_cannot_be_started_is_an_error():
    """With the system's reason."""
    with pytest.raises(FileNotFoundError):
        hear(["/there/is/none"], seconds=1)
