"""A small OpenFX host, in a process of its own: it loads a plug-in and has it describe itself.

    python -m gvm_server.cli.doctor.ofx_host /path/to/GVM.ofx

It says what it is about to do, a line of JSON each, so that whoever hears it knows what a plug-in
that takes the process down was doing:

    {"step": "OfxActionDescribe"}
    {"step": "...", "says": "why this cannot go on"}
    {"step": "done", "identifier": ..., "version": [1, 0], "contexts": [...], ...}

It imports nothing that is dear: a process that is started for each file must start at once.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from ctypes import POINTER, c_char_p, c_int, c_uint, c_void_p
from typing import Any, NoReturn

from gvm_server.cli.doctor.ofx_suites import CONTEXT, CONTEXTS, OK, Suites

_Action = ctypes.CFUNCTYPE(c_int, c_char_p, c_void_p, c_void_p, c_void_p)


class _Plugin(ctypes.Structure):
    _fields_ = (
        ("api", c_char_p),
        ("api_version", c_int),
        ("identifier", c_char_p),
        ("major", c_uint),
        ("minor", c_uint),
        ("set_host", ctypes.CFUNCTYPE(None, c_void_p)),
        ("main_entry", _Action),
    )


class _Refused(Exception):
    """The plug-in cannot be used, and why."""


def scan(path: str, say: Callable[[dict[str, Any]], None]) -> None:
    """Load a plug-in's file and have its first plug-in describe itself in each of its contexts."""
    began = time.monotonic()
    suites = Suites()
    step = ""

    def on(name: str) -> None:
        nonlocal step
        step = name
        say({"step": name})

    try:
        plugin = _first(path, on)
        on("setHost")
        host = suites.host()
        plugin.set_host(ctypes.addressof(host))
        contexts = _describe(plugin, suites, on)
        on("OfxActionUnload")
        plugin.main_entry(b"OfxActionUnload", None, None, None)
    except _Refused as refused:
        say({"step": step, "says": str(refused)})
        return
    say(
        {
            "step": "done",
            "identifier": (plugin.identifier or b"").decode(errors="replace"),
            "version": [plugin.major, plugin.minor],
            "contexts": contexts,
            "milliseconds": round(1000 * (time.monotonic() - began)),
        }
    )


def _first(path: str, on: Callable[[str], None]) -> _Plugin:
    """Return the first plug-in of a file."""
    on("loading the file")
    library = _load(path)
    on("OfxGetNumberOfPlugins")
    count = _symbol(library, "OfxGetNumberOfPlugins", c_int)()
    if count < 1:
        raise _Refused(f"it says that it holds {count} plug-ins")
    on("OfxGetPlugin")
    found = _symbol(library, "OfxGetPlugin", POINTER(_Plugin))(0)
    if not found:
        raise _Refused("it gives no plug-in")
    plugin: _Plugin = found.contents
    return plugin


def _load(path: str) -> ctypes.CDLL:
    try:
        return ctypes.CDLL(path)
    except OSError as error:
        raise _Refused(str(error)) from error


def _symbol(library: ctypes.CDLL, name: str, returns: Any) -> Any:  # noqa: ANN401
    try:
        function = getattr(library, name)
    except AttributeError:
        raise _Refused(f"the file has no {name}, so it is no OpenFX plug-in") from None
    function.restype = returns
    return function


def _describe(plugin: _Plugin, suites: Suites, on: Callable[[str], None]) -> list[str]:
    """Return the contexts in which it describes itself."""

    def act(action: str, *handles: int | None, of: str = "") -> None:
        on(f"{action} {of}".strip())
        padded = (*handles, None, None, None)[:3]
        status = plugin.main_entry(action.encode(), *padded)
        # MLT takes no plug-in whose Load or Describe answers anything but OK.
        if status != OK:
            raise _Refused(f"it answers with status {status}, and hosts want {OK}")

    act("OfxActionLoad")
    act("OfxActionDescribe", effect := suites.begin())
    contexts = suites.sets.texts(effect, CONTEXTS)
    if not contexts:
        raise _Refused("it names no context that it works in")
    for context in contexts:
        said = suites.sets.make({CONTEXT: [context.encode()]})
        act("OfxImageEffectActionDescribeInContext", suites.begin(), said, of=context)
        if "Output" not in suites.clips_defined or not suites.params_defined:
            raise _Refused(
                f"it defines {len(suites.clips_defined)} clips, {len(suites.params_defined)}"
                " parameters and no output"
            )
    return contexts


def main(path: str) -> NoReturn:
    """Scan, and end at once: what runs when libraries are closed is the plug-in's own."""
    answers = os.dup(1)
    os.dup2(2, 1)  # a plug-in that prints does not spoil the answers
    _no_core()
    sys.unraisablehook = lambda _: os._exit(70)  # a defect of this host is no plug-in that loads

    def say(what: dict[str, Any]) -> None:
        os.write(answers, json.dumps(what).encode() + b"\n")

    scan(path, say)
    os._exit(0)


def _no_core() -> None:
    """A fault is what is asked about here: it leaves no core file."""
    with suppress(ImportError, OSError, ValueError):  # Windows has no such limits
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1])
