"""One entry of a menu, from its line's words to an exit code: in a window, else in a terminal.

Laws:
1. An error is a sentence for the artist, never a trace and never a box to be clicked away.
2. What a menu starts has a window, or starts nothing: only a line that says `--no-window` has
   chosen its settings.
3. A terminal's process is left at once, its exit code said: the program's own module may crash
   while Python puts things away.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from gvm_client.errors import GvmError, JobCancelled
from gvm_client.process import leave, sigterm_interrupts
from gvm_nodes.alphas import SCRIPT_WISHES, changed, checked
from gvm_nodes.blackmagic.apps import Toolkit
from gvm_nodes.blackmagic.dialog import Dialog, Entry, add_window
from gvm_nodes.blackmagic.memory import Keeper, recall, remember
from gvm_nodes.connect import open_line
from gvm_nodes.defaults import Defaults, studio_defaults
from gvm_nodes.knobs import Setting, Wishes
from gvm_nodes.line import Line
from gvm_nodes.make import Bench, Say, Terminal

DONE, FAILED, USAGE, CANCELLED = 0, 1, 2, 130
NO_WINDOWS = (
    "GVM: This program shows scripts no windows (DaVinci Resolve without Studio has none from 19.1"
    " on). Nothing was started: use the OpenFX node, GVM Matte, or add --no-window to the script's"
    " words, which starts at once with the settings that they name."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """Where an entry runs.

    Attributes:
        say: hears one line at a time, where there is no window.
        toolkit: what makes windows; None where there is none, or none is wanted.
        needs_window: whether nothing is to start without one.
        keeper: what keeps the settings that were chosen last; None where nothing does.
        line: gives the way to the server.
    """

    say: Say
    toolkit: Toolkit | None = None
    needs_window: bool = False
    keeper: Keeper | None = None
    line: Callable[[], Line] = open_line


def perform(entry: Entry, named: Mapping[str, Setting], stage: Stage) -> int:
    """Do what an entry is for and return the exit code.

    Args:
        entry: what to do.
        named: the settings that the line names.
        stage: where.
    """
    if stage.toolkit is not None:
        code = _in_window(entry, named, stage, stage.toolkit)
        if code is not None:
            return code
    if stage.needs_window:
        stage.say(NO_WINDOWS)
        return FAILED
    return _in_terminal(entry, named, stage)


def exit_code(ended: GvmError | None) -> int:
    """Return the exit code of work that ended so."""
    if ended is None:
        return DONE
    return CANCELLED if isinstance(ended, JobCancelled) else FAILED


def run_in_terminal(main: Callable[[Sequence[str], Say], int]) -> NoReturn:
    """Run a script with the command line's words, and leave with its exit code.

    A farm's SIGTERM ends it as Ctrl-C does, so that no job is left without anybody.
    """
    try:
        with sigterm_interrupts():
            code = main(sys.argv[1:], _write)
    except SystemExit as left:  # argparse: a wrong word, or --help
        code = left.code if isinstance(left.code, int) else USAGE
    except KeyboardInterrupt:  # where nothing had begun
        code = CANCELLED
    except BaseException:  # noqa: BLE001 - the process ends here, whatever it is
        traceback.print_exc()
        code = FAILED
    leave(code)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _in_terminal(entry: Entry, named: Mapping[str, Setting], stage: Stage) -> int:
    try:
        wishes = _begins(entry, named, None)[1].wishes
        stage.say(f"GVM: {entry.deed(wishes, Terminal(stage.say, stage.line))}")
    except GvmError as error:
        stage.say(f"GVM: {error}")
        return exit_code(error)
    except KeyboardInterrupt:
        stage.say("GVM: Cancelled; what is finished is kept.")
        return CANCELLED
    return DONE


def _in_window(
    entry: Entry, named: Mapping[str, Setting], stage: Stage, toolkit: Toolkit
) -> int | None:
    """Run an entry in a window; None where the program shows none."""
    refused: GvmError | None = None
    try:
        studio, begins = _begins(entry, named, stage.keeper)
    except GvmError as error:
        refused, entry = error, _refusing(entry, error)
        studio = begins = Defaults(wishes=SCRIPT_WISHES, locked=frozenset())
    window = add_window(toolkit, entry, begins.locked)
    if window is None:
        return None
    keeper = stage.keeper if entry.has_settings else None
    dialog = Dialog(
        toolkit=toolkit,
        window=window,
        entry=entry,
        begins=begins,
        remember=partial(remember, keeper, studio) if keeper is not None else _forget,
        line=stage.line,
    )
    dialog.say(str(refused) if refused else "")
    return exit_code(dialog.run() or refused)


def _begins(
    entry: Entry, named: Mapping[str, Setting], keeper: Keeper | None
) -> tuple[Defaults, Defaults]:
    """Return a studio's defaults, and what this run begins with.

    Raises:
        SettingsError: the studio's file, or what the line names, cannot be used.
    """
    if not entry.has_settings:
        bare = Defaults(wishes=SCRIPT_WISHES, locked=frozenset())
        return bare, bare
    studio = studio_defaults(SCRIPT_WISHES)
    base = recall(keeper, studio) if keeper is not None else studio.wishes
    wishes = checked(changed(base, named, studio.locked))
    return studio, replace(studio, wishes=wishes)


def _refusing(entry: Entry, error: GvmError) -> Entry:
    """Return the entry as one that only says what is wrong."""

    def refuse(_wishes: Wishes, _bench: Bench) -> str:
        raise error

    return replace(entry, deed=refuse, has_settings=False)


def _forget(_wishes: Wishes) -> None:
    """Keep nothing."""
