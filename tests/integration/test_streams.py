"""Standard streams that are closed, full, or left by their reader: an exit code, never a trace."""

from __future__ import annotations

import json
import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gvm_client.client import Client
from gvm_client.connection import read_connection
from tests.support.plates import write_plate
from tests.support.site import SMALL, Site

GVM = f"{shlex.quote(sys.executable)} -m gvm_server"
READER_GONE = 141


def shell(site: Site, command: str) -> tuple[int, str, str]:
    """Run a shell's command line; its `$?` is the first command's."""
    ran = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"],
        env={**os.environ, **site.environment},
        cwd=site.folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "Traceback" not in ran.stderr
    assert "Exception ignored" not in ran.stderr
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("words", ["--help", "status --json", "cache show", "bogus 2>&1"])
def test_a_reader_that_is_not_there_ends_the_command(site, words):
    """As SIGPIPE would, and silently."""
    assert shell(site, f"{GVM} {words} | true")[::2] == (READER_GONE, "")


@pytest.mark.parametrize("words", ["--help", "status --json", "cache show"])
def test_a_result_that_cannot_be_written_is_an_error(site, words):
    """A full disk: exit code 5 with the reason."""
    code, _, said = shell(site, f"{GVM} {words} >/dev/full")
    assert code == 5
    assert "No space left" in said


def test_what_a_person_is_told_may_be_lost(site, tmp_path):
    """A full or closed standard error changes no exit code; the matte is made."""
    plate = write_plate(tmp_path / "plate", range(1, 3))
    for number, streams in enumerate(("2>/dev/full", "2>&-", "<&- >&- 2>&-")):
        line = shlex.join(["matte", plate, "-o", f"out{number}", *SMALL])
        assert shell(site, f"{GVM} {line} {streams}")[0] == 0
        assert len(list((tmp_path / f"out{number}").iterdir())) == 2
    assert shell(site, f"{GVM} matte 2>&-")[0] == 2


def started(site: Site, plate: str, *words: str) -> tuple[subprocess.Popen[str], dict]:
    """Start a slow job whose events are read up to the first."""
    site.environment["GVM_TEST_ENGINE_SECONDS"] = "0.1"
    process = site.start("matte", plate, "-o", "out", *SMALL, "--json", *words)
    assert process.stdout
    return process, json.loads(process.stdout.readline())


def test_a_job_ends_with_its_reader(site, tmp_path, eventually):
    """Its server takes the next one at once."""
    process, _ = started(site, write_plate(tmp_path / "plate", range(1, 201)))
    process.stdout.close()
    with process:
        assert process.wait(20) == READER_GONE
        assert process.stderr.read() == ""
    with Client(read_connection(site.runtime)) as watcher:
        eventually(lambda: [job.state for job in watcher.status().jobs] == ["cancelled"])


def test_a_job_that_says_so_outlives_its_reader(site, tmp_path):
    """Every frame is made, and the exit code is the job's."""
    process, _ = started(site, write_plate(tmp_path / "plate", range(1, 13)), "--keep-going")
    process.stdout.close()
    with process:
        assert process.wait(30) == 0
    assert len(list((tmp_path / "out").iterdir())) == 12


def test_a_server_outlives_the_reader_of_its_log(site, eventually):
    """It serves others than whoever started it."""
    with site.start("serve") as server:
        server.stderr.close()
        eventually(site.server)
        for _ in range(3):
            assert site.gvm("status").code == 0
        assert site.gvm("stop").code == 0
        assert server.wait(20) == 0


def test_nothing_is_opened_as_a_closed_stream(site, tmp_path):
    """A log file that got descriptor 1 would be written into by libraries."""
    code = (
        "import os, sys; from gvm_server.cli.main import main; main(['cache', 'show']);"
        "sys.exit([os.readlink(f'/proc/self/fd/{n}') for n in range(3)] != ['/dev/null'] * 3)"
    )
    assert shell(site, f"{shlex.quote(sys.executable)} -c {shlex.quote(code)} <&- >&- 2>&-")[0] == 0


def test_a_watched_status_is_lines_in_a_pipe_and_a_screen_on_a_terminal(site, tmp_path):
    """No control code gets into a log."""
    assert site.matte(write_plate(tmp_path / "plate", range(1, 3)), "out").code == 0
    with site.start("status", "--watch") as watched:
        head = [watched.stdout.readline() for _ in range(8)]
        watched.send_signal(signal.SIGINT)
        assert watched.wait(20) == 130
    assert not any("\x1b" in line for line in head)
    assert sum(line.startswith("GVM server") for line in head) == 2
    master, slave = pty.openpty()
    on_screen = subprocess.Popen(
        [sys.executable, "-m", "gvm_server", "status", "--watch"],
        env={**os.environ, **site.environment},
        stdout=slave,
    )
    assert os.read(master, 7) == b"\x1b[H\x1b[2J"
    on_screen.send_signal(signal.SIGINT)
    assert on_screen.wait(20) == 130
    os.close(master)
    os.close(slave)


def test_the_working_folder_may_be_gone(site, tmp_path):
    """What is meant from it is refused."""
    gone = tmp_path / "gone"
    gone.mkdir()
    code, _, said = shell(site, f"cd {gone} && rmdir {gone} && {GVM} matte a.%04d.exr -o out")
    assert code == 2
    assert "working folder" in said


def test_a_locale_without_the_letters_shows_them_escaped(site, tmp_path):
    """A Latin-1 terminal and a Japanese folder."""
    site.environment["PYTHONIOENCODING"] = "latin-1"
    folder = tmp_path / "緑"
    folder.mkdir()
    (folder / "a.exr").write_bytes(b"")
    code, out, _ = shell(site, f"{GVM} verify {shlex.quote(str(folder))}")
    assert code == 5
    assert Path(folder).name.encode("unicode_escape").decode() in out
