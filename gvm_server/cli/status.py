"""`gvm status`: what the server is doing, once or all the time, for a person or a program."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time

from gvm_client.client import Client
from gvm_client.errors import ServerNotRunning
from gvm_client.process import Exit
from gvm_client.protocol.lifecycle import JobState
from gvm_client.protocol.messages import JobSummary, ServerStatus
from gvm_client.text import counted, one_line
from gvm_server.cli.streams import on_terminal
from gvm_server.cli.words import as_json, duration_in_words, size_in_words

WATCH_SECONDS = 1.0
SHOWN_ENDED = 10  # the latest finished jobs that a person sees; `--json` has all that are known
CLEAR_SCREEN = "\033[H\033[2J"


def run(parsed: argparse.Namespace) -> int:
    """Show the server's status; exit code 4 where none runs.

    Raises:
        ServerError: a server runs and does not answer.
    """
    try:
        with Client() as client:
            _show(client.status(), parsed)
            while parsed.watch:
                time.sleep(WATCH_SECONDS)
                _show(client.status(), parsed)
    except ServerNotRunning:
        if not parsed.json:
            raise
        print(as_json({"running": False}))
        return Exit.SERVER
    return Exit.DONE


def _show(status: ServerStatus, parsed: argparse.Namespace) -> None:
    if parsed.json:
        print(as_json({"running": True, **dataclasses.asdict(status)}), flush=True)
        return
    if parsed.watch and sys.stdout.isatty():
        on_terminal(sys.stdout).write(CLEAR_SCREEN)
    print(in_words(status), flush=True)


def in_words(status: ServerStatus) -> str:
    """Return the status as lines for a person."""
    engine = status.engine_loaded or "none"
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
    line = (
        f"  {job.job[:8]}  {job.state:<9} {job.frames_done}/{counted(job.frames_total, 'frame')}"
        f"  {rate:.2f} frames/s  {age}  {job.engine}  {job.priority.value}"
        f"  {job.plate} -> {job.output}"
    )
    return "\n            ".join(one_line(text) for text in (line, job.note) if text)
