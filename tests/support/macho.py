"""Reads what a macOS loader asks of a universal file: its slices, exports, needs and signatures.

By mach-o/fat.h, mach-o/loader.h, mach-o/nlist.h and kern/cs_blobs.h. No tool of Apple's is needed,
so that a file can be checked on the machine that built it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

_FAT, _THIN = 0xCAFEBABE, 0xFEEDFACF
_NAMES = {0x0100000C: "arm64", 0x01000007: "x86_64"}
_SYMBOLS, _LIBRARY, _SIGNATURE, _BUILD = 0x2, 0xC, 0x1D, 0x32  # load commands
_EXTERNAL, _PRIVATE, _KIND, _IN_SECTION = 0x01, 0x10, 0x0E, 0x0E  # of a symbol's type
_BLOBS, _DIRECTORY = 0xFADE0CC0, 0xFADE0C02
_SHA256 = 2
BUNDLE = 8
ADHOC = 0x2


@dataclass(frozen=True, kw_only=True)
class Slice:
    """One architecture of a file."""

    name: str
    kind: int
    """BUNDLE is what a host loads as a plug-in."""
    exports: frozenset[str]
    libraries: tuple[str, ...]
    minimum: str
    """The oldest macOS that loads it."""
    flags: int
    """Of its signature; ADHOC is one without a name."""
    pages: int
    bad_pages: tuple[int, ...]
    """Those whose bytes are not what the signature says; macOS kills a process that reads one."""


def read_slices(path: Path) -> list[Slice]:
    """Return a universal file's slices, in its order.

    Raises:
        AssertionError: it is no universal file of 64-bit slices, or a slice is not signed whole.
    """
    data = path.read_bytes()
    magic, count = struct.unpack_from(">II", data)
    assert magic == _FAT, f"{path} is no universal file"
    found = []
    for index in range(count):
        kind, _, offset, size, _ = struct.unpack_from(">5I", data, 8 + 20 * index)
        found.append(_slice(_NAMES[kind], data[offset : offset + size]))
    return found


def _slice(name: str, data: bytes) -> Slice:
    magic, _, _, kind, count, _, _, _ = struct.unpack_from("<8I", data)
    assert magic == _THIN, f"the slice {name} is not of 64 bits"
    exports: frozenset[str] = frozenset()
    libraries, minimum, signature = [], "", (0, 0)
    for command, at in _commands(data, count):
        if command == _SYMBOLS:
            exports = frozenset(_exports(data, *struct.unpack_from("<4I", data, at + 8)))
        elif command == _LIBRARY:
            libraries.append(_text(data, at + struct.unpack_from("<I", data, at + 8)[0]))
        elif command == _BUILD:
            version = struct.unpack_from("<I", data, at + 12)[0]
            minimum = f"{version >> 16}.{version >> 8 & 255}"
        elif command == _SIGNATURE:
            signature = struct.unpack_from("<2I", data, at + 8)
    flags, pages, bad = _signed(data, *signature)
    return Slice(
        name=name, kind=kind, exports=exports, libraries=tuple(libraries), minimum=minimum,
        flags=flags, pages=pages, bad_pages=bad,
    )  # fmt: skip


def _commands(data: bytes, count: int) -> Iterator[tuple[int, int]]:
    at = 32
    for _ in range(count):
        command, size = struct.unpack_from("<2I", data, at)
        yield command, at
        at += size


def _exports(data: bytes, symbols: int, count: int, names: int, _size: int) -> Iterator[str]:
    for index in range(count):
        name, kind, _, _, _ = struct.unpack_from("<IBBHQ", data, symbols + 16 * index)
        if kind & _EXTERNAL and not kind & _PRIVATE and kind & _KIND == _IN_SECTION:
            yield _text(data, names + name)


def _signed(data: bytes, at: int, size: int) -> tuple[int, int, tuple[int, ...]]:
    """Return a signature's flags, how many pages it covers, and those that it does not fit."""
    assert size, "a slice has no signature"
    magic, _, count = struct.unpack_from(">3I", data, at)
    assert magic == _BLOBS
    blobs = [at + struct.unpack_from(">I", data, at + 16 + 8 * index)[0] for index in range(count)]
    (code,) = [one for one in blobs if struct.unpack_from(">I", data, one)[0] == _DIRECTORY]
    _, _, _, flags, hashes, _, _, slots, limit = struct.unpack_from(">9I", data, code)
    length, kind, _, shift = struct.unpack_from(">4B", data, code + 36)
    assert (kind, length, limit) == (_SHA256, 32, at), "it covers another part of the slice"
    page = 1 << shift
    assert slots == -(-limit // page)
    bad = []
    for slot in range(slots):
        said = data[code + hashes + slot * length :][:length]
        if sha256(data[slot * page : min((slot + 1) * page, limit)]).digest() != said:
            bad.append(slot)
    return flags, slots, tuple(bad)


def _text(data: bytes, at: int) -> str:
    return data[at : data.index(b"\0", at)].decode()
