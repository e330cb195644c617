"""What `gvm matte` shows while a job runs: plain lines, JSON lines, or a farm's lines.

A farm's are those that an Open Job Description session reads: one line a message, and no message
before its time; progress is of this task's frames.
"""

from __future__ import annotations

import dataclasses
import sys
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Protocol

from gvm_client.errors import GvmError
from gvm_client.protocol.messages import (
    MESSAGE_TYPES,
    Accepted,
    Done,
    FrameReady,
    JobEvent,
    Progress,
)
from gvm_client.session import Recovered
from gvm_client.text import counted
from gvm_server.cli.matte.pace import Pace
from gvm_server.cli.terminal import as_json

PLAIN_SECONDS = 5.0  # between two lines where nobody watches a bar

Shown = JobEvent | Recovered


class Display(AbstractContextManager["Display"], Protocol):
    """Shows the events of one job."""

    def show(self, event: Shown) -> None:
        """Show one event."""
        ...

    def say(self, text: str) -> None:
        """Say something to a person; programs read the events."""
        ...

    def note(self, text: str) -> None:
        """Say what no event holds, to a person and to a program."""
        ...


class JsonLines:
    """One JSON object a line on standard output: the event's type and its fields."""

    def __enter__(self) -> JsonLines:  # noqa: PYI034 (`Self` is not in Python 3.10)
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, event: Shown) -> None:
        """Print the event."""
        fields = dataclasses.asdict(event)
        print(as_json({"type": _word(event), **fields}), flush=True)

    def say(self, text: str) -> None:
        """Say nothing: the events hold it."""

    def note(self, text: str) -> None:
        """Print an event of the type `note`."""
        print(as_json({"type": "note", "text": text}), flush=True)


class PlainLines:
    """A line now and then on standard error: for logs and farms."""

    def __init__(self) -> None:
        self._said_at = 0.0
        self._pace = Pace()

    def __enter__(self) -> PlainLines:  # noqa: PYI034
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, event: Shown) -> None:
        """Print what is worth a line in a log."""
        for line in headlines(event):
            self.say(line)
        if isinstance(event, Accepted):
            self._pace.begin(event)
        if isinstance(event, FrameReady):
            self._pace.add(event)
        now = time.monotonic()
        if isinstance(event, (FrameReady, Progress)) and now - self._said_at >= PLAIN_SECONDS:
            self._said_at = now
            note = f"; {event.note}" if isinstance(event, Progress) and event.note else ""
            self.say(f"{self._pace.in_words()}{note}")

    def say(self, text: str) -> None:
        """Print to standard error."""
        print(text, file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Print to standard error."""
        self.say(text)


def headlines(event: Shown) -> list[str]:
    """Return what an event has said above a job's progress, in whole sentences; mostly nothing."""
    if isinstance(event, Recovered):
        return [event.message]
    if not isinstance(event, Accepted):
        return []
    label = f"{event.engine.value} ({'preview grade, ' if event.preview else ''}{event.revision})"
    frames = f"{counted(event.frames_total, 'frame')}, {event.frames_kept} already there"
    windows = f"{counted(event.windows_total, 'window')}, {event.windows_cached} cached"
    lines = [
        f"Engine {label}; {frames}; {windows}.",
        f"The model sees {event.working_width}x{event.working_height}.",
        *event.notes,
    ]
    read_as = f"The plate is read as {event.colourspace}"
    if not any(note.startswith(read_as) for note in event.notes):  # one says it, and why
        lines.insert(1, f"{read_as}.")
    return lines


def waterfall(done: Done) -> str:
    """Return where the time went: a bar for each stage, and the wall."""
    longest = max((stage.seconds for stage in done.stages), default=0.0)
    scale = 40 / max(done.seconds, longest, 1e-9)
    rows = [(stage.stage, stage.seconds) for stage in done.stages]
    rows.append(("wall", done.seconds))
    return "\n".join(
        f"{name:>8} {seconds:8.2f} s {'#' * round(seconds * scale)}" for name, seconds in rows
    )


def _word(event: Shown) -> str:
    for word, kind in MESSAGE_TYPES.items():
        if type(event) is kind:
            return word
    return "recovered"


class OpenJdLines:
    """`openjd_progress`, `openjd_status` and `openjd_fail` on standard output."""

    def __init__(self) -> None:
        self._pace = Pace()
        self._said_at = time.monotonic()
        self._status = ""

    def __enter__(self) -> OpenJdLines:  # noqa: PYI034 (`Self` is not in Python 3.10)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, GvmError):
            _print_openjd("openjd_fail", f"{error.message} {error.remedy}")

    def show(self, event: Shown) -> None:
        """Print how far the task is, and what it waits for where that is new."""
        for line in headlines(event):
            self.say(line)
        if isinstance(event, Accepted):
            self._pace.begin(event)
        elif isinstance(event, FrameReady):
            self._pace.add(event)
            _print_openjd("openjd_progress", f"{100 * self._pace.share:.1f}")
            if (now := time.monotonic()) - self._said_at >= PLAIN_SECONDS:
                self._said_at = now
                self.say(self._pace.in_words())
        elif isinstance(event, Progress) and event.note != self._status:
            self._status = event.note
            self.say(event.note or "The model runs.")

    def say(self, text: str) -> None:
        """Print a status."""
        _print_openjd("openjd_status", text)

    def note(self, text: str) -> None:
        """Print a status."""
        self.say(text)


def _print_openjd(word: str, text: str) -> None:
    print(f"{word}: {' '.join(text.split())}", flush=True)
