"""Damage to EXR files, by where it strikes; all of it seeded.

Law: a damage is a pure function of a whole file's bytes and a random source, so that a number and
a seed name a file.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator

from tests.support.exrs import Attribute, Layout, layout_of

_HUGE = 0x7FFFFFFF
_WINDOWS = (
    (0, 0, _HUGE, _HUGE),
    (-_HUGE - 1, -_HUGE - 1, _HUGE, _HUGE),
    (0, 0, _HUGE - 1, 0),
    (0, 0, 0, _HUGE - 1),
    (0, 0, 199_999, 199_999),
    (0, 0, 29_999, 29_999),
    (0, 0, 47, 9_999_999),
    (47, 31, 0, 0),
    (-1, -1, -1, -1),
    (_HUGE - 47, _HUGE - 31, _HUGE, _HUGE),
    (0, 0, 16_384, 16_384),
    (-9000, -9000, 8999, 8999),
    (0, 0, 99_999, 31),
    (0, 0, 47, 99_999),
    (0, 0, 46, 31),
    (0, 0, 47, 32),
)

Damage = Callable[[bytes, random.Random], bytes]


def damaged(whole: dict[str, bytes], count: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    """Yield damaged files and what was done to them: every damage, spread over all kinds."""
    names = sorted(whole)
    for number in range(count):
        source = random.Random(f"{seed} {number}")
        kind = names[number * 7 % len(names)] if number < len(names) else source.choice(names)
        name, damage = list(DAMAGES.items())[number % len(DAMAGES)]
        yield f"{number:04d} {kind}: {name}", damage(whole[kind], source)


def _put(data: bytes, at: int, piece: bytes) -> bytes:
    return data[:at] + piece + data[at + len(piece) :]


def _flip(data: bytes, start: int, end: int, source: random.Random, bits: int = 1) -> bytes:
    changed = bytearray(data)
    for _ in range(bits):
        changed[source.randrange(start, end)] ^= 1 << source.randrange(8)
    return bytes(changed)


def _cut(start: Callable[[Layout], int], end: Callable[[Layout, bytes], int]) -> Damage:
    def damage(data: bytes, source: random.Random) -> bytes:
        layout = layout_of(data)
        return data[: source.randrange(start(layout), end(layout, data))]

    return damage


def _attribute(data: bytes, source: random.Random, *names: str) -> Attribute:
    found = [item for item in layout_of(data).attributes if not names or item.name in names]
    return source.choice(found or list(layout_of(data).attributes))


def _flip_attribute(piece: str) -> Damage:
    def damage(data: bytes, source: random.Random) -> bytes:
        item = _attribute(data, source)
        start, end = {
            "name": (item.at, item.kind_at - 1),
            "type": (item.kind_at, item.size_at - 1),
            "size": (item.size_at, item.start),
            "value": (item.start, item.start + max(item.size, 1)),
        }[piece]
        return _flip(data, start, end, source)

    return damage


def _sized(data: bytes, source: random.Random) -> bytes:
    item = _attribute(data, source)
    size = source.choice((-1, -_HUGE - 1, _HUGE, len(data), 0, item.size + 1, 1 << 24))
    return _put(data, item.size_at, struct.pack("<i", size))


def _window(*names: str) -> Damage:
    def damage(data: bytes, source: random.Random) -> bytes:
        window = struct.pack("<4i", *source.choice(_WINDOWS))
        for item in layout_of(data).attributes:
            if item.name in names:
                data = _put(data, item.start, window)
        return data

    return damage


def _no_text(piece: str) -> Damage:
    def damage(data: bytes, source: random.Random) -> bytes:
        item = _attribute(data, source, "owner", "name", "channels", "compression")
        if piece == "name":
            return _put(data, item.at, bytes([0xFF, 0xC3])[: max(len(item.name), 1)])
        if piece == "type":
            return _put(data, item.kind_at, b"\xfe\xc3")
        return _put(data, item.start, bytes([0xC3, 0x28, 0xFF])[: max(item.size - 1, 1)])

    return damage


def _channel(data: bytes, source: random.Random) -> bytes:
    """Strike the first channel's type or sampling: what follows its name in the list."""
    item = _attribute(data, source, "channels")
    after = data.index(b"\0", item.start) + 1
    at, values = source.choice(
        (
            (after, (3, 7, -1, 0, 1, 2)),
            (after + 8, (0, -1, 2, 3, 1000, _HUGE)),
            (after + 12, (0, -1, 2, 3, 1000, _HUGE)),
        )
    )
    return _put(data, at, struct.pack("<i", source.choice(values)))


def _duplicate(data: bytes, source: random.Random) -> bytes:
    """Call the second channel as the first."""
    item = _attribute(data, source, "channels")
    end = data.index(b"\0", item.start)
    second = end + 17
    return _put(data, second, data[item.start : item.start + 1]) if item.size > 19 else data


def _value(names: tuple[str, ...], *values: bytes) -> Damage:
    def damage(data: bytes, source: random.Random) -> bytes:
        item = _attribute(data, source, *names)
        return _put(data, item.start, source.choice(values)[: item.size])

    return damage


def _table(data: bytes, source: random.Random) -> bytes:
    layout = layout_of(data)
    count = len(layout.chunks)
    offsets = source.choice(
        (
            [0] * count,
            [layout.chunks[0]] * count,
            list(reversed(layout.chunks)),
            [len(data) + 1000] * count,
            [(1 << 63) - 1] * count,
            [(1 << 64) - 1] * count,
            [layout.table] * count,
            [8] * count,
            source.sample(layout.chunks, count),
        )
    )
    return _put(data, layout.table, struct.pack(f"<{count}Q", *offsets))


