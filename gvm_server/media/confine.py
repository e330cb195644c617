"""The tree that a server may be confined to: what lies outside is neither read nor written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gvm_client.errors import ErrorCode, InputError, OutputError
from gvm_client.printable import is_text, printable

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
