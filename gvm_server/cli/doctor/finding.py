"""What `gvm doctor` says of each thing that it looks at, and how it is shown."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from gvm_client.errors import GvmError
from gvm_client.process import Exit
from gvm_server.cli.terminal import as_json


class Health(str, Enum):
    """How one thing is."""

    GOOD = "good"
    NOTE = "note"
    """It works, and there is something to know."""
    BAD = "bad"
    """A matte cannot be made."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    health: Health
    says: str
    remedy: str = ""


Look = Callable[[], Iterator[Finding]]
"""Looks at one thing."""


def look_at(looks: Iterable[Look]) -> Iterator[Finding]:
    """Yield what each look finds; that a thing cannot be looked at is a finding."""
    for look in looks:
        yield from _looked(look)


def _looked(look: Look) -> Iterator[Finding]:
    try:
        yield from look()
    except GvmError as error:
        yield _unseen(look, error.message, error.remedy)
    except OSError as error:  # a folder that may not be read
        yield _unseen(look, f"{error.filename or ''}: {error.strerror or error}", "")


def _unseen(look: Look, says: str, remedy: str) -> Finding:
    name = look.__name__.strip("_")
    return Finding(name=name, health=Health.BAD, says=says, remedy=remedy)


def show(findings: Iterable[Finding], *, as_lines: bool) -> int:
    """Print the findings, as lines for a person or as one line of JSON; return the exit code."""
    found = []
    for finding in findings:
        found.append(finding)
        if as_lines:
            print(f"[{finding.health.value:>4}] {finding.name}: {finding.says}")
            if finding.remedy:
                print(f"       {finding.remedy}")
    if not as_lines:
        print(as_json([dataclasses.asdict(finding) for finding in found]))
    bad = any(finding.health is Health.BAD for finding in found)
    return Exit.SERVER if bad else Exit.DONE
