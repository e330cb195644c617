"""A server that belongs to one command ends with it, however that ends.

The command holds the other end of a pipe, the server's standard input; the system closes that end
when the command's process is gone, killed or not.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from gvm_client.folders import TASK_PREFIX
from gvm_client.process import Exit

LEAVE_SECONDS = 5.0  # then the process ends as it is: a farm counts and waits for it

_LOG = logging.getLogger(__name__)


def end_with(pipe: int, leave: Callable[[], None], folder: Path) -> None:
    """Watch the owner's pipe on a thread of its own; at its end leave, by force where that is slow.

    Args:
        pipe: the file descriptor.
        leave: asks the server to end.
        folder: the run-time folder, for `remove`.
    """

    def watch() -> None:
        while os.read(pipe, 1 << 10):
            pass
        _LOG.info("The command that this server belongs to has gone.")
        leave()
        time.sleep(LEAVE_SECONDS)
        remove(folder)
        os._exit(Exit.CANCELLED)

    threading.Thread(target=watch, name="owner", daemon=True).start()


def remove(folder: Path) -> None:
    """Delete a run-time folder that was made for one command; another one stays."""
    if folder.name.startswith(TASK_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)
