"""A server that belongs to one command, such as a farm's task: its child, which ends with it.

A farm counts a task's cores, memory and time by its processes, and ends the task by ending those.
So this server is a child in the task's session, process group and control group, bound to its cores
and its GPUs. It ends when the task does, however that ends: its standard input is a pipe that only
the task holds open. Its run-time folder is made for it, and goes with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from gvm_client.connection import ConnectionFile
from gvm_client.errors import ServerError
from gvm_client.folders import TASK_PREFIX, temporary_runtime_dir
from gvm_client.gpus import gpu_variables
from gvm_client.launcher import Boot, start_child, wait_for_child

GRACE_SECONDS = 10.0  # what is finished is kept; a window that runs is not waited for


class OwnServer:
    """A server of one's own, started when it is first asked for.

    As a context it ends the server, waits for its process and deletes its folder. Where the block
    fails by the server's fault, the end of its log is printed to standard error.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._boot: Boot | None = None
        self._connection: ConnectionFile | None = None

    def connect(self) -> ConnectionFile:
        """Return the connection to the server, which is started where it does not run.

        Raises:
            ServerError: it does not come up, or none is installed.
            SettingsError: what a farm says of this task's GPUs is not understood.
        """
        if self._connection is not None and self._boot and self._boot.process.poll() is None:
            return self._connection
        self._end()
        variables = gpu_variables(os.environ)
        if self._folder is None:
            self._folder = temporary_runtime_dir(TASK_PREFIX)
        self._boot = start_child(self._folder, variables)
        self._connection = wait_for_child(self._boot, self._folder)
        return self._connection

    def __enter__(self) -> OwnServer:  # noqa: PYI034 (`Self` is not in Python 3.10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._boot is not None and isinstance(error, ServerError):
            sys.stderr.write(f"{self._boot.tail()}\n")
        self._end()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _end(self) -> None:
        """End the server, by force where it takes long; its process has been waited for then."""
        if self._boot is None:
            return
        process, self._boot, self._connection = self._boot.process, None, None
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
