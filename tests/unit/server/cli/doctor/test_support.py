"""What is packed for a question is listed in the guides, all of it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from gvm_server.cli.doctor.support import _CRASH, PARTS, VARIABLES, crashes, environment
from tests.support.tree import DOCS

GUIDES = ("guide.md", "guide.ko.md")


@pytest.mark.parametrize("guide", GUIDES)
def test_the_guides_list_every_file_and_every_variable_and_no_other(guide: str):
    """Who sends it must be able to know what it is."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    section = text[text.index("### 7.6") : text.index("\n## 8.")]
    assert set(PARTS) <= set(re.findall(r"`([\w/]+\.\w+)`", section))
    assert set(re.findall(r"`([A-Z][A-Z0-9_]+)`", section)) == set(VARIABLES)


def test_variables_of_the_table_only(monkeypatch: pytest.MonkeyPatch):
    """Of all others not even the names."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GVM_SECRET_PLAN", "x")
    assert "None of the variables" in environment()
    monkeypatch.setenv("OCIO", "ocio://default")
    assert environment() == "OCIO=ocio://default\n"
    assert "GVM_SECRET_PLAN" in os.environ


LOG = """\
2026-11-27 10:00:00,000 INFO MainThread gvm: Serving.
2026-11-27 10:00:01,000 ERROR MainThread gvm: An unexpected error ended a job.
Traceback (most recent call last):
  File "/a.py", line 1, in work
    fail()
gvm_client.errors.ServerLost: gone
2026-11-27 10:00:02,000 INFO MainThread gvm: Job 1: done.
Fatal Python error: Segmentation fault

Current thread 0x00007f (most recent call first):
  File "/b.py", line 2 in run

Thread 0x00008f (most recent call first):
  File "/c.py", line 3 in wait

Extension modules: numpy (total: 1)
2026-11-27 10:00:03,000 INFO MainThread gvm: Serving.
"""


def test_traces_are_found_in_a_log_to_their_ends():
    """Python's own, and those of a fault in a library; no line of the log around them."""
    error, fault = (match[0].rstrip() for match in _CRASH.finditer(LOG))
    assert error.startswith("Traceback")
    assert error.endswith("ServerLost: gone")
    assert fault.startswith("Fatal Python error")
    assert fault.endswith("(total: 1)")


def test_the_last_ten_traces_and_a_host_s_own_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """From the log and the one before it; a note that is old is left out."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path))
    assert crashes() == "No crash is noted.\n"
    trace = 'Traceback (most recent call last):\n  File "a.py", line {}\nValueError: no\n'
    (tmp_path / "server.log.1").write_text("".join(trace.format(n) for n in range(8)))
    (tmp_path / "server.log").write_text("".join(trace.format(n) for n in range(8, 14)))
    note = tmp_path / ".local" / "share" / "DaVinciResolve" / "crash_archive.txt"
    note.parent.mkdir(parents=True)
    note.write_text("uptime 3 s")
    said = crashes()
    assert re.findall(r"line (\d+)", said) == [str(n) for n in range(4, 14)]
    assert "uptime 3 s" in said
    os.utime(note, (1, 1))
    assert "uptime" not in crashes()
