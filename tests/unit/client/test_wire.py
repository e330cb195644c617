"""The protocol's bytes: round trips, the golden vectors, and everything that must be refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gvm_client.errors import ErrorCode, LocalProtocolError, RemoteProtocolError
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.fields import INTEGERS
from gvm_client.protocol.messages import (
    MAX_TEXT,
    MESSAGE_TYPES,
    Accepted,
    Cancel,
    FilePlate,
    Matte,
    Message,
    Ok,
    Progress,
    ServerStatus,
)
from gvm_client.protocol.wire import MAX_MESSAGE_BYTES, Envelope, UnreadableMessage, decode, encode
from gvm_client.settings import MatteKnobs
from tests.golden import make_protocol
from tests.support.messages import JOB, SAMPLES, SUMMARY

ALL = [
    pytest.param(message, id=f"{word}-{name}")
    for word, samples in SAMPLES.items()
    for name, message in samples.items()
]
REFUSED = json.loads(make_protocol.REFUSED.read_text(encoding="utf-8"))["vectors"]

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def refusal(data: bytes) -> UnreadableMessage:
    with pytest.raises(UnreadableMessage) as caught:
        decode(data)
    return caught.value


@pytest.mark.parametrize("message", ALL)
def test_a_message_survives_the_wire(message: Message):
    """What is decoded equals what was encoded, and encodes to the same bytes."""
    data = encode(message, request="r-1")
    envelope = decode(data)
    assert envelope == Envelope(version=PROTOCOL_VERSION, request="r-1", message=message)
    assert encode(envelope.message, request=envelope.request) == data


@given(st.text(max_size=200), st.integers(0, 2**31), st.integers(0, 2**62))
def test_any_text_and_number_survives_the_wire(note: str, done: int, total: int):
    """Every character and every size of integer comes back."""
    progress = Progress(
        job=JOB, frames_done=done, frames_total=total, windows_done=0, windows_total=1, note=note
    )
    assert decode(encode(progress, request="")).message == progress


@pytest.mark.parametrize("path", make_protocol.documents(), ids=lambda path: path.stem)
def test_the_vectors_are_what_the_wire_says(path: Path):
    """The files that the C++ bridge reads are the encoder's own output, to the letter."""
    assert path.read_text(encoding="utf-8") == make_protocol.documents()[path]


@pytest.mark.parametrize("word", MESSAGE_TYPES)
def test_the_vectors_decode_to_their_bodies(word: str):
    """The bytes hold the type, the request and the body that stand beside them."""
    document = json.loads(make_protocol.path_of(word).read_text(encoding="utf-8"))
    for vector in document["vectors"]:
        data = bytes.fromhex(vector["hex"])
        plain = msgpack.unpackb(data)
        assert list(plain) == ["v", "type", "request", "body"]
        assert json.loads(json.dumps(plain["body"])) == vector["body"]
        assert (plain["type"], plain["request"]) == (word, vector["request"])
        assert type(decode(data).message) is MESSAGE_TYPES[word]


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_what_must_be_refused_is_refused_with_its_code(vector: dict):
    """Every refusal has its code and the request's name as far as it could be read."""
    error = refusal(bytes.fromhex(vector["hex"]))
    assert (error.code.value, error.request) == (vector["code"], vector["request"])
    assert str(error).endswith(".")


def test_a_refusal_names_the_field():
    """The sentence says where in the message the fault lies."""
    plain = msgpack.unpackb(encode(SAMPLES["matte"]["pushed"], request="7"))
    plain["body"]["plate"]["frames"][1]["key"] = 5
    error = refusal(msgpack.packb(plain))
    assert "body.plate.frames[1].key is of type int; it must be of type str" in error.message


def test_another_version_is_refused_with_both_numbers_and_a_remedy():
    """The artist learns which side to bring up to date."""
    error = refusal(msgpack.packb({"v": 99, "request": "r"}))
    assert error.code is ErrorCode.VERSION_MISMATCH
    assert "version 99" in error.message
    assert f"speaks {PROTOCOL_VERSION}" in error.message
    assert error.remedy


def test_fields_with_defaults_may_be_left_out():
    """A short message means the same as one that spells its defaults."""
    body = {
        "job": JOB,
        "plate": {"kind": "file", "path": "/p"},
        "output": {"kind": "mapped"},
    }
    data = msgpack.packb({"v": PROTOCOL_VERSION, "type": "matte", "request": "", "body": body})
    message = decode(data).message
    assert isinstance(message, Matte)
    assert message.plate == FilePlate(path="/p")
    assert message.knobs == MatteKnobs()


