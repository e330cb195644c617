"""A server that runs for months does not fill the disk with its log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from pathlib import Path
from gvm_server.service.log import rotate
log = Path(sys.argv[1])
for number in range(40):
    print(f"line {number:03d} " + "x" * 90, file=sys.stderr, flush=True)
    print("out", flush=True)
    rotate(log, limit=1000)
"""


def run(log: Path, output: Path) -> None:
    """Run a process whose output is a file, as a client starts a server."""
    with output.open("ab") as file:
        subprocess.run([sys.executable, "-c", CODE, str(log)], stdout=file, stderr=file, check=True)


def test_a_long_log_is_put_aside_while_the_server_runs(tmp_path: Path):
    """The newest lines are in the two files, each bounded, and only their owner reads them."""
    log = tmp_path / "server.log"
    run(log, log)
    kept = sorted(tmp_path.iterdir())
    assert kept == [log, tmp_path / "server.log.1"]
    assert all(path.stat().st_size <= 1200 for path in kept)
    text = (tmp_path / "server.log.1").read_text() + log.read_text()
    assert "line 039" in text
    assert "line 000" not in text
    assert log.stat().st_mode & 0o777 == 0o600


def test_another_output_is_left_alone(tmp_path: Path):
    """A terminal, a pipe, or a log by another name."""
    log = tmp_path / "server.log"
    log.write_text("x" * 5000)
    run(log, tmp_path / "other.log")
    assert log.read_text() == "x" * 5000
    assert (tmp_path / "other.log").stat().st_size > 4000
    log.unlink()
    run(log, tmp_path / "other.log")
    assert not log.exists()