def _flip_table(data: bytes, source: random.Random) -> bytes:
    layout = layout_of(data)
    return _flip(data, layout.table, layout.table + 8 * len(layout.chunks), source)


def _chunk_head(data: bytes, source: random.Random) -> bytes:
    """Put a number into a chunk's head: part, coordinates, sizes."""
    chunk = source.choice(layout_of(data).chunks)
    at = min(chunk + 4 * source.randrange(6), len(data) - 4)
    value = source.choice((0, -1, _HUGE, -_HUGE - 1, len(data), 1 << 20, 1 << 28))
    return _put(data, at, struct.pack("<i", value))


def _flip_chunk_head(data: bytes, source: random.Random) -> bytes:
    chunk = source.choice(layout_of(data).chunks)
    return _flip(data, chunk, min(chunk + 20, len(data)), source)


def _swap_chunks(data: bytes, source: random.Random) -> bytes:
    """Let two chunks' bytes change places; the table stays."""
    chunks = sorted(layout_of(data).chunks)
    ends = [*chunks[1:], len(data)]
    one, other = source.randrange(len(chunks)), source.randrange(len(chunks))
    one, other = min(one, other), max(one, other)
    first, second = data[chunks[one] : ends[one]], data[chunks[other] : ends[other]]
    if one == other:
        return _flip(data, chunks[one], ends[one], source, 8)
    between = data[ends[one] : chunks[other]]
    return data[: chunks[one]] + second + between + first + data[ends[other] :]


def _zero_block(data: bytes, source: random.Random) -> bytes:
    start = source.randrange(len(data))
    return _put(data, start, bytes(min(source.choice((16, 512, 4096)), len(data) - start)))


def _flip_pixels(bits: int) -> Damage:
    def damage(data: bytes, source: random.Random) -> bytes:
        return _flip(data, min(layout_of(data).chunks), len(data), source, bits)

    return damage


def _fill_pixels(*words: bytes) -> Damage:
    """Fill a stretch of the pixels: NaN and infinity in halves and floats where they lie plain."""

    def damage(data: bytes, source: random.Random) -> bytes:
        chunk = source.choice(layout_of(data).chunks)
        start = min(chunk + 20, len(data) - 1)
        size = min(64, len(data) - start)
        return _put(data, start, (source.choice(words) * 64)[:size])

    return damage


def _garbage(data: bytes, source: random.Random) -> bytes:
    return data[: source.choice((4, 8))] + source.randbytes(len(data) - 8)


def _version(data: bytes, source: random.Random) -> bytes:
    flags = source.choice((0x02, 0x04, 0x08, 0x10, 0x12, 0x18, 0x1A, 0xFF, 0x80))
    return _put(data, 5, bytes([data[5] ^ flags]))


_BYTES = tuple(bytes([value]) for value in (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 100, 255))
_NUMBERS = tuple(struct.pack("<i", n) for n in (0, -1, 1, _HUGE, -_HUGE - 1, 1 << 24, 1 << 28))

DAMAGES: dict[str, Damage] = {
    "empty": lambda data, source: b"",
    "cut in its first bytes": lambda data, source: data[: source.randrange(1, 9)],
    "cut in its header": _cut(lambda layout: 9, lambda layout, data: layout.table),
    "cut in its table": _cut(lambda at: at.table, lambda at, data: min(at.chunks)),
    "cut in its pixels": _cut(lambda at: min(at.chunks), lambda at, data: len(data)),
    "cut by a byte": lambda data, source: data[:-1],
    "magic flipped": lambda data, source: _flip(data, 0, 4, source),
    "version flipped": lambda data, source: _flip(data, 4, 8, source),
    "version's flags": _version,
    "header flipped": lambda data, source: _flip(data, 8, layout_of(data).table, source),
    "attribute's name flipped": _flip_attribute("name"),
    "attribute's type flipped": _flip_attribute("type"),
    "attribute's size flipped": _flip_attribute("size"),
    "attribute's value flipped": _flip_attribute("value"),
    "attribute's size absurd": _sized,
    "data window absurd": _window("dataWindow"),
    "display window absurd": _window("displayWindow"),
    "both windows absurd": _window("dataWindow", "displayWindow"),
    "attribute's name no UTF-8": _no_text("name"),
    "attribute's type no UTF-8": _no_text("type"),
    "attribute's value no UTF-8": _no_text("value"),
    "channel's type or sampling": _channel,
    "channel twice": _duplicate,
    "compression another": _value(("compression",), *_BYTES),
    "line order absurd": _value(("lineOrder",), *_BYTES),
    "tiles absurd": _value(
        ("tiles", "chunkCount"),
        *(size + size + bytes([1]) for size in _NUMBERS),
        *(struct.pack("<iib", 16, 16, mode) for mode in (2, 7, 18, -1)),
    ),
    "chunk count absurd": _value(("chunkCount", "maxSamplesPerPixel", "version"), *_NUMBERS),
    "pixel aspect absurd": _value(
        ("pixelAspectRatio", "screenWindowWidth"),
        *(struct.pack("<f", value) for value in (0, -1, 1e30, float("nan"), float("inf"))),
    ),
    "table absurd": _table,
    "table flipped": _flip_table,
    "chunk's head absurd": _chunk_head,
    "chunk's head flipped": _flip_chunk_head,
    "chunks swapped": _swap_chunks,
    "block zeroed": _zero_block,
    "pixels flipped": _flip_pixels(1),
    "pixels flipped often": _flip_pixels(40),
    "not finite": _fill_pixels(b"\x00\x7e", b"\x00\x7c", struct.pack("<f", float("nan"))),
    "garbage": _garbage,
    "garbage behind": lambda data, source: data + source.randbytes(2000),
}
