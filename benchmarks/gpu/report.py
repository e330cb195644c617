"""Rows as they are measured: printed, and written to a file that is whole after each of them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import SubprocessError

from gvm_client.errors import GvmError

Row = dict[str, object]


@dataclass(kw_only=True)
class Report:
    """What a run found; whoever cuts it has every row that was printed.

    Attributes:
        path: the JSON file: `machine`, `rows`, and `finished`, which is false in a cut run.
        machine: card, driver and versions, in words.
        seconds: after so many a part is no longer begun; its row says so.
    """

    path: Path
    machine: Mapping[str, object]
    seconds: float
    rows: list[Row] = field(default_factory=list)
    start: float = field(default_factory=time.monotonic)

    def add(self, part: str, what: str, **figures: object) -> None:
        """Write all rows, then print the new one: what was printed is in the file."""
        row: Row = {"part": part, "what": what, **figures}
        self.rows.append(row)
        self.write(finished=False)
        said = "  ".join(f"{name} {_words(value)}" for name, value in figures.items())
        print(f"{part:10} {what:40} {said}", flush=True)

    @contextmanager
    def row(self, part: str, what: str) -> Iterator[Row]:
        """Collect a row's figures; an error of the work is the row's `error`, and goes no further.

        Yields:
            a dictionary for the figures.
        """
        figures: Row = {}
        begun = time.monotonic()
        try:
            yield figures
        except (GvmError, RuntimeError, ValueError, OSError, SubprocessError) as error:
            figures["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
        self.add(part, what, **figures, took=time.monotonic() - begun)

    def late(self, part: str, what: str) -> bool:
        """Say whether the time is up; the row that is left out says so."""
        if time.monotonic() - self.start < self.seconds:
            return False
        self.add(part, what, left_out=f"the {self.seconds:.0f} seconds were over")
        return True

    def write(self, *, finished: bool) -> None:
        """Replace the file as a whole."""
        whole = {"machine": self.machine, "finished": finished, "rows": self.rows}
        part = self.path.with_name(f"{self.path.name}.part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(whole, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)


def _words(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
