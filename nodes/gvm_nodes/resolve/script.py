"""What the scripts of Resolve's menu call, and `python -m gvm_nodes.resolve.script` from outside.

    selected | marked | deliver     with --preset, --engine, --size and the other settings

Resolve Studio only; from outside, Preferences, General, External scripting must be `Local`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from gvm_client.errors import ErrorCode, GvmError, ServerError
from gvm_nodes.alphas import add_options, wishes_of
from gvm_nodes.make import Say, maker
from gvm_nodes.resolve.deliver import deliver
from gvm_nodes.resolve.mattes import BIN, matte
from gvm_nodes.resolve.shots import marked, selected

if TYPE_CHECKING:
    from fusionscript import Project, Resolve

FAILED = 1


def main(words: Sequence[str], say: Say, app: Resolve | None = None) -> int:
    """Do what the words say and return the exit code; an error is said, not raised.

    Args:
        words: as on a command line.
        say: hears one line at a time.
        app: the `resolve` that Resolve gives to its own scripts; None asks for it from outside.
    """
    parsed = _parser().parse_args(words)
    try:
        project = (app or _outside()).GetProjectManager().GetCurrentProject()
        _run(project, parsed, say)
    except GvmError as error:
        say(f"GVM: {error}")
        return FAILED
    return 0


def _run(project: Project, parsed: argparse.Namespace, say: Say) -> None:
    if parsed.what == "deliver":
        deliver(project, parsed.job, maker(say), say)
        say("GVM: every render job is complete.")
        return
    shots = selected(project) if parsed.what == "selected" else marked(project.GetCurrentTimeline())
    made = matte(project.GetMediaPool(), shots, wishes_of(parsed), maker(say))
    say(f"GVM: {len(made)} alpha clips are in the bin {BIN}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gvm-resolve")
    parser.add_argument("what", choices=["selected", "marked", "deliver"])
    add_options(parser)
    parser.add_argument("--job", action="append", default=[], help="a render job; all of them")
    return parser


def _outside() -> Resolve:
    """Return the Resolve that runs, through its scripting module.

    Raises:
        ServerError: the module is not on the path, or no Resolve answers.
    """
    try:
        found: Resolve | None = import_module("DaVinciResolveScript").scriptapp("Resolve")
    except ImportError as error:
        raise ServerError(
            "Resolve's scripting module DaVinciResolveScript cannot be imported.",
            remedy="Set RESOLVE_SCRIPT_API, RESOLVE_SCRIPT_LIB and PYTHONPATH as Resolve's README"
            " of scripting says.",
            code=ErrorCode.SERVER_NOT_RUNNING,
        ) from error
    if found is None:
        raise ServerError(
            "No DaVinci Resolve answers.",
            remedy="Start Resolve Studio, and set Preferences, General, External scripting to"
            " Local.",
            code=ErrorCode.SERVER_NOT_RUNNING,
        )
    return found


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], _write))
