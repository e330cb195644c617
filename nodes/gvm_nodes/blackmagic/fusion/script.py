"""What the scripts of Fusion's menu call, and `python -m gvm_nodes.fusion.script` from outside.

    tool                places the OpenFX tool
    alphas              a Loader of the selected Loaders' alphas; --preset, --size and so on
    render | queue      the composition with its mattes; --comp FILE opens one

Fusion Studio only, but `tool` and `alphas`, which Resolve's Fusion page has too.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from gvm_client.errors import ErrorCode, GvmError, InputError
from gvm_nodes.blackmagic.alpha_spec import add_options, named_options
from gvm_nodes.blackmagic.dialog import MenuEntry
from gvm_nodes.blackmagic.frontend import Frontend, Say
from gvm_nodes.blackmagic.fusion.composition import Composition, Fusion
from gvm_nodes.blackmagic.fusion.loaders import load_alphas, place_tool
from gvm_nodes.blackmagic.fusion.render import queue, render
from gvm_nodes.blackmagic.menu_entry import (
    DONE,
    FAILED,
    NO_GLOBALS,
    RunContext,
    ScriptGlobals,
    find_fusion,
    find_toolkit,
    run_entry,
    run_in_terminal,
)
from gvm_nodes.core.settings import MatteOptions
from gvm_nodes.core.transport import Transport, open_transport

LOAD_SECONDS = 10.0  # for a Fusion that has just started to open its first composition
_LOAD_LOOK_SECONDS = 0.1


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
        script_globals: the `globals()` of a script of Fusion's menu; a terminal has none.
        transport: gives the transport.
    """
    parsed = _parser().parse_args(words)
    try:
        with _composition(script_globals, parsed.comp) as comp:
            if parsed.what == "tool":
                place_tool(comp)
                return DONE
            return _run(parsed, comp, script_globals, RunContext(say=say, transport=transport))
    except GvmError as error:
        say(f"GVM: {error}")
        return FAILED


def _run(
    parsed: argparse.Namespace,
    comp: Composition,
    script_globals: ScriptGlobals,
    context: RunContext,
) -> int:
    fusion = find_fusion(script_globals)
    entries = {
        "alphas": MenuEntry(
            title="GVM: Load Alphas of Selected Loaders",
            button="Matte",
            task=partial(_load_alphas, comp),
        ),
        "render": MenuEntry(
            title="GVM: Render with Mattes",
            button="Render",
            task=lambda _options, frontend: render(comp, frontend),
            has_settings=False,
        ),
        "queue": MenuEntry(
            title="GVM: Queue with Mattes",
            button="Queue",
            task=lambda _options, frontend: queue(fusion, comp, frontend),
            has_settings=False,
        ),
    }
    window_globals = NO_GLOBALS if parsed.no_window else script_globals
    context = replace(
        context,
        toolkit=find_toolkit(window_globals, fusion),
        needs_window=bool(window_globals),
        store=fusion,
    )
    return run_entry(entries[parsed.what], named_options(parsed), context)


def _load_alphas(comp: Composition, options: MatteOptions, frontend: Frontend) -> str:
    made = len(load_alphas(comp, options, frontend))
    return "1 Loader has its alphas." if made == 1 else f"{made} Loaders have their alphas."


@contextmanager
def _composition(script_globals: ScriptGlobals, path: str) -> Iterator[Composition]:
    """Give the script's composition, or one that is opened for it and closed again.

    Raises:
        ServerError: no Fusion answers.
        InputError: there is no composition.
    """
    comp = script_globals.get("comp")
    if comp is not None and not path:
        yield comp
        return
    fusion: Fusion = find_fusion(script_globals)
    found = (
        _open_composition(fusion, str(Path(path).absolute())) if path else fusion.GetCurrentComp()
    )
    if found is None:
        raise InputError(
            f"Fusion cannot open {path}." if path else "No composition is open.",
            remedy="Name a composition that this machine's Fusion Studio can open.",
            code=ErrorCode.BAD_REQUEST,
            path=path,
        )
    try:
        yield found
    finally:
        if path:
            found.Lock()  # a locked one is closed without a question
            found.Close()


def _open_composition(fusion: Fusion, path: str) -> Composition | None:
    """Open a composition; None where it cannot be, also not by a Fusion that has just started."""
    until = time.monotonic() + (LOAD_SECONDS if Path(path).is_file() else 0.0)
    while (found := fusion.LoadComp(path, True)) is None and time.monotonic() < until:
        time.sleep(_LOAD_LOOK_SECONDS)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gvm-fusion")
    parser.set_defaults(comp="", no_window=False)
    each = parser.add_subparsers(dest="what", required=True, metavar="tool|alphas|render|queue")
    each.add_parser("tool", help="place the OpenFX tool")
    alphas = each.add_parser("alphas", help="load the alphas of the selected Loaders")
    add_options(alphas)
    renders = [
        each.add_parser("render", help="make the mattes, then render the composition"),
        each.add_parser("queue", help="make the mattes, then queue the composition"),
    ]
    for one in renders:
        one.add_argument("--comp", metavar="FILE", default="", help="a composition to open")
    for one in (alphas, *renders):
        one.add_argument("--no-window", action="store_true", help="start at once, and print")
    return parser


if __name__ == "__main__":
    run_in_terminal(main)
