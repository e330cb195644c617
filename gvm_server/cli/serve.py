"""`gvm serve`: the server, in this terminal or started by a client."""

from __future__ import annotations

import argparse
import faulthandler
import logging
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from gvm_client.declaration import option_of
from gvm_client.errors import OutputError, SettingsError
from gvm_client.folders import LOG_NAME, runtime_dir
from gvm_client.process import Exit
from gvm_client.text import one_line, printable
from gvm_server.cli.matte.request import absolute
from gvm_server.cli.terminal import outlive_readers
from gvm_server.hostmemory import use_one_arena
from gvm_server.matting.engines.machine import MachineOptions, machine_options
from gvm_server.settings import ServerSettings
from gvm_server.threads import share_cores

_STDIN = 0

LOG_FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"


def run(parsed: argparse.Namespace) -> int:
    """Serve until told to stop.

    Raises:
        SettingsError: an option is out of its range, or --root is no folder.
        OutputError: the log cannot be written.
        ServerError: another server runs, or the run-time folder is not private.
    """
    if parsed.log_file:
        parsed.log_file = absolute(parsed.log_file)
    outlive_readers()  # it serves others than whoever reads its log
    settings = _settings(parsed)
    _log_to(parsed.log_file)
    folder = runtime_dir()
    _settle(folder)
    share_cores()
    use_one_arena()
    from gvm_server.service.owner import remove  # noqa: PLC0415 (see below)
    from gvm_server.service.server import serve  # noqa: PLC0415 (numpy comes with it)

    log = parsed.log_file or str(folder / LOG_NAME)
    if not parsed.owned:
        serve(settings, folder, log=log)
        return Exit.DONE
    try:
        serve(settings, folder, log=log, owner=_STDIN)
    finally:
        remove(folder)
    return Exit.DONE


def _settings(parsed: argparse.Namespace) -> ServerSettings:
    """Return the machine's settings with what the options say."""
    settings = ServerSettings.from_environment()
    if parsed.root is not None:
        settings = replace(settings, root=_root(parsed.root))
    for name, place in (("idle_minutes", "idle_seconds"), ("idle_unload", "unload_seconds")):
        minutes = getattr(parsed, name)
        if minutes is None:
            continue
        if not minutes >= 0:
            raise SettingsError(
                f"{option_of(name)} is {minutes:g}; it must be 0 or more minutes.",
                remedy="0 means never.",
            )
        settings = replace(settings, **{place: 60.0 * minutes})
    return replace(settings, engines=_machine_options(parsed))


def _root(text: str) -> Path:
    """Return the folder that reads and writes are confined to, without links."""
    root = Path(absolute(text))
    if not root.is_dir():
        raise SettingsError(
            f"--root is {text}; there is no such folder.",
            remedy="Name the folder that plates, mattes and guides are in.",
            path=str(root),
        )
    return root.resolve(strict=True)


class _LogLines(logging.Formatter):
    """Log lines in which no name begins a line of its own or steers a terminal."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (logging's name)
        return one_line(super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))  # the trace too


def _log_to(file: str | None) -> None:
    try:
        handler = logging.FileHandler(file) if file else logging.StreamHandler()
    except OSError as error:
        raise OutputError(
            f"The log {file} cannot be written: {error.strerror}.",
            remedy="Name another file with --log-file, in a folder that is there.",
            path=file or "",
        ) from error
    handler.setFormatter(_LogLines(LOG_FORMAT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    faulthandler.enable(
        handler.stream or sys.stderr
    )  # a fault in a library leaves a trace in the log


def _settle(folder: Path) -> None:
    """Stand in the run-time folder, private, with no signal held back: whoever started it goes.

    A shell's folder may lie on a disk that is to be taken away, its umask is not every asker's.
    """
    os.chdir(folder)
    os.umask(0o077)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _machine_options(parsed: argparse.Namespace) -> MachineOptions:
    chosen: dict[str, Any] = {
        option.name: option.kind(getattr(parsed, option.name)) for option in machine_options()
    }
    return MachineOptions(**chosen)
