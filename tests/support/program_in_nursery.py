"""The program that hosts and farms start where a test's server or command is forked; see `forked`.

Run by `python -I -S`, with the nursery's socket and the command's words; imports little.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import sys
from pathlib import Path


def main() -> int:
    """Ask for a process, and end as it ends."""
    path, *words = sys.argv[1:]
    os.umask(umask := os.umask(0o077))
    limits = [getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")]
    asked = {
        "words": words,
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "umask": umask,
        "cores": sorted(os.sched_getaffinity(0)),
        "limits": [(kind, resource.getrlimit(kind)) for kind in set(limits)],
    }
    nursery = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    nursery.connect(path)
    socket.send_fds(nursery, [json.dumps(asked).encode()], [0, 1, 2])
    if not json.loads(nursery.recv(100)):
        os.execv(sys.executable, [sys.executable, "-m", "gvm_server", *words])
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):  # a pipe closes with the server, not with this
        os.dup2(nowhere, stream)
    said = nursery.recv(100)
    code = json.loads(said) if said else 1
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    os._exit(main())
