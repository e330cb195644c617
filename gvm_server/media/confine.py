"""The tree that a server may be confined to: what lies outside is neither read nor written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError, OutputError
from gvm_client.text import is_text, printable

_DESCRIPTORS = Path("/proc/self/fd")
_PLAIN_NAME = "Rename it, or name it by a link that has a plain name."


@dataclass(frozen=True, slots=True)
class Roots:
    """Where files may be.

    Attributes:
        root: the folder that all reads and writes must stay in, or None for the whole machine.
    """

    root: Path | None = None

    def check_read(self, path: Path) -> None:
        """Refuse a path that leads outside, by `..` and by links too.

        Raises:
            InputError: PATH_REFUSED; or its name is not UTF-8, which the image libraries need.
        """
        if not is_text(str(path)):
            raise InputError(
                f"The name {printable(str(path))} is not UTF-8.", remedy=_PLAIN_NAME, path=str(path)
            )
        if not self._holds(path):
            raise InputError(
                self._sentence(path, "read"),
                remedy="Move the plate below that folder, or start the server with another --root.",
                code=ErrorCode.PATH_REFUSED,
                path=str(path),
            )

    def check_write(self, path: Path) -> None:
        """Refuse a path that leads outside, by `..` and by links too.

        Raises:
            OutputError: PATH_REFUSED; or its name is not UTF-8, which the image libraries need.
        """
        if not is_text(str(path)):
            raise OutputError(
                f"The name {printable(str(path))} is not UTF-8.", remedy=_PLAIN_NAME, path=str(path)
            )
        if not self._holds(path):
            raise OutputError(
                self._sentence(path, "written"),
                remedy="Name an output below that folder, or start the server with another --root.",
                code=ErrorCode.PATH_REFUSED,
                path=str(path),
            )

    def _holds(self, path: Path) -> bool:
        # A path that does not exist yet is resolved as far as it exists.
        return self.root is None or path.resolve().is_relative_to(self.root.resolve())

    def _sentence(self, path: Path, verb: str) -> str:
        return f"{path} may not be {verb}: this server is confined to {self.root}."


class OpenFolder:
    """A folder held open: what is written by `path` goes there, whatever its name leads to later.

    Linux reaches a descriptor's folder as `/proc/self/fd/N` (proc_pid_fd(5)). Elsewhere the name
    is used, and only checked when the job begins.

    Args:
        folder: exists.
        roots: where it must lie; proved of the folder that was opened.

    Raises:
        OutputError: PATH_REFUSED; it leads outside.
        OSError: it cannot be opened.
    """

    def __init__(self, folder: Path, roots: Roots) -> None:
        self._descriptor = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
        place = _DESCRIPTORS / str(self._descriptor)
        self.path = place if place.exists() else folder
        try:
            roots.check_write(self.path)
        except OutputError as error:
            raise _named(error, self.path, folder) from None

    @contextmanager
    def naming(self, folder: Path) -> Iterator[Path]:
        """Lend the path; errors about it name the folder as it was asked for."""
        try:
            yield self.path
        except OutputError as error:
            raise _named(error, self.path, folder) from error

    def close(self) -> None:
        """Let the folder go; harmless when said again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):  # it could not be opened
            self.close()


def _named(error: OutputError, opened: Path, folder: Path) -> OutputError:
    message, path = (text.replace(str(opened), str(folder)) for text in (error.message, error.path))
    return OutputError(message, remedy=error.remedy, code=error.code, frame=error.frame, path=path)
