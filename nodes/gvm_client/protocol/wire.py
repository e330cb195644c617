"""The bytes of the protocol: one message is one msgpack map.

    {"v": 1, "type": "cancel", "request": "7", "body": {"job": "..."}}

- The bytes are canonical: every field, in the order of declaration, integers in their shortest
  form, floats as float64; so two languages can compare them.
- Reading is strict: an unknown, missing, doubled or wrongly typed field refuses the message.
- Sizes, counts and depths are bounded by the reader before it makes an object of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import cast

import msgpack  # type: ignore[import-untyped]

from gvm_client.errors import ErrorCode, GvmError, LocalProtocolError, RemoteProtocolError
from gvm_client.limits import MAX_FIELDS, MAX_MESSAGE_BYTES, MAX_REQUEST, MAX_TEXT
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.fields import (
    MAX_LIST,
    Mismatch,
    check_names,
    in_words,
    pack_fields,
    text_of,
    unpack_fields,
)
from gvm_client.protocol.messages import MESSAGE_TYPES, Message

_ENVELOPE = ("v", "type", "request", "body")
_WORDS: Mapping[type, str] = MappingProxyType({kind: word for word, kind in MESSAGE_TYPES.items()})


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A message as it came, with the name of the request that it makes or answers."""

    version: int
    request: str
    message: Message


class UnreadableMessage(RemoteProtocolError):
    """Bytes that are no valid message.

    Attributes:
        request: the request's name as far as it could be read, else "", so that it can be answered.
    """

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        code: ErrorCode = ErrorCode.MALFORMED,
        request: str = "",
    ) -> None:
        super().__init__(message, remedy=remedy, code=code)
        self.request = request


def encode(message: Message, *, request: str) -> bytes:
    """Return a message's bytes.

    Args:
        message: what to say.
        request: the name of the request that it makes or answers, at most `MAX_REQUEST` bytes.

    Raises:
        LocalProtocolError: a field has the wrong type or is too long, or the whole is too big.
    """
    try:
        envelope = {
            "v": PROTOCOL_VERSION,
            "type": _WORDS[type(message)],
            "request": text_of(request, "request", MAX_REQUEST),
            "body": pack_fields(message, "body"),
        }
    except Mismatch as error:
        raise LocalProtocolError(f"The message cannot be sent: {error}.") from error
    data = cast("bytes", msgpack.packb(envelope))
    if len(data) > MAX_MESSAGE_BYTES:
        raise LocalProtocolError(
            f"The message `{envelope['type']}` takes {len(data)} bytes;"
            f" the protocol's bound is {MAX_MESSAGE_BYTES}."
        )
    return data


def encode_question(word: str, *, request: str, version: int) -> bytes:
    """Return the bytes of a message without a body, in a protocol version that may be another."""
    envelope = {"v": version, "type": word, "request": request, "body": {}}
    return cast("bytes", msgpack.packb(envelope))


def decode(data: bytes) -> Envelope:
    """Return the message that the bytes hold.

    Raises:
        UnreadableMessage: code MALFORMED (not a message), BAD_REQUEST (a message with a value out
            of its range) or VERSION_MISMATCH.
    """
    envelope = unpack_envelope(data)
    name = envelope.get("request")
    request = name if isinstance(name, str) and len(name.encode()) <= MAX_REQUEST else ""
    try:
        _check_version(envelope.get("v"), request)
        check_names(envelope, required=_ENVELOPE, allowed=_ENVELOPE, where="the envelope")
        text_of(name, "request", MAX_REQUEST)
        kind = _type_called(text_of(envelope["type"], "type"))
        message = unpack_fields(kind, envelope["body"], "body")
    except Mismatch as error:
        raise UnreadableMessage(f"Not a message: {error}.", request=request) from error
    except UnreadableMessage:
        raise
    except GvmError as error:  # a dataclass refused the value
        raise UnreadableMessage(
            error.message, remedy=error.remedy, code=ErrorCode.BAD_REQUEST, request=request
        ) from error
    return Envelope(version=PROTOCOL_VERSION, request=request, message=cast("Message", message))


def unpack_envelope(data: bytes) -> dict[str, object]:
    """Return a message of whatever protocol version as a map, whose values nobody has looked at.

    Raises:
        UnreadableMessage: code MALFORMED; it is no map, or larger than a message may be.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise UnreadableMessage(
            f"Not a message: {len(data)} bytes; the protocol's bound is {MAX_MESSAGE_BYTES}."
        )
    try:
        plain = msgpack.unpackb(
            data,
            object_pairs_hook=_unique,
            max_str_len=MAX_TEXT,
            max_bin_len=0,
            max_ext_len=0,
            max_array_len=MAX_LIST,
            max_map_len=MAX_FIELDS,
        )
    except ValueError as error:  # msgpack's own errors, broken UTF-8 and doubled names are all this
        reason = str(error)[:200].rstrip(".") or type(error).__name__
        raise UnreadableMessage(f"Not a message: {reason}.") from error
    if not isinstance(plain, dict):
        raise UnreadableMessage(f"Not a message: the whole is {in_words(plain)}; it must be a map.")
    return plain


def _check_version(version: object, request: str) -> None:
    if type(version) is not int:
        raise Mismatch("it does not say its protocol version")
    if version != PROTOCOL_VERSION:
        raise UnreadableMessage(
            f"The message speaks protocol version {version}; this program speaks"
            f" {PROTOCOL_VERSION}.",
            remedy="Restart the server (`gvm stop`), or update the plug-in, so that both are of"
            " one release.",
            code=ErrorCode.VERSION_MISMATCH,
            request=request,
        )


def _type_called(word: str) -> type[Message]:
    if word not in MESSAGE_TYPES:
        raise Mismatch(f"there is no message `{word[:MAX_REQUEST]}`")
    return MESSAGE_TYPES[word]


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    plain = dict(pairs)
    if len(plain) != len(pairs):
        raise ValueError("a map names a field twice")
    return plain
