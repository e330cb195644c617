"""`gvm status`, `gvm cancel` and `gvm release`: what the server is doing, and one word to it."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
import time
from collections import deque
from pathlib import Path
from typing import TextIO

from gvm_client.client import Client
from gvm_client.connection import read_any_connection
from gvm_client.errors import (
    ErrorCode,
    GvmError,
    ServerError,
    ServerNotRunning,
    SettingsError,
)
from gvm_client.folders import LOG_NAME, runtime_path
from gvm_client.guides import GUIDE_HELP
from gvm_client.process import Exit
from gvm_client.protocol.lifecycle import JobState
from gvm_client.protocol.messages import JobSummary, ServerStatus
from gvm_client.text import counted, one_line, printable
from gvm_server.cli.terminal import as_json, duration_in_words, on_terminal, size_in_words

WATCH_SECONDS = 1.0
FOLLOW_SECONDS = 0.25
SHOWN_ENDED = 10  # the latest finished jobs that a person sees; `--json` has all that are known
CLEAR_SCREEN = "\033[H\033[2J"


def running_status() -> ServerStatus | None:
    """Return the status of the server that runs; None where none does, or none answers."""
    try:
        with Client() as client:
            return client.status()
    except GvmError:
        return None


def log_path() -> Path:
    """Return the log of the server that runs, else that of the last one that a client started."""
    folder = runtime_path()
    try:
        said = read_any_connection(folder).log
    except GvmError:
        said = ""
    return Path(said) if said else folder / LOG_NAME


def show_log(parsed: argparse.Namespace) -> int:
    """Print the end of the server's log; with --follow, what is added to it until interrupted.

    Raises:
        SettingsError: the number of lines is negative.
        ServerError: there is no log, or it cannot be read.
    """
    if parsed.lines < 0:
        raise SettingsError(f"--lines is {parsed.lines}; it must be 0 or more.")
    path = log_path()
    if parsed.path:
        print(path)
        return Exit.DONE
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in deque(file, maxlen=parsed.lines):
                print(printable(line), end="")
            while parsed.follow:
                sys.stdout.flush()
                if line := file.readline():
                    print(printable(line), end="")
                elif _was_replaced(path, file):
                    return show_log(parsed)
                else:
                    time.sleep(FOLLOW_SECONDS)
    except OSError as error:
        raise ServerError(
            f"The server's log {path} cannot be read: {error.strerror}.",
            remedy="It is written where a client starts the server; `gvm serve --log-file FILE`"
            " names another, and without it such a server logs to its terminal.",
            code=ErrorCode.SERVER_NOT_RUNNING,
            path=str(path),
        ) from error
    return Exit.DONE


def _was_replaced(path: Path, file: TextIO) -> bool:
    """Return whether a log was put aside and another one begun, as a long one is."""
    try:
        here, there = os.fstat(file.fileno()), path.stat()
    except OSError:
        return False
    return (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino)


def other_cache(status: ServerStatus, own: Path) -> str:
    """Return a sentence where the server's cache is not this shell's; else ""."""
    if Path(status.cache_path) == own:
        return ""
    return (
        f"The running server's cache is {status.cache_path}, not {own} as this shell has it; the"
        " server's is used. `gvm stop` lets the next one take yours."
    )


def show_status(parsed: argparse.Namespace) -> int:
    """Show the server's status; exit code 4 where none runs.

    Raises:
        ServerError: a server runs and does not answer.
    """
    try:
        with Client() as client:
            _print_status(client.status(), parsed)
            while parsed.watch:
                time.sleep(WATCH_SECONDS)
                _print_status(client.status(), parsed)
    except ServerNotRunning:
        if not parsed.json:
            raise
        print(as_json({"running": False}))
        return Exit.SERVER
    return Exit.DONE


def _print_status(status: ServerStatus, parsed: argparse.Namespace) -> None:
    if parsed.json:
        print(as_json({"running": True, **dataclasses.asdict(status)}), flush=True)
        return
    if parsed.watch and sys.stdout.isatty():
        on_terminal(sys.stdout).write(CLEAR_SCREEN)
    print(status_in_words(status), flush=True)


def status_in_words(status: ServerStatus) -> str:
    """Return the status as lines for a person."""
    engine = status.engine_loaded or "none"
    if status.licence:
        engine += f" (licence: {status.licence})"
    up, memory = duration_in_words(status.seconds_up), size_in_words(status.memory_bytes)
    lines = [
        f"GVM server {status.version}, process {status.pid}, up {up}",
        f"  memory {memory}; device {status.device}; engine in memory: {engine}",
        f"  cache {size_in_words(status.cache_bytes)} in {one_line(status.cache_path)}",
    ]
    if status.device_free_bytes:
        lines.append(
            f"  device memory: {size_in_words(status.device_used_bytes)} used here,"
            f" {size_in_words(status.device_free_bytes)} free"
        )
    live = [job for job in status.jobs if not JobState(job.state).is_final]
    ended = [job for job in status.jobs if JobState(job.state).is_final]  # the latest first
    lines += [_job_in_words(job) for job in (*live, *ended[:SHOWN_ENDED])] or ["  no jobs"]
    if len(ended) > SHOWN_ENDED:
        lines.append(f"  and {counted(len(ended) - SHOWN_ENDED, 'earlier job')}")
    return "\n".join(lines)


def _job_in_words(job: JobSummary) -> str:
    rate = job.frames_done / job.seconds if job.seconds > 0 else 0.0
    lasted = duration_in_words(job.seconds)
    age = f"asked {lasted} ago"
    if JobState(job.state).is_final:
        age = f"took {lasted}, ended {duration_in_words(job.ended_seconds)} ago"
    engine = f"{job.engine} ({job.licence})" if job.licence else job.engine
    line = (
        f"  {job.job[:8]}  {job.state:<9} {job.frames_done}/{counted(job.frames_total, 'frame')}"
        f"  {rate:.2f} frames/s  {age}  {engine}  {job.priority.value}"
        f"  {job.plate} -> {job.output}"
    )
    guides = ", ".join(f"{name} {path}" for name in GUIDE_HELP if (path := getattr(job, name)))
    return "\n            ".join(one_line(text) for text in (line, guides, job.note) if text)


def cancel(parsed: argparse.Namespace) -> int:
    """End a job, named by enough of its start.

    Raises:
        GvmError: no server, no such job, or several.
    """
    with Client() as client:
        client.cancel(_whole_name(client, parsed.job))
    print("The job ends.")
    return Exit.DONE


def release(parsed: argparse.Namespace) -> int:
    """Give the device's memory back.

    Raises:
        ServerError: no server.
    """
    del parsed
    with Client() as client:
        client.release()
    print("The model leaves the device's memory as soon as no window runs.")
    return Exit.DONE


def _whole_name(client: Client, start: str) -> str:
    names = [job.job for job in client.status().jobs if job.job.startswith(start)]
    if len(names) != 1:
        raise GvmError(
            f"{len(names) or 'No'} jobs begin with {start!r}.",
            remedy="`gvm status` lists the jobs.",
            code=ErrorCode.UNKNOWN_JOB,
        )
    return names[0]
