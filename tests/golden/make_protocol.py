"""Writes protocol/*.json: run `python -m tests.golden.make_protocol` after a deliberate change."""

from __future__ import annotations

import json
from pathlib import Path

import msgpack

from gvm_client.errors import ErrorCode
from gvm_client.protocol.messages import MAX_TEXT, MESSAGE_TYPES, Cancel, Message
from gvm_client.protocol.version import PROTOCOL_VERSION
from gvm_client.protocol.wire import MAX_MESSAGE_BYTES, encode
from tests.support.messages import JOB, SAMPLES

FOLDER = Path(__file__).parent / "protocol"
REFUSED = FOLDER / "refused.json"


def path_of(word: str) -> Path:
    """Return the file of a message's vectors."""
    return FOLDER / f"{word}.json"


def vector(word: str, name: str, message: Message) -> dict[str, object]:
    """Return a message as plain JSON and as bytes."""
    request = f"{name}-1"
    data = encode(message, request=request)
    return {
        "name": f"{word}, {name}",
        "type": word,
        "request": request,
        "body": msgpack.unpackb(data)["body"],
        "hex": data.hex(),
    }


def refused() -> list[dict[str, object]]:
    """Return bytes that every reader must refuse, and how."""
    good = msgpack.unpackb(encode(Cancel(job=JOB), request="7"))
    body = good["body"]
    matte = msgpack.unpackb(encode(SAMPLES["matte"]["minimal"], request="7"))

    def plain(name: str, value: object, code: ErrorCode, request: str = "7") -> dict[str, object]:
        return raw(name, msgpack.packb(value), code, request)

    def raw(name: str, data: bytes, code: ErrorCode, request: str = "") -> dict[str, object]:
        return {"name": name, "code": code.value, "request": request, "hex": data.hex()}

    def in_matte(name: str, code: ErrorCode, **changes: object) -> dict[str, object]:
        return plain(name, {**matte, "body": {**matte["body"], **changes}}, code)

    malformed, bad = ErrorCode.MALFORMED, ErrorCode.BAD_REQUEST
    whole = msgpack.packb(good)
    twice = b"\x82" + msgpack.packb("job") + msgpack.packb(JOB)
    twice += msgpack.packb("job") + msgpack.packb(JOB)
    pushed = SAMPLES["matte"]["pushed"]
    pushed_plate = msgpack.unpackb(encode(pushed, request="7"))["body"]["plate"]
    return [
        raw("no bytes", b"", malformed),
        raw("a byte that msgpack never uses", b"\xc1", malformed),
        raw("a message that ends early", whole[:-1], malformed),
        raw("a byte after the message", whole + b"\xc0", malformed),
        raw("a list", msgpack.packb([1]), malformed),
        raw("an array that claims 4 billion items", b"\xdd\xff\xff\xff\xff", malformed),
        raw("2000 arrays inside each other", b"\x91" * 2000 + b"\xc0", malformed),
        raw("a number as a key", msgpack.packb({1: 2}), malformed),
        raw("an extension type", msgpack.packb(msgpack.ExtType(5, b"x")), malformed),
        raw("broken UTF-8", b"\x81\xa1v\xa1\xff", malformed),
        raw(
            "a field named twice",
            b"\x84\xa1v\x01\xa4type\xa6cancel\xa7request\xa17\xa4body" + twice,
            malformed,
        ),
        plain("no version", {k: v for k, v in good.items() if k != "v"}, malformed),
        plain("a version that is a text", {**good, "v": "1"}, malformed),
        plain("a version that is true", {**good, "v": True}, malformed),
        plain("the next version", {**good, "v": PROTOCOL_VERSION + 1}, ErrorCode.VERSION_MISMATCH),
        plain(
            "the next version, with a body of its own",
            {"v": PROTOCOL_VERSION + 1, "request": "7", "later": []},
            ErrorCode.VERSION_MISMATCH,
        ),
        plain("no request", {k: v for k, v in good.items() if k != "request"}, malformed, ""),
        plain("a request that is a number", {**good, "request": 7}, malformed, ""),
        plain("a request of 65 bytes", {**good, "request": "x" * 65}, malformed, ""),
        plain("an unknown type", {**good, "type": "dance"}, malformed),
        plain("an unknown field of the envelope", {**good, "to": "you"}, malformed),
        plain("a body that is nil", {**good, "body": None}, malformed),
        plain("a missing field", {**good, "body": {}}, malformed),
        plain("an unknown field", {**good, "body": {**body, "why": ""}}, malformed),
        plain("a number where a text should be", {**good, "body": {"job": 1}}, malformed),
        plain("bytes where a text should be", {**good, "body": {"job": b""}}, malformed),
        plain("a job that is no job's name", {**good, "body": {"job": "X" * 32}}, bad),
        in_matte("true where a number should be", malformed, max_frames=True),
        in_matte("a float where an integer should be", malformed, max_frames=1.0),
        in_matte("an integer of more than 63 bits", malformed, playhead=2**63),
        in_matte("an unknown engine", malformed, engine="best"),
        in_matte("a plate of no kind", malformed, plate={"path": "/a"}),
        in_matte("an output's kind for a plate", malformed, plate={"kind": "mapped"}),
        in_matte("NaN", malformed, knobs={"black": float("nan")}),
        in_matte("infinity", malformed, knobs={"blur": float("inf")}),
        # The text is refused before the map around it exists, so the request has no name yet.
        {
            **in_matte("a text over its bound", malformed, frames="1" * (MAX_TEXT + 1)),
            "request": "",
        },
        in_matte("a relative path", bad, plate={"kind": "file", "path": "a.exr"}),
        in_matte("a window of 0 frames", bad, window={"frames_per_window": 0}),
        in_matte("an overlap above half", bad, window={"frames_per_window": 4, "overlap": 3}),
        in_matte("a negative number of frames", bad, max_frames=-1),
        in_matte("no frames pushed", bad, plate={**pushed_plate, "frames": []}),
        in_matte(
            "a buffer that is a path",
            malformed,
            plate={"kind": "file", "path": "/a", "buffer": "../a"},
        ),
    ]


def documents() -> dict[Path, str]:
    """Return every file's text, one vector on a line."""
    texts = {}
    for word in MESSAGE_TYPES:
        vectors = [vector(word, name, message) for name, message in SAMPLES[word].items()]
        texts[path_of(word)] = _text(vectors, bound=MAX_MESSAGE_BYTES)
    texts[REFUSED] = _text(refused(), bound=MAX_MESSAGE_BYTES)
    return texts


def _text(vectors: list[dict[str, object]], *, bound: int) -> str:
    lines = ",\n".join(json.dumps(item, ensure_ascii=False) for item in vectors)
    return (
        f'{{"version": {PROTOCOL_VERSION}, "max_message_bytes": {bound},'
        f' "vectors": [\n{lines}\n]}}\n'
    )


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
