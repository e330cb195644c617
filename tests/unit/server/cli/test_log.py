"""`gvm log`: the end of the server's log, where it is, and what is added."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gvm_client.process import Exit
from gvm_server.cli.main import main


@pytest.fixture
def log(tmp_path, monkeypatch) -> Path:
    """The log of a server that ran."""
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("GVM_RUNTIME_DIR", str(runtime))
    path = runtime / "server.log"
    path.write_text("".join(f"line {number}\n" for number in range(100)))
    return path


def test_the_last_lines_are_shown(log, capsys):
    """Fifty, or as many as were asked for."""
    assert main(["log"]) == Exit.DONE
    assert capsys.readouterr().out.splitlines() == [f"line {number}" for number in range(50, 100)]
    assert main(["log", "-n", "2"]) == Exit.DONE
    assert capsys.readouterr().out == "line 98\nline 99\n"
    assert main(["log", "--lines", "0"]) == Exit.DONE
    assert capsys.readouterr().out == ""
    assert main(["log", "--lines", "-1"]) == Exit.USAGE


def test_where_it_is(log, capsys):
    """For programs."""
    assert main(["log", "--path"]) == Exit.DONE
    assert capsys.readouterr().out == f"{log}\n"


def test_a_name_in_the_log_steers_no_terminal(log, capsys):
    """Escape sequences are shown."""
    log.write_text("\x1b[2J\n")
    assert main(["log"]) == Exit.DONE
    assert capsys.readouterr().out == "\\x1b[2J\n"


def test_where_there_is_none_it_says_where_it_would_be(log, capsys):
    """With what else could be."""
    log.unlink()
    assert main(["log"]) == Exit.SERVER
    said = capsys.readouterr().err
    assert str(log) in said
    assert "--log-file" in said


def test_what_is_added_is_followed_also_into_a_new_file(log):
    """A long log is put aside, and another one begun."""
    words = [sys.executable, "-m", "gvm_server", "log", "-n", "1", "--follow"]
    environment = dict(os.environ)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "line 99\n"
        with log.open("a") as file:
            file.write("more\n")
        assert process.stdout.readline() == "more\n"
        log.replace(log.with_suffix(".log.1"))
        log.write_text("anew\n")
        assert process.stdout.readline() == "anew\n"
        process.terminate()
