"""Runs one entry of a menu: finds the program, asks in a window or takes the words, and exits.

An object of the program seems to have every attribute; what it lacks is None, or a function that
does nothing. So what a version has is asked by its number.

An error is one sentence for the artist, never a traceback or a message box. What a menu starts has
a window, or starts nothing: only words with `--no-window` have chosen the settings. A terminal has
no window, and its process is left at once with the exit code, because the program's own module may
crash while Python ends.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

from gvm_client.errors import ErrorCode, GvmError, JobCancelled, ServerError
from gvm_client.process import leave, sigterm_interrupts
from gvm_nodes.blackmagic.alpha_spec import SCRIPT_OPTIONS
from gvm_nodes.blackmagic.dialog import Dialog, MenuEntry, Toolkit, add_window
from gvm_nodes.blackmagic.frontend import Frontend, Say, Terminal
from gvm_nodes.blackmagic.settings_form import TextStore, last_options, remember_options
from gvm_nodes.core.defaults import Defaults, changed_options, checked_options, studio_defaults
from gvm_nodes.core.settings import MatteOptions, SettingValue
from gvm_nodes.core.transport import Transport, open_transport

if TYPE_CHECKING:
    from fusionscript import Resolve

ScriptGlobals = Mapping[str, Any]
"""What a menu gives to its scripts: their `globals()`."""
NO_GLOBALS: ScriptGlobals = MappingProxyType({})
"""What a terminal gives."""

DONE, FAILED, USAGE, CANCELLED = 0, 1, 2, 130
NO_WINDOWS = (
    "GVM: This program shows scripts no windows (DaVinci Resolve without Studio has none from 19.1"
    " on). Nothing was started: use the OpenFX node, GVM Matte, or add --no-window to the script's"
    " words, which starts at once with the settings that they name."
)


class _Program(NamedTuple):
    """A program that a terminal asks for."""

    name: str
    module_remedy: str
    silent_remedy: str


_FUSION = _Program(
    "Fusion",
    "Put the folder of Fusion's own module, fusionscript, on PYTHONPATH.",
    "Start Fusion Studio, and allow external scripting in its preferences.",
)
_RESOLVE = _Program(
    "Resolve",
    "Set RESOLVE_SCRIPT_API, RESOLVE_SCRIPT_LIB and PYTHONPATH as Resolve's README of scripting"
    " says.",
    "Start Resolve Studio, and set Preferences, General, External scripting to Local.",
)
RESOLVE_SINCE = 19, 1  # the first with every method that the scripts call
_MODULES = ("fusionscript", "BlackmagicFusion", "DaVinciResolveScript")


def find_fusion(script_globals: ScriptGlobals) -> Any:  # noqa: ANN401 - its objects have no types
    """Return the Fusion that the menu gives, or that runs.

    Raises:
        ServerError: there is none.
    """
    for name in ("fusion", "fu"):
        if script_globals.get(name) is not None:
            return script_globals[name]
    return _running_program(script_globals, _FUSION)


def find_resolve(script_globals: ScriptGlobals) -> Resolve:
    """Return the Resolve that the menu gives, or that runs.

    Raises:
        ServerError: there is none, or it is too old.
    """
    given = script_globals.get("resolve")
    found = cast("Resolve", _running_program(script_globals, _RESOLVE) if given is None else given)
    version = _resolve_version(found)
    if version < RESOLVE_SINCE:
        found_version, since = (".".join(map(str, numbers)) for numbers in (version, RESOLVE_SINCE))
        found_version = found_version or "of an unknown version"
        raise ServerError(
            f"This is Resolve {found_version}; the scripts need {since} or later.",
            remedy="Update Resolve, or use the OpenFX node, GVM Matte.",
            code=ErrorCode.VERSION_MISMATCH,
        )
    return found


def find_toolkit(script_globals: ScriptGlobals, fusion: Any) -> Toolkit | None:  # noqa: ANN401
    """Return what windows are made with; None in a terminal, or where the program has none."""
    if not script_globals or fusion is None:
        return None
    ui = getattr(fusion, "UIManager", None)
    make = getattr(_scripting(script_globals), "UIDispatcher", None)
    if ui is None or make is None:
        return None
    dispatcher = make(ui)
    can_step = getattr(dispatcher, "StepLoop", None) is not None
    return Toolkit(ui=ui, dispatcher=dispatcher) if can_step else None


def _resolve_version(resolve: Any) -> tuple[int, ...]:  # noqa: ANN401 - an old one is unlike its types
    """Return the major and the minor number; nothing where they cannot be had."""
    ask = getattr(resolve, "GetVersion", None)
    told = ask() if ask is not None else None
    numbers = told[:2] if isinstance(told, list | tuple) else ()
    return tuple(int(number) for number in numbers if isinstance(number, int | float))


def _running_program(script_globals: ScriptGlobals, wanted: _Program) -> Any:  # noqa: ANN401
    scripting = _scripting(script_globals)
    if scripting is None:
        raise ServerError(
            f"{wanted.name}'s scripting module cannot be imported.",
            remedy=wanted.module_remedy,
            code=ErrorCode.SERVER_NOT_RUNNING,
        )
    found = scripting.scriptapp(wanted.name)
    if found is None:
        raise ServerError(
            f"No {wanted.name} answers.",
            remedy=wanted.silent_remedy,
            code=ErrorCode.SERVER_NOT_RUNNING,
        )
    return found


def _scripting(script_globals: ScriptGlobals) -> Any:  # noqa: ANN401
    """Return `bmd`; None where neither the menu gives it, nor a module can be imported."""
    if script_globals.get("bmd") is not None:
        return script_globals["bmd"]
    for name in _MODULES:
        with suppress(ImportError):
            return import_module(name)
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunContext:
    """Where an entry runs.

    Attributes:
        say: hears one line at a time, where there is no window.
        toolkit: what makes windows; None where there is none, or none is wanted.
        needs_window: whether nothing is to start without one.
        store: what keeps the settings that were chosen last; None where nothing does.
        transport: gives the transport.
    """

    say: Say
    toolkit: Toolkit | None = None
    needs_window: bool = False
    store: TextStore | None = None
    transport: Callable[[], Transport] = open_transport


def run_entry(entry: MenuEntry, named: Mapping[str, SettingValue], context: RunContext) -> int:
    """Do what an entry is for and return the exit code.

    Args:
        entry: what to do.
        named: the settings that the words name.
        context: where.
    """
    if context.toolkit is not None:
        code = _in_window(entry, named, context, context.toolkit)
        if code is not None:
            return code
    if context.needs_window:
        context.say(NO_WINDOWS)
        return FAILED
    return _in_terminal(entry, named, context)


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


def _in_terminal(entry: MenuEntry, named: Mapping[str, SettingValue], context: RunContext) -> int:
    try:
        options = _first_options(entry, named, None)[1].options
        context.say(f"GVM: {entry.task(options, Terminal(context.say, context.transport))}")
    except GvmError as error:
        context.say(f"GVM: {error}")
        return exit_code(error)
    except KeyboardInterrupt:
        context.say("GVM: Cancelled; what is finished is kept.")
        return CANCELLED
    return DONE


def _in_window(
    entry: MenuEntry, named: Mapping[str, SettingValue], context: RunContext, toolkit: Toolkit
) -> int | None:
    """Run an entry in a window; None where the program shows none."""
    refused: GvmError | None = None
    try:
        studio, initial = _first_options(entry, named, context.store)
    except GvmError as error:
        refused, entry = error, _refusing_entry(entry, error)
        studio = initial = Defaults(options=SCRIPT_OPTIONS, locked=frozenset())
    window = add_window(toolkit, entry, initial.locked)
    if window is None:
        return None
    store = context.store if entry.has_settings else None
    dialog = Dialog(
        toolkit=toolkit,
        window=window,
        entry=entry,
        initial=initial,
        remember=partial(remember_options, store, studio)
        if store is not None
        else _remember_nothing,
        transport=context.transport,
    )
    dialog.say(str(refused) if refused else "")
    return exit_code(dialog.run() or refused)


def _first_options(
    entry: MenuEntry, named: Mapping[str, SettingValue], store: TextStore | None
) -> tuple[Defaults, Defaults]:
    """Return a studio's defaults, and what this run begins with.

    Raises:
        SettingsError: the studio's file, or what the words name, cannot be used.
    """
    if not entry.has_settings:
        bare = Defaults(options=SCRIPT_OPTIONS, locked=frozenset())
        return bare, bare
    studio = studio_defaults(SCRIPT_OPTIONS)
    base = last_options(store, studio) if store is not None else studio.options
    options = checked_options(changed_options(base, named, studio.locked))
    return studio, replace(studio, options=options)


def _refusing_entry(entry: MenuEntry, error: GvmError) -> MenuEntry:
    """Return the entry as one that only says what is wrong."""

    def refuse(_options: MatteOptions, _frontend: Frontend) -> str:
        raise error

    return replace(entry, task=refuse, has_settings=False)


def _remember_nothing(_options: MatteOptions) -> None:
    """Keep nothing."""
