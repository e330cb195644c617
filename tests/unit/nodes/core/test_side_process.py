"""The client in a side process: how it ends, and what another Python may do to it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from gvm_client.errors import ErrorCode, ServerError, ServerLost
from gvm_client.protocol.messages import Done, FileOutput, FilePlate, FrameReady, Matte
from gvm_client.settings import Priority
from gvm_nodes.core.transport import SideTransport, to_line
from tests.support.tree import ROOT


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """Where the fake side process notes what becomes of its job."""
    return tmp_path / "notes"


@pytest.fixture
def python(tmp_path: Path) -> Callable[[str], str]:
    """Make a program that stands for the other Python, of the lines of a shell script."""

    def make(lines: str) -> str:
        path = tmp_path / "python"
        path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
        path.chmod(0o755)
        return str(path)

    return make


def matte(priority: Priority = Priority.RANGE, frames: str = "") -> Matte:
    """Return a request; of one frame the fake makes an end, of more it never does."""
    return Matte(
        job="1" * 32,
        plate=FilePlate(path="/p/a.%04d.exr"),
        output=FileOutput(path="/m/a.%04d.exr"),
        frames=frames,
        priority=priority,
    )


def side_of(notes: Path) -> str:
    """Return the shell's line for a side process whose server is a fake."""
    return f"cd '{ROOT}' && exec '{sys.executable}' -m tests.fakes.side_python '{notes}'"


@pytest.mark.parametrize(
    ("priority", "became"),
    [(Priority.BATCH, "began\n"), (Priority.RANGE, "began\nclosed\n")],
)
@pytest.mark.parametrize("both", [False, True])
def test_a_batch_job_goes_on_when_its_host_is_gone_and_a_range_ends(priority, became, both, notes):
    """By the end of the pipes, as a host that quits or crashes leaves them."""
    words = [sys.executable, "-m", "tests.fakes.side_python", str(notes)]
    with Popen(words, cwd=ROOT, stdin=PIPE, stdout=PIPE, text=True) as process:
        process.stdin.write(to_line(matte(priority)))
        process.stdin.flush()
        assert "frame_ready" in process.stdout.readline()
        if both:
            process.stdout.close()
        process.stdin.close()
        assert process.wait(10) == 0
    assert notes.read_text() == became


@pytest.mark.parametrize("priority", list(Priority))
def test_closing_the_events_cancels_the_job_whatever_its_priority(priority, notes, python):
    """An artist's Cancel, or Ctrl-C in a terminal, is a word and not only an end."""
    transport = SideTransport(python(side_of(notes)))
    with closing(transport.matte(matte(priority))) as events:
        assert isinstance(next(events), FrameReady)
    assert notes.read_text() == "began\nclosed\n"


def test_events_that_are_heard_to_their_end_leave_a_process_without_an_error(notes, python):
    """Nobody closes its input before it has gone."""
    events = list(SideTransport(python(side_of(notes))).matte(matte(frames="1001")))
    assert isinstance(events[-1], Done)
    assert notes.read_text() == "began\n"


def test_a_host_that_goes_before_it_asks_is_no_error(notes):
    """Nothing is written to anybody's console."""
    words = [sys.executable, "-m", "tests.fakes.side_python", str(notes)]
    with Popen(words, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE) as process:
        assert process.communicate(timeout=10) == (b"", b"")
        assert process.returncode == 0
    assert not notes.exists()


def test_a_python_that_ends_at_once_is_a_lost_server(python):
    """Whether it has gone before it was asked, or after; its exit code is said."""
    transport = SideTransport(python("exit 3"))
    cuts = FilePlate(path="/p/a.%04d.exr", cuts=tuple(range(1_000_000, 1_010_000)))
    more_than_a_pipe_holds = replace(matte(), plate=cuts)
    for ask in (
        transport.status,
        transport.release,
        lambda: next(transport.matte(matte())),
        lambda: next(transport.matte(more_than_a_pipe_holds)),
    ):
        with pytest.raises(ServerLost, match="exit code 3") as caught:
            ask()
        assert "GVM_SIDE_PYTHON" in caught.value.remedy


@pytest.mark.parametrize(
    "said", ["Welcome to the studio!", "7", "[]", "{}", '{"later": {}}', '{"done": {"job": 7}}', ""]
)
def test_what_is_no_message_is_an_error_that_names_the_python(said, python):
    """A banner of the other Python, or a word of another version."""
    program = python(f"echo '{said}'; cat >/dev/null")
    for ask in (SideTransport(program).status, lambda: next(SideTransport(program).matte(matte()))):
        with pytest.raises(ServerError, match="is no message") as caught:
            ask()
        assert program in str(caught.value)
        assert caught.value.code is ErrorCode.MALFORMED


def test_bytes_that_are_no_text_are_an_error_too(python):
    """Not a decoder's trace."""
    with pytest.raises(ServerError, match="is no message"):
        SideTransport(python(r"printf '\377\n'; cat >/dev/null")).status()


def test_what_the_process_prints_besides_is_no_message(tmp_path, monkeypatch, python):
    """Its standard output is its own; a library's words go to the console."""
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(tmp_path / "none"))
    (tmp_path / "msgpack.py").write_text("print('noise')\nraise ImportError('none')\n")
    noisy = f"exec env PYTHONPATH='{tmp_path}:{ROOT}/nodes' '{sys.executable}' \"$@\""
    with pytest.raises(ServerLost):  # the broken library's, and no message that cannot be read
        SideTransport(python(noisy)).status()


def test_a_python_that_is_not_there_is_named():
    """With what to do."""
    with pytest.raises(ServerError, match="/none/python cannot be started"):
        SideTransport("/none/python").status()


def test_a_process_that_does_not_end_is_not_waited_for_long(python, monkeypatch):
    """It is killed, and leaves nothing behind."""
    monkeypatch.setattr("gvm_nodes.core.transport._CONTROL_SECONDS", 0.1)
    began = time.monotonic()
    with pytest.raises(ServerError):
        SideTransport(python("echo ?; exec sleep 60")).status()
    assert time.monotonic() - began < 5
