"""The suites of a small OpenFX host, as far as a plug-in that describes itself calls them.

A suite is a table of C functions. No instance is made here, so functions of instances refuse.
Names, numbers and the order of functions are those of the OpenFX 1.5 headers.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_double, c_int, c_void_p
from typing import Any

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


class Host(ctypes.Structure):
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

    def host(self) -> Host:
        """Return the structure that `setHost` takes."""
        fetch = ctypes.CFUNCTYPE(c_void_p, c_void_p, c_char_p, c_int)(self._fetch)
        self._functions.append(fetch)
        return Host(self.sets.make(HOST_SAYS), ctypes.cast(fetch, c_void_p))

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
