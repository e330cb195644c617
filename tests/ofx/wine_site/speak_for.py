"""Writes connection.json for a stand-in: speak_for.py PID STARTED, in the run-time folder.

Waits until a Linux server's linux.json is there and alive, and says the same of the stand-in's
process, closed to others: Wine shows a file's mode as its access list.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from gvm_client import connection
from gvm_client.errors import ServerError

SECONDS = 60


def main() -> None:
    """Do so."""
    folder = Path(os.environ["GVM_RUNTIME_DIR"])
    pid, started = map(int, sys.argv[1:])
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            said = connection.read_connection(folder)
        except ServerError:
            time.sleep(0.02)
            continue
        connection.CONNECTION_NAME = "connection.json"
        connection.write_connection(folder, replace(said, pid=pid, started=started))
        return


if __name__ == "__main__":
    main()
