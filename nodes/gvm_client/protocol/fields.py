"""A message's fields as plain values (nil, bool, int, float, text, list, map) and back.

The dataclasses' type hints are the only schema. An enum is its value, a nested dataclass a map, a
tuple a list; a member of a union of dataclasses is a map with its tag under the key `kind`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from math import isfinite
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from gvm_client.limits import MAX_CUTS, MAX_TEXT
from gvm_client.protocol.messages import (
    FileOutput,
    FilePlate,
    MappedOutput,
    PushedPlate,
)

MAX_LIST = MAX_CUTS  # the longest list of any message
INTEGERS = range(-(2**63), 2**63)  # what C++ holds in an int64

KINDS: Mapping[type, str] = MappingProxyType(
    {FilePlate: "file", PushedPlate: "pushed", FileOutput: "file", MappedOutput: "mapped"}
)

Plain = dict[str, object]


class Mismatch(ValueError):
    """A value that does not fit its field; the sentence, without a full stop, names the field."""


def pack_fields(value: object, where: str) -> Plain:
    """Return a dataclass as a plain map, all its fields in the order of declaration.

    Raises:
        Mismatch: a field does not hold what its type hint says, or is too long.
    """
    kind: Any = type(value)
    return {
        field.name: _pack(field.hint, getattr(value, field.name), f"{where}.{field.name}")
        for field in _fields_of(kind)
    }


def unpack_fields(kind: type, value: object, where: str) -> object:
    """Return the dataclass that a plain map holds.

    Raises:
        Mismatch: a field is unknown, missing, of the wrong type or too long.
        GvmError: the dataclass refused a value.
    """
    plain = _typed(dict, value, where)
    known = {field.name: field for field in _fields_of(kind)}
    required = [name for name, field in known.items() if field.required]
    check_names(plain, required=required, allowed=list(known), where=where)
    return kind(
        **{name: _unpack(known[name].hint, item, f"{where}.{name}") for name, item in plain.items()}
    )


def check_names(
    plain: Mapping[str, object], *, required: Sequence[str], allowed: Sequence[str], where: str
) -> None:
    """Check that a map names what it must and nothing else.

    Raises:
        Mismatch: a field is missing or unknown.
    """
    for name in required:
        if name not in plain:
            raise Mismatch(f"{where} lacks the field `{name}`")
    for name in plain:
        if name not in allowed:
            raise Mismatch(f"{where} has an unknown field `{str(name)[:64]}`")


def text_of(value: object, where: str, bound: int = MAX_TEXT) -> str:
    """Return a text of at most `bound` bytes in UTF-8.

    Raises:
        Mismatch: it is no text, cannot be UTF-8, or is too long.
    """
    text: str = _typed(str, value, where)
    try:
        length = len(text.encode())
    except UnicodeEncodeError as error:  # a file name in another encoding than UTF-8
        raise Mismatch(f"{where} is not UTF-8 text") from error
    if length > bound:
        raise Mismatch(f"{where} takes {length} bytes; its bound is {bound}")
    return text


def in_words(value: object) -> str:
    """Return a value's type in words; never the value, which may be huge or deep."""
    return "nil" if value is None else f"of type {type(value).__name__}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Field:
    name: str
    hint: Any
    required: bool


@cache
def _fields_of(kind: Any) -> tuple[_Field, ...]:  # noqa: ANN401 - any dataclass
    hints = get_type_hints(kind)
    return tuple(
        _Field(
            name=field.name,
            hint=hints[field.name],
            required=field.default is MISSING and field.default_factory is MISSING,
        )
        for field in fields(kind)
    )


@cache
def _options(hint: Any) -> tuple[Any, ...]:  # noqa: ANN401 - a type hint has no type
    """Return the members of a union; any other hint is its only member."""
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _pack(hint: Any, value: object, where: str) -> object:  # noqa: ANN401
    options = _options(hint)
    if value is None and NoneType in options:
        return None
    if options[0] not in KINDS:
        return _pack_one(options[0], value, where)
    if type(value) not in options:
        raise _wrong(" or ".join(option.__name__ for option in options), value, where)
    return {"kind": KINDS[type(value)], **pack_fields(value, where)}


def _pack_one(hint: Any, value: object, where: str) -> object:  # noqa: ANN401
    if get_origin(hint) is tuple:
        item_hint = get_args(hint)[0]
        items = enumerate(_bounded(_typed(tuple, value, where), where))
        return [_pack(item_hint, item, f"{where}[{index}]") for index, item in items]
    if is_dataclass(hint):
        return pack_fields(_typed(hint, value, where), where)
    if issubclass(hint, Enum):
        return _typed(hint, value, where).value
    return _scalar(hint, value, where)


def _unpack(hint: Any, value: object, where: str) -> object:  # noqa: ANN401
    options = _options(hint)
    if value is None and NoneType in options:
        return None
    if options[0] not in KINDS:
        return _unpack_one(options[0], value, where)
    plain = dict(_typed(dict, value, where))
    kind = plain.pop("kind", None)
    for option in options:
        if kind == KINDS[option]:
            return unpack_fields(option, plain, where)
    kinds = " or ".join(f"`{KINDS[option]}`" for option in options)
    raise Mismatch(f"{where}.kind must be {kinds}")


def _unpack_one(hint: Any, value: object, where: str) -> object:  # noqa: ANN401
    if get_origin(hint) is tuple:
        item_hint = get_args(hint)[0]
        items = enumerate(_bounded(_typed(list, value, where), where))
        return tuple(_unpack(item_hint, item, f"{where}[{index}]") for index, item in items)
    if is_dataclass(hint):
        return unpack_fields(hint, value, where)  # type: ignore[arg-type]
    if issubclass(hint, Enum):
        words = [member.value for member in hint]
        if text_of(value, where) not in words:
            raise Mismatch(f"{where} is none of {', '.join(words)}")
        return hint(value)
    return _scalar(hint, value, where)


def _scalar(hint: type, value: object, where: str) -> object:
    if hint is str:
        return text_of(value, where)
    if type(value) is int and value not in INTEGERS:
        raise Mismatch(f"{where} does not fit into 64 bits")
    if hint is float:
        number = float(value) if type(value) is int else _typed(float, value, where)
        if not isfinite(number):
            raise Mismatch(f"{where} is {number}, which is not a finite number")
        return number
    return _typed(hint, value, where)


def _typed(kind: Any, value: object, where: str) -> Any:  # noqa: ANN401
    """Return the value if it is of just this type: a bool is not an int here."""
    if type(value) is not kind:
        raise _wrong(kind.__name__, value, where)
    return value


def _bounded(items: Sequence[object], where: str) -> Sequence[object]:
    if len(items) > MAX_LIST:
        raise Mismatch(f"{where} has {len(items)} items; its bound is {MAX_LIST}")
    return items


def _wrong(wanted: str, value: object, where: str) -> Mismatch:
    return Mismatch(f"{where} is {in_words(value)}; it must be of type {wanted}")
