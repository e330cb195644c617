"""What the scripts of Resolve's menu call, and `python -m gvm_nodes.resolve.script` from outside.

    selected | marked     with --preset, --engine, --size and the other settings
    deliver               with --job, once for each; else all that are queued

Resolve Studio only; from outside, Preferences, General, External scripting must be `Local`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from gvm_client.errors import ErrorCode, GvmError, InputError
from gvm_nodes.alphas import add_options, named_settings
from gvm_nodes.blackmagic.apps import NO_NAMES, Names, find_resolve, find_toolkit
from gvm_nodes.blackmagic.dialog import Entry
from gvm_nodes.blackmagic.script import FAILED, Stage, perform, run_in_terminal
from gvm_nodes.connect import open_line
from gvm_nodes.knobs import Wishes
from gvm_nodes.line import Line
from gvm_nodes.make import Bench, Say
from gvm_nodes.resolve.deliver import deliver
from gvm_nodes.resolve.mattes import BIN, matte
from gvm_nodes.resolve.shots import Shot, marked, marked_span, selected, without_media

if TYPE_CHECKING:
    from fusionscript import Project, Resolve


def main(
    words: Sequence[str],
    say: Say,
    names: Names = NO_NAMES,
    line: Callable[[], Line] = open_line,
) -> int:
    """Do what the words say and return the exit code; an error is said, not raised.

    Args:
        words: as on a command line.
        say: hears one line at a time, where there is no window.
        names: the `globals()` of a script of Resolve's menu; a terminal has none.
        line: gives the way to the server.
    """
    parsed = _parser().parse_args(words)
    try:
        app = find_resolve(names)
    except GvmError as error:
        say(f"GVM: {error}")
        return FAILED
    fusion: Any = names.get("fusion") or app.Fusion()
    shown = NO_NAMES if parsed.no_window else names
    stage = Stage(
        say=say,
        toolkit=find_toolkit(shown, fusion),
        needs_window=bool(shown),
        keeper=fusion,
        line=line,
    )
    return perform(_entry(parsed, app), named_settings(parsed), stage)


def _entry(parsed: argparse.Namespace, app: Resolve) -> Entry:
    if parsed.what == "deliver":
        return Entry(
            title="GVM: Matte and Render Queue",
            button="Render",
            deed=lambda _wishes, bench: deliver(_project(app), parsed.job, bench),
            has_settings=False,
        )
    what, find = _SHOTS[parsed.what]
    return Entry(title=f"GVM: {what}", button="Matte", deed=partial(_matte, app, find))


def _matte(app: Resolve, find: _Find, wishes: Wishes, bench: Bench) -> str:
    project = _project(app)
    shots, note = find(project, bench)
    made = len(matte(project.GetMediaPool(), shots, wishes, bench))
    clips = "1 alpha clip is" if made == 1 else f"{made} alpha clips are"
    return f"{clips} in the bin {BIN}. {note}".rstrip()


def _selected(project: Project, bench: Bench) -> tuple[list[Shot], str]:
    return selected(project, bench.pause), ""


def _marked(project: Project, _bench: Bench) -> tuple[list[Shot], str]:
    timeline = project.GetCurrentTimeline()
    shots = marked(timeline)
    return shots, without_media(timeline, marked_span(timeline))


_Find = Callable[["Project", Bench], tuple[list[Shot], str]]
"""Finds what is meant, and a note for the end."""

_SHOTS: dict[str, tuple[str, _Find]] = {
    "selected": ("Matte Selected Clips", _selected),
    "marked": ("Matte Marked Range", _marked),
}


def _project(app: Resolve) -> Project:
    """Return the project that is open.

    Raises:
        InputError: there is none.
    """
    project: Project | None = app.GetProjectManager().GetCurrentProject()
    if project is None:
        raise InputError(
            "No project is open.", remedy="Open one, then ask again.", code=ErrorCode.BAD_REQUEST
        )
    return project


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gvm-resolve")
    each = parser.add_subparsers(dest="what", required=True, metavar="selected|marked|deliver")
    for name, (what, _) in _SHOTS.items():
        add_options(each.add_parser(name, help=what))
    queue = each.add_parser("deliver", help="make the mattes, then render the Deliver queue")
    queue.add_argument("--job", action="append", default=[], help="a render job; all of them")
    for one in each.choices.values():
        one.add_argument("--no-window", action="store_true", help="start at once, and print")
    return parser


if __name__ == "__main__":
    run_in_terminal(main)
