"""Writes protocol/*.json: run `python -m tests.golden.make_protocol` after a deliberate change."""

from __future__ import annotations

import json
from pathlib import Path

import msgpack

from gvm_client.errors import ErrorCode
from gvm_client.limits import MAX_RADIUS, MAX_VARIABLES
from gvm_client.protocol import PROTOCOL_VERSION
from gvm_client.protocol.messages import MAX_TEXT, MESSAGE_TYPES, Cancel, Message
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


MALFORMED, BAD = ErrorCode.MALFORMED, ErrorCode.BAD_REQUEST
GOOD = msgpack.unpackb(encode(Cancel(job=JOB), request="7"))


def refused() -> list[dict[str, object]]:
    """Return bytes that every reader must refuse, and how."""
    return [*_refused_bytes(), *_refused_envelopes(), *_refused_values()]


def _raw(name: str, data: bytes, code: ErrorCode, request: str = "") -> dict[str, object]:
    return {"name": name, "code": code.value, "request": request, "hex": data.hex()}


def _plain(name: str, value: object, code: ErrorCode, request: str = "7") -> dict[str, object]:
    return _raw(name, msgpack.packb(value), code, request)


def _refused_bytes() -> list[dict[str, object]]:
    whole = msgpack.packb(GOOD)
    twice = b"\x82" + msgpack.packb("job") + msgpack.packb(JOB)
    twice += msgpack.packb("job") + msgpack.packb(JOB)
    return [
        _raw("no bytes", b"", MALFORMED),
        _raw("a byte that msgpack never uses", b"\xc1", MALFORMED),
        _raw("a message that ends early", whole[:-1], MALFORMED),
        _raw("a byte after the message", whole + b"\xc0", MALFORMED),
        _raw("a list", msgpack.packb([1]), MALFORMED),
        _raw("an array that claims 4 billion items", b"\xdd\xff\xff\xff\xff", MALFORMED),
        _raw("2000 arrays inside each other", b"\x91" * 2000 + b"\xc0", MALFORMED),
        _raw("a number as a key", msgpack.packb({1: 2}), MALFORMED),
        _raw("an extension type", msgpack.packb(msgpack.ExtType(5, b"x")), MALFORMED),
        _raw("broken UTF-8", b"\x81\xa1v\xa1\xff", MALFORMED),
        _raw(
            "a field named twice",
            b"\x84\xa1v"
            + msgpack.packb(PROTOCOL_VERSION)
            + b"\xa4type\xa6cancel\xa7request\xa17\xa4body"
            + twice,
            MALFORMED,
        ),
    ]


def _refused_envelopes() -> list[dict[str, object]]:
    good, body = GOOD, GOOD["body"]
    return [
        _plain("no version", {k: v for k, v in good.items() if k != "v"}, MALFORMED),
        _plain("a version that is a text", {**good, "v": "1"}, MALFORMED),
        _plain("a version that is true", {**good, "v": True}, MALFORMED),
        _plain("the next version", {**good, "v": PROTOCOL_VERSION + 1}, ErrorCode.VERSION_MISMATCH),
        _plain(
            "the next version, with a body of its own",
            {"v": PROTOCOL_VERSION + 1, "request": "7", "later": []},
            ErrorCode.VERSION_MISMATCH,
        ),
        _plain("no request", {k: v for k, v in good.items() if k != "request"}, MALFORMED, ""),
        _plain("a request that is a number", {**good, "request": 7}, MALFORMED, ""),
        _plain("a request of 65 bytes", {**good, "request": "x" * 65}, MALFORMED, ""),
        _plain("an unknown type", {**good, "type": "dance"}, MALFORMED),
        _plain("an unknown field of the envelope", {**good, "to": "you"}, MALFORMED),
        _plain("a body that is nil", {**good, "body": None}, MALFORMED),
        _plain("a missing field", {**good, "body": {}}, MALFORMED),
        _plain("an unknown field", {**good, "body": {**body, "why": ""}}, MALFORMED),
        _plain("a number where a text should be", {**good, "body": {"job": 1}}, MALFORMED),
        _plain("bytes where a text should be", {**good, "body": {"job": b""}}, MALFORMED),
        _plain("a job that is no job's name", {**good, "body": {"job": "X" * 32}}, BAD),
    ]


