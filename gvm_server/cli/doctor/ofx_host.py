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
from ctypes import POINTER, c_char_p, c_double, c_int, c_uint, c_void_p
from typing import Any, NoReturn

OK, ERR_UNKNOWN, ERR_UNSUPPORTED = 0, 3, 5
ERR_BAD_HANDLE, ERR_BAD_INDEX, ERR_VALUE = 9, 10, 11
CONTEXTS = "OfxImageEffectPropSupportedContexts"
CONTEXT = "OfxImageEffectPropContext"
HOST_SAYS: dict[str, list[Any]] = {
    "OfxPropType": [b"OfxTypeImageEffectHost"],
    "OfxPropName": [b"org.gvmbridge.doctor"],
    "OfxPropLabel": [b"gvm doctor"],
    "OfxPropAPIVersion": [1, 5],
    "OfxImageEffectHostPropIsBackground": [1],
    "OfxImageEffectPropTemporalClipAccess": [1],
    "OfxImageEffectPropSupportedComponents": [
        b"OfxImageComponentRGBA",
        b"OfxImageComponentAlpha",
    ],
    CONTEXTS: [b"OfxImageEffectContextFilter", b"OfxImageEffectContextGeneral"],
    "OfxImageEffectPropSupportedPixelDepths": [b"OfxBitDepthFloat"],
}

_Action = ctypes.CFUNCTYPE(c_int, c_char_p, c_void_p, c_void_p, c_void_p)


class OfxHost(ctypes.Structure):
    """What `setHost` takes."""

    _fields_ = (("host", c_void_p), ("fetch_suite", c_void_p))


class Sets:
    """Property sets by their handles: small numbers, which no plug-in may look into."""

    def __init__(self) -> None:
        self._sets: dict[int, dict[str, list[Any]]] = {}
        self._kept: list[Any] = []

    def make(self, values: dict[str, list[Any]] | None = None) -> int:
        """Make a set and return its handle."""
        handle = len(self._sets) + 1
        self._sets[handle] = dict(values or {})
        return handle

    def texts(self, handle: int, name: str) -> list[str]:
        """Return a property's strings; none where it was not set."""
        found = self._sets[handle].get(name, [])
        return [value.decode(errors="replace") for value in found if isinstance(value, bytes)]

    def put(self, handle: int | None, name: bytes, index: int, values: list[Any]) -> int:
        """Set values from an index on."""
        if handle not in self._sets:
            return ERR_BAD_HANDLE
        if index < 0:
            return ERR_BAD_INDEX
        held = self._sets[handle].setdefault(name.decode(errors="replace"), [])
        held.extend([None] * (index + len(values) - len(held)))
        held[index : index + len(values)] = values
        return OK

    def get(self, handle: int | None, name: bytes, index: int, count: int, to: Any) -> int:  # noqa: ANN401
        """Write values from an index on into C's memory."""
        if handle not in self._sets:
            return ERR_BAD_HANDLE
        held = self._sets[handle].get(name.decode(errors="replace"))
        if held is None:
            return ERR_UNKNOWN
        if index < 0 or index + count > len(held):
            return ERR_BAD_INDEX
        try:
            for place, value in enumerate(held[index : index + count]):
                self._kept.append(value)  # C holds the bytes as long as it likes
                to[place] = value
        except TypeError:
            return ERR_VALUE
        return OK

    def reset(self, handle: int | None, name: bytes) -> int:
        """Forget a property."""
        if handle not in self._sets:
            return ERR_BAD_HANDLE
        self._sets[handle].pop(name.decode(errors="replace"), None)
        return OK

    def dimension(self, handle: int | None, name: bytes, to: Any) -> int:  # noqa: ANN401
        """Write how many values a property has."""
        if handle not in self._sets:
            return ERR_BAD_HANDLE
        to[0] = len(self._sets[handle].get(name.decode(errors="replace"), []))
        return OK