def test_whole_numbers_in_float_fields_are_floats_on_the_wire():
    """The bytes do not depend on whether Python held an int or a float."""
    base = SAMPLES["matte"]["minimal"]
    with_ints = replace(base, knobs=MatteKnobs(black=0, white=1))
    with_floats = replace(base, knobs=MatteKnobs(black=0.0, white=1.0))
    assert encode(with_ints, request="") == encode(with_floats, request="")
    body = msgpack.packb(
        {
            "v": PROTOCOL_VERSION,
            "type": "done",
            "request": "",
            "body": {
                "job": JOB,
                "windows_run": 0,
                "windows_cached": 0,
                "frames_written": 0,
                "frames_kept": 0,
                "seconds": 3,
            },
        }
    )
    seconds = decode(body).message.seconds
    assert (seconds, type(seconds)) == (3.0, float)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"revision": 5}, "body.revision is of type int; it must be of type str"),
        ({"preview": 1}, "body.preview is of type int; it must be of type bool"),
        ({"first": True}, "body.first is of type bool; it must be of type int"),
        ({"first": INTEGERS.stop}, "body.first does not fit into 64 bits"),
        ({"engine": "gvm"}, "body.engine is of type str; it must be of type EngineName"),
        ({"revision": "x" * (MAX_TEXT + 1)}, "body.revision takes 8193 bytes; its bound is 8192"),
        ({"revision": "\udcff"}, "body.revision is not UTF-8 text"),
        ({"notes": ["a"]}, "body.notes is of type list; it must be of type tuple"),
        ({"notes": ("a",) * 10_001}, "body.notes has 10001 items; its bound is 10000"),
    ],
)
def test_what_does_not_fit_is_not_sent(changes: dict[str, object], says: str):
    """The sender hears of its own mistake, by the field's name, before a byte leaves."""
    message = SAMPLES["accepted"]["minimal"]
    assert isinstance(message, Accepted)
    with pytest.raises(LocalProtocolError) as caught:
        encode(replace(message, **changes), request="1")
    assert says in caught.value.message


def test_a_message_over_the_bound_is_not_sent():
    """A message stays below what the other side admits."""
    fat = replace(SUMMARY, plate="x" * MAX_TEXT)
    status = SAMPLES["server_status"]["minimal"]
    assert isinstance(status, ServerStatus)
    with pytest.raises(LocalProtocolError, match=str(MAX_MESSAGE_BYTES)):
        encode(replace(status, jobs=(fat,) * 200), request="1")


def test_a_request_name_over_the_bound_is_not_sent():
    """Requests have short names."""
    with pytest.raises(LocalProtocolError, match="request takes 65 bytes"):
        encode(Ok(), request="x" * 65)


def test_a_message_over_the_bound_is_not_read():
    """Not a byte of it is unpacked."""
    assert str(MAX_MESSAGE_BYTES) in refusal(b"\xc0" * (MAX_MESSAGE_BYTES + 1)).message


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_by_name(data: bytes):
    """No bytes make the reader raise anything else than its own refusal."""
    with pytest.raises(RemoteProtocolError):
        decode(data)


@given(st.sampled_from(sorted(MESSAGE_TYPES)), plain_values)
def test_random_bodies_are_refused_or_valid(word: str, body: object):
    """A body of any shape is refused by name, unless it happens to be right."""
    data = msgpack.packb({"v": PROTOCOL_VERSION, "type": word, "request": "r", "body": body})
    try:
        request, kind = "r", type(decode(data).message)
    except UnreadableMessage as error:
        request, kind = error.request, MESSAGE_TYPES[word]
    assert (request, kind) == ("r", MESSAGE_TYPES[word])


@given(st.sampled_from([sample.values[0] for sample in ALL]), st.data())
def test_a_flipped_byte_is_refused_or_another_valid_message(message: Message, data: st.DataObject):
    """Damage on the way is never more than a refusal or a message that can be sent again."""
    damaged = bytearray(encode(message, request="r"))
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] ^= data.draw(st.integers(1, 255))
    try:
        envelope = decode(bytes(damaged))
    except UnreadableMessage:
        return
    assert decode(encode(envelope.message, request=envelope.request)) == envelope


def test_a_depth_beyond_pythons_recursion_is_refused_without_recursion():
    """Nesting that would end the process in a recursive reader ends in a refusal."""
    for opening in (b"\x91", b"\x81\xa1a", b"\xdc\x00\x01", b"\xdc\x27\x10"):
        assert refusal(opening * 100_000 + b"\xc0").code is ErrorCode.MALFORMED


def test_the_envelope_costs_little():
    """The smallest message of a job stays below 100 bytes."""
    assert len(encode(Cancel(job=JOB), request="7")) < 100