def _shown(**changes: object) -> dict[str, object]:
    shown = {"aspect": 1.5, "ranks": [0] * 576, "search": False, **changes}
    return {"kind": "file", "path": "/a", "shown": shown}


def _output(**content: object) -> dict[str, object]:
    return {"kind": "file", "path": "/m", "content": content}


def in_matte(name: str, code: ErrorCode, **changes: object) -> dict[str, object]:
    """Return a request for the smallest matte with other values, which is refused."""
    matte = msgpack.unpackb(encode(SAMPLES["matte"]["minimal"], request="7"))
    return _plain(name, {**matte, "body": {**matte["body"], **changes}}, code)


def _refused_values() -> list[dict[str, object]]:
    pushed = SAMPLES["matte"]["pushed"]
    pushed_plate = msgpack.unpackb(encode(pushed, request="7"))["body"]["plate"]
    region = {"x": 0, "y": 0, "width": 8, "height": 8}
    return [
        in_matte("true where a number should be", MALFORMED, max_frames=True),
        in_matte("a float where an integer should be", MALFORMED, max_frames=1.0),
        in_matte("an integer of more than 63 bits", MALFORMED, playhead=2**63),
        in_matte("an unknown engine", MALFORMED, engine="best"),
        in_matte("a plate of no kind", MALFORMED, plate={"path": "/a"}),
        in_matte("an output's kind for a plate", MALFORMED, plate={"kind": "mapped"}),
        in_matte("NaN", MALFORMED, knobs={"black": float("nan")}),
        in_matte("infinity", MALFORMED, knobs={"blur": float("inf")}),
        # The text is refused before the map around it exists, so the request has no name yet.
        {
            **in_matte("a text over its bound", MALFORMED, frames="1" * (MAX_TEXT + 1)),
            "request": "",
        },
        in_matte("a relative path", BAD, plate={"kind": "file", "path": "a.exr"}),
        in_matte("too few ranks", BAD, plate=_shown(ranks=[0])),
        in_matte("a rank that no cell has", BAD, plate=_shown(ranks=[576] * 576)),
        in_matte("a rank below -1", BAD, plate=_shown(ranks=[-2] * 576)),
        in_matte("a picture without height", BAD, plate=_shown(aspect=1e9)),
        in_matte("an unknown field of what is shown", MALFORMED, plate=_shown(hue=1)),
        in_matte("a window of 0 frames", BAD, window={"frames_per_window": 0}),
        in_matte("an overlap above half", BAD, window={"frames_per_window": 4, "overlap": 3}),
        in_matte("a relative colour configuration", BAD, context={"ocio": "config.ocio"}),
        in_matte("a variable without a value", BAD, context={"ocio_variables": ["SHOT"]}),
        in_matte("a variable without a name", BAD, context={"ocio_variables": ["=a"]}),
        in_matte(
            "too many variables", BAD, context={"ocio_variables": ["A=b"] * (MAX_VARIABLES + 1)}
        ),
        in_matte("a hash that is none", BAD, context={"ocio_digest": "xyz"}),
        in_matte("relative weights", BAD, context={"weights": "w"}),
        in_matte("a umask of more than nine bits", BAD, context={"umask": 0o1000}),
        in_matte("a relative garbage matte", BAD, guides={"garbage": "roto.exr"}),
        in_matte("a relative holdout matte", BAD, guides={"holdout": "roto.exr"}),
        *(
            in_matte(f"an unknown word for {name}", BAD, output=_output(**{name: "dwaa"}))
            for name in ("layers", "compression", "despill")
        ),
        in_matte("a negative feather", BAD, guides={"guide_feather": -1.0}),
        in_matte("a feather beyond its bound", BAD, guides={"guide_feather": MAX_RADIUS + 1}),
        in_matte("a negative number of frames", BAD, max_frames=-1),
        in_matte("a region without pixels", BAD, regions=[{**region, "width": 0}]),
        in_matte("a region out of all bounds", BAD, regions=[{**region, "x": -65_537}]),
        in_matte("a region's scale below 1", BAD, roi_scale=0.5),
        in_matte("a region's scale above 4", BAD, roi_scale=4.5),
        in_matte("no frames pushed", BAD, plate={**pushed_plate, "frames": []}),
        in_matte(
            "a buffer that is a path",
            MALFORMED,
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