class Suites:
    """The tables of C functions that a plug-in asks the host for."""

    def __init__(self) -> None:
        self.sets = Sets()
        self.effect: int = 0
        self.params: int = 0
        self.clips_defined: list[str] = []
        self.params_defined: list[str] = []
        self._functions: list[Any] = []  # C holds their addresses
        self._tables = {
            (b"OfxPropertySuite", 1): self._table(self._properties()),
            (b"OfxImageEffectSuite", 1): self._table(self._effects()),
            (b"OfxParameterSuite", 1): self._table(self._parameters()),
        }

    def host(self) -> OfxHost:
        """Return the structure that `setHost` takes."""
        fetch = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_int)(self._fetch)
        self._functions.append(fetch)
        return OfxHost(self.sets.make(HOST_SAYS), ctypes.cast(fetch, c_void_p))

    def begin(self) -> int:
        """Make a new descriptor of an effect and return its handle."""
        self.effect, self.params = self.sets.make(), self.sets.make()
        self.clips_defined, self.params_defined = [], []
        return self.effect

    def _fetch(self, _host: int, name: bytes, version: int) -> int | None:
        table = self._tables.get((name, version))
        return ctypes.addressof(table) if table is not None else None

    def _table(self, functions: list[Any]) -> ctypes.Array[c_void_p]:
        self._functions += functions
        return (c_void_p * len(functions))(*[ctypes.cast(one, c_void_p) for one in functions])

    def _properties(self) -> list[Any]:
        sets, function = self.sets, ctypes.CFUNCTYPE
        head, kinds = (c_void_p, c_char_p, c_int), (c_void_p, c_char_p, c_double, c_int)
        acts: tuple[tuple[Callable[..., int], bool], ...] = (  # and whether it takes an address
            (lambda own, name, index, value: sets.put(own, name, index, [value]), False),
            (lambda own, name, count, values: sets.put(own, name, 0, values[:count]), True),
            (lambda own, name, index, to: sets.get(own, name, index, 1, to), True),
            (lambda own, name, count, to: sets.get(own, name, 0, count, to), True),
        )
        return [
            *(
                function(c_int, *head, POINTER(kind) if by_address else kind)(act)
                for act, by_address in acts
                for kind in kinds
            ),
            function(c_int, c_void_p, c_char_p)(sets.reset),
            function(c_int, c_void_p, c_char_p, POINTER(c_int))(sets.dimension),
        ]

    def _effects(self) -> list[Any]:
        own = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(c_void_p))
        define = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, POINTER(c_void_p))
        return [
            own(lambda effect, to: _hand_out(effect, self.effect, self.effect, to)),
            own(lambda effect, to: _hand_out(effect, self.effect, self.params, to)),
            define(lambda _effect, name, to: self._define(self.clips_defined, name, to)),
            *self._unsupported(5),
            ctypes.CFUNCTYPE(c_int, c_void_p)(lambda _effect: 0),  # nobody has given up
            *self._unsupported(4),
        ]

    def _parameters(self) -> list[Any]:
        define = ctypes.CFUNCTYPE(c_int, c_void_p, c_char_p, c_char_p, POINTER(c_void_p))
        own = ctypes.CFUNCTYPE(c_int, c_void_p, POINTER(c_void_p))
        return [
            define(lambda _set, _type, name, to: self._define(self.params_defined, name, to)),
            *self._unsupported(1),
            own(lambda params, to: _hand_out(params, self.params, self.params, to)),
            *self._unsupported(15),
        ]

    def _define(self, defined: list[str], name: bytes, to: Any) -> int:  # noqa: ANN401
        defined.append(name.decode(errors="replace"))
        if to:
            to[0] = self.sets.make()
        return OK

    def _unsupported(self, count: int) -> list[Any]:
        """Return functions of instances: a plug-in that describes itself has none."""
        refuse = ctypes.CFUNCTYPE(c_int)(lambda: ERR_UNSUPPORTED)
        return [refuse] * count


def _hand_out(asked: int | None, known: int, handle: int, to: Any) -> int:  # noqa: ANN401
    if asked != known:
        return ERR_BAD_HANDLE
    to[0] = handle
    return OK


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
