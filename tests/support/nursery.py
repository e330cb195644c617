"""The processes that the tests' commands and servers are forked from; `forked.py` asks them.

`python -m tests.support.nursery SOCKET commands`, or `servers`, ends with its standard input. There
are two, for a fork of one that has loaded PyTorch takes twice as long.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import resource
import runpy
import selectors
import signal
import socket
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import gvm_server
from gvm_client.process import leave
from gvm_client.server_config import server_environment
from gvm_server.cores import usable_cores
from gvm_server.telemetry import refuse_telemetry
from gvm_server.threads import share_cores, thread_variables

_LARGEST = 1 << 20  # bytes of a question
# By the interpreter or a library, once.
READ_AT_START = (
    *("PYTHON", "LANG", "LC_", "LD_"),
    *("OMP_", "KMP_", "MKL_", "OPENBLAS_", "OPENCV_", "OPENIMAGEIO_"),
)
_OF_NO_MATTER = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
_MODULES = {
    "commands": (
        "gvm_server.cli.cache",
        "gvm_server.cli.farm.commands",
        "gvm_server.cli.main",
        "gvm_server.cli.matte.command",
        "gvm_server.cli.matte.deliverables",
        "gvm_server.cli.matte.dry_run",
        "gvm_server.cli.review.parts",
        "gvm_server.cli.studio",
        "gvm_server.service.server",
    ),
    "servers": (
        "gvm_server.cli.main",
        "gvm_server.cli.serve",
        "gvm_server.matting.engines.gvm.engine",
        "gvm_server.matting.engines.preview.engine",
        "gvm_server.matting.engines.test",
        "gvm_server.service.owner",
        "gvm_server.service.server",
        "importlib.metadata",
        "numpy.ma",
    ),
}


class _Nursery:
    """One loop, no thread: what forks has none."""

    def __init__(self, path: Path, environment: Mapping[str, str]) -> None:
        self._environment = _read_at_start(environment)
        self._cores = sorted(os.sched_getaffinity(0))
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen(64)  # who comes before everything is imported waits
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(sys.stdin, selectors.EVENT_READ)
        self._servers: dict[socket.socket, tuple[int, int]] = {}  # process, its descriptor

    def wait_for_a_question(self) -> dict[str, Any] | None:
        """Serve; return in each forked process what is asked of it, and None at the end."""
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is sys.stdin:
                    for process, _ in self._servers.values():
                        os.kill(process, signal.SIGKILL)
                    return None
                if key.fileobj is self._listener:
                    self._selector.register(self._listener.accept()[0], selectors.EVENT_READ)
                elif isinstance(key.fileobj, socket.socket):
                    # Closed: of the same round is the word that its server has ended.
                    if key.fileobj.fileno() >= 0 and (asked := self._hear(key.fileobj)):
                        return asked
                elif key.data in self._servers:
                    self._end(key.data)

    def _hear(self, asking: socket.socket) -> dict[str, Any] | None:
        """Fork for a question; a program that has gone takes its server along."""
        data, streams = b"", list[int]()
        with suppress(ConnectionError):
            data, streams, _, _ = socket.recv_fds(asking, _LARGEST, 3)
        if not data:
            if asking in self._servers:
                os.kill(self._servers[asking][0], signal.SIGKILL)
                self._selector.unregister(asking)
            else:
                self._drop(asking)
            return None
        asked: dict[str, Any] = json.loads(data)
        forks = "cores" not in asked or (
            _read_at_start(asked["environment"]) == self._environment
            and asked["cores"] == self._cores
        )
        with suppress(OSError):  # it may have been killed meanwhile
            asking.send(json.dumps(forks).encode())
        if not forks:
            self._drop(asking)
            for stream in streams:
                os.close(stream)
            return None
        process = os.fork()
        if process == 0:
            self._selector.close()
            self._listener.close()
            for other in (asking, *self._servers):
                other.close()
            for _, descriptor in self._servers.values():
                os.close(descriptor)
            _become(asked, streams)
            return asked
        for stream in streams:
            os.close(stream)
        descriptor = os.pidfd_open(process)
        self._servers[asking] = (process, descriptor)
        self._selector.register(descriptor, selectors.EVENT_READ, asking)
        return None

    def _end(self, asking: socket.socket) -> None:
        """Tell how a server ended."""
        process, descriptor = self._servers.pop(asking)
        self._selector.unregister(descriptor)
        os.close(descriptor)
        _, status = os.waitpid(process, 0)
        with suppress(OSError):  # its program was killed
            asking.send(json.dumps(os.waitstatus_to_exitcode(status)).encode())
        self._drop(asking)

    def _drop(self, asking: socket.socket) -> None:
        with suppress(KeyError):
            self._selector.unregister(asking)
        asking.close()


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: text
        for name, text in {**thread_variables(usable_cores()), **environment}.items()
        if name.startswith(READ_AT_START) and name not in _OF_NO_MATTER
    }


def _become(asked: dict[str, Any], streams: list[int]) -> None:
    """Give this process a session, and the streams, mode and limits of who asked."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    # Made anew: they remember whether what was there before could be sought in.
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # noqa: SIM115
        2, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    if "umask" in asked:
        os.umask(asked["umask"])
    for kind, limits in asked.get("limits", ()):
        resource.setrlimit(kind, tuple(limits))


def _be_gvm(words: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
    """Be the `gvm` command in this process, with these variables and in this folder."""
    os.environ.clear()
    os.environ.update(environment)
    refuse_telemetry()  # as the package does where it is imported
    os.chdir(folder)
    sys.argv = [str(Path(gvm_server.__file__).with_name("__main__.py")), *words]
    runpy.run_module("gvm_server", run_name="__main__")


def main() -> None:
    """Be the nursery; in each forked process, be the command."""
    # As a launcher passes variables on: OpenCV sets LD_LIBRARY_PATH where it is imported.
    environment = server_environment(os.environ, {}, same_python=True)
    share_cores()
    nursery = _Nursery(Path(sys.argv[1]), environment)
    print("listening", flush=True)
    for module in _MODULES[sys.argv[2]]:
        import_module(module)
    _share()
    # A thread does not live on in a fork; onnxruntime begins one where it is imported.
    assert len([*Path("/proc/self/task").iterdir()]) == 1
    asked = nursery.wait_for_a_question()
    if asked is None:
        _end(0)
    try:
        _be_gvm(asked["words"], asked["environment"], asked["folder"])
    except SystemExit as end:
        if isinstance(end.code, int):
            _end(end.code)
        raise


def _share() -> None:
    """Leave alone in all forks what they share: a look for garbage would copy every page of it."""
    for of_a_library in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        of_a_library.atexit = False  # PyTorch takes its operators back one by one
    gc.collect()
    gc.freeze()


def _end(code: int) -> NoReturn:
    """End as an interpreter does, but take no module apart: that is most of a short command.

    It waits for threads, calls what is registered and writes what is buffered.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    leave(code)


if __name__ == "__main__":
    main()
