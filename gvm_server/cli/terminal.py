"""The terminal: the standard streams, questions to a person, and numbers in words.

- What is said is made printable: no name of a file steers a terminal.
- A stream that was closed before the start is the null device: nobody wanted it.
- A reader that leaves ends the command (`ReaderGone`), unless the command outlives its readers.
- A result that cannot be written is an error; what is only told to a person is then dropped.
"""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, TextIO, cast

from gvm_client.errors import ErrorCode, OutputError
from gvm_client.platform import is_pipe_broken
from gvm_client.text import is_text, printable

_STREAMS = ("stdin", "stdout", "stderr")  # by their descriptors


class ReaderGone(Exception):
    """Whoever read what this command says has gone."""


class Guarded:
    """A standard stream that says only what is printable, and whose failures have names.

    Args:
        stream: what it writes to.
        is_result: whether a program may wait for what is written.
        verbatim: whether control codes go through, for what draws on a terminal.
    """

    def __init__(self, stream: TextIO, *, is_result: bool, verbatim: bool = False) -> None:
        self._stream = stream
        self._is_result = is_result
        self._verbatim = verbatim
        self.outlives_reader = False

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (what a stream has besides)
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write a text, escaped where it must be.

        Raises:
            ReaderGone: nobody reads it.
            OutputError: it is a result and cannot be written.
        """
        with self._named():
            self._stream.write(text if self._verbatim else printable(text))
        return len(text)

    def flush(self) -> None:
        """Hand on what was written; raises as `write`."""
        with self._named():
            self._stream.flush()

    def on_terminal(self) -> TextIO:
        """Return the same stream for what draws on a terminal with control codes."""
        drawn = Guarded(self._stream, is_result=self._is_result, verbatim=True)
        drawn.outlives_reader = self.outlives_reader
        return cast("TextIO", drawn)

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._write_to_nothing()
            if self.outlives_reader:
                return
            if _is_gone(error):
                raise ReaderGone from error
            if self._is_result:
                raise OutputError(
                    f"The standard output cannot be written: {error.strerror}.",
                    remedy="Free some space, or send it elsewhere.",
                    code=ErrorCode.DISK_FULL if error.errno == errno.ENOSPC else None,
                ) from error

    def _write_to_nothing(self) -> None:
        """Lead the stream to the null device: what it still holds is written when Python ends."""
        with suppress(OSError, ValueError):  # no file at all: a test's stream
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)


@contextmanager
def guarded_streams() -> Iterator[None]:
    """Guard the standard streams in the block; what they still hold is written at its end.

    Raises:
        ReaderGone: nobody reads it.
        OutputError: it is a result and cannot be written.
    """
    _open_closed()
    before = sys.stdout, sys.stderr
    for stream in before:
        if hasattr(stream, "reconfigure"):  # a Latin-1 terminal shows what it can
            stream.reconfigure(errors="backslashreplace")
    sys.stdout = cast("TextIO", Guarded(before[0], is_result=True))
    sys.stderr = cast("TextIO", Guarded(before[1], is_result=False))
    try:
        yield
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            sys.stdout, sys.stderr = before


def on_terminal(stream: TextIO) -> TextIO:
    """Return a standard stream for what draws on a terminal with control codes."""
    return stream.on_terminal() if isinstance(stream, Guarded) else stream


def outlive_readers() -> None:
    """Let the command go on when its readers leave, or when what it says cannot be written."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Guarded):
            stream.outlives_reader = True


def _open_closed() -> None:
    """Give each closed standard descriptor the null device, before a file of ours gets its number.

    Else the next file that is opened would be 1 or 2, and what a library says would go into it.
    """
    for number, name in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, number)
            if null != number:
                os.close(null)
        if getattr(sys, name) is None:
            mode = "w" if number else "r"
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _is_gone(error: OSError) -> bool:
    return is_pipe_broken(error)


def can_ask() -> bool:
    """Return whether a person is there who can answer."""
    return sys.stdin.isatty()


def confirmed(question: str) -> bool:
    """Ask, and return whether the answer is yes; no answer is none."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def size_in_words(count: int) -> str:
    """Return bytes as MiB or GiB."""
    gib = count / 2**30
    return f"{gib:.1f} GiB" if gib >= 1 else f"{count / 2**20:.1f} MiB"


def duration_in_words(seconds: float) -> str:
    """Return seconds as days and hours, hours and minutes, or minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def as_json(value: object) -> str:
    """Return one line of JSON, of ASCII only; a name that is no text is escaped in its string."""
    return json.dumps(_with_texts(value))


def _with_texts(value: object) -> object:
    """Return a value whose texts are all UTF-8: a lone surrogate is no JSON that others read."""
    if isinstance(value, str):
        return value if is_text(value) else printable(value)
    if isinstance(value, Mapping):
        return {name: _with_texts(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_texts(item) for item in value]
    return value
