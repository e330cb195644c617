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
from gvm_nodes.blackmagic.alpha_spec import add_options, named_options
from gvm_nodes.blackmagic.dialog import MenuEntry
from gvm_nodes.blackmagic.frontend import Frontend, Say
from gvm_nodes.blackmagic.menu_entry import (
    FAILED,
    NO_GLOBALS,
    RunContext,
    ScriptGlobals,
    find_resolve,
    find_toolkit,
    run_entry,
    run_in_terminal,
)
from gvm_nodes.blackmagic.resolve.deliver import deliver
from gvm_nodes.blackmagic.resolve.media_pool import BIN, matte_shots
from gvm_nodes.blackmagic.resolve.shots import Shot, marked, marked_span, selected, without_media
from gvm_nodes.core.settings import MatteOptions
from gvm_nodes.core.transport import Transport, open_transport

if TYPE_CHECKING:
    from fusionscript import Project, Resolve


def main(
    words: Sequence[str],
    say: Say,
    script_globals: ScriptGlobals = NO_GLOBALS,
    transport: Callable[[], Transport] = open_transport,
) -> int:
    """Do what the words say and return the exit code; an error is said, not raised.

    Args:
        words: as on a command line.
        say: hears one line at a time, where there is no window.
        script_globals: the `globals()` of a script of Resolve's menu; a terminal has none.
        transport: gives the transport.
    """
    parsed = _parser().parse_args(words)
    try:
        app = find_resolve(script_globals)
    except GvmError as error:
        say(f"GVM: {error}")
        return FAILED
    fusion: Any = script_globals.get("fusion") or app.Fusion()
    window_globals = NO_GLOBALS if parsed.no_window else script_globals
    context = RunContext(
        say=say,
        toolkit=find_toolkit(window_globals, fusion),
        needs_window=bool(window_globals),
        store=fusion,
        transport=transport,
    )
    return run_entry(_entry(parsed, app), named_options(parsed), context)


def _entry(parsed: argparse.Namespace, app: Resolve) -> MenuEntry:
    if parsed.what == "deliver":
        return MenuEntry(
            title="GVM: Matte and Render Queue",
            button="Render",
            task=lambda _options, frontend: deliver(_project(app), parsed.job, frontend),
            has_settings=False,
        )
    what, find = _SHOTS[parsed.what]
    return MenuEntry(title=f"GVM: {what}", button="Matte", task=partial(_matte, app, find))


def _matte(app: Resolve, find: _Find, options: MatteOptions, frontend: Frontend) -> str:
    project = _project(app)
    shots, note = find(project, frontend)
    made = len(matte_shots(project.GetMediaPool(), shots, options, frontend))
    clips = "1 alpha clip is" if made == 1 else f"{made} alpha clips are"
    return f"{clips} in the bin {BIN}. {note}".rstrip()


def _selected(project: Project, frontend: Frontend) -> tuple[list[Shot], str]:
    return selected(project, frontend.pause), ""


def _marked(project: Project, _frontend: Frontend) -> tuple[list[Shot], str]:
    timeline = project.GetCurrentTimeline()
    shots = marked(timeline)
    return shots, without_media(timeline, marked_span(timeline))


_Find = Callable[["Project", Frontend], tuple[list[Shot], str]]
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
