"""What an alpha file says of itself: its fingerprint, and a checksum of its own bytes.

The checksum is an attribute of the EXR like the others, so every reader takes the file: it is the
hash of all bytes, with zeros where it stands itself.

- Nothing here decodes pixels or trusts a length: a damaged file is "not proven", never an error.
- A file is proven as a whole: header, key, maker, offsets and pixels.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

STAMP = "gvm:key"  # the string attribute that makes a file ours: the recipe, 32 hexadecimal digits
MAKER = "gvm:maker"  # what made it, in words
PLATE_KEY = "gvm:plateKey"  # of the frame that it was made of, hexadecimal
ROI = "gvm:roi"  # the region that is matted, as the artist writes one; none: the whole frame
ROI_CUT = "gvm:roi-cut"  # the sides of it where the subject is cut; none: it is not
SEAL = "gvm:checksum"  # of all bytes of the file, hexadecimal
SEAL_BYTES = 32
UNSEALED = "0" * (2 * SEAL_BYTES)
KEY_BYTES = 16

_MAGIC = b"\x76\x2f\x31\x01"  # OpenEXR File Layout: the magic number, then four bytes of version
_HEADER = 1 << 16  # bytes that hold any header of ours


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a result was made from, in two parts.

    Attributes:
        recipe: what was asked: plate, settings, weights, colour; 16 bytes.
        maker: what made it: device, types, libraries, processor; in words.
    """

    recipe: bytes
    maker: str

    def holding(self, words: str) -> Fingerprint:
        """Return the fingerprint of a file that holds what these words say of it; "": itself."""
        if not words:
            return self
        hashed = blake2b(self.recipe, digest_size=KEY_BYTES, key=b"file")
        hashed.update(words.encode())
        return Fingerprint(hashed.digest(), self.maker)

    @property
    def digest(self) -> bytes:
        """16 bytes for both parts: equal digests mean equal pixels."""
        hashed = blake2b(self.recipe, digest_size=KEY_BYTES)
        hashed.update(self.maker.encode())
        return hashed.digest()


@dataclass(frozen=True, slots=True)
class _Text:
    value: str
    start: int  # of the value's bytes


def read_fingerprint(path: Path) -> Fingerprint | None:
    """Return what a file's header says; None where it is missing or not ours. Proves nothing."""
    return fingerprint_in(_head(path))


def fingerprint_in(head: bytes) -> Fingerprint | None:
    """Return what the first bytes of a file say; None where it is not ours. Proves nothing."""
    return _fingerprint(dict(_texts(head)))


def read_text(path: Path, name: str) -> str:
    """Return a text attribute of a file's header; "" where it is missing. Proves nothing."""
    found = dict(_texts(_head(path))).get(name)
    return found.value if found else ""


def read_texts(path: Path) -> dict[str, str]:
    """Return the text attributes of a file's header; none where it is no EXR. Proves nothing."""
    return {name: text.value for name, text in _texts(_head(path))}


def read_stamp(path: Path) -> bytes | None:
    """Return the recipe in a file's header; None where the file is missing or not ours."""
    found = read_fingerprint(path)
    return found.recipe if found else None


def is_stamped(path: Path) -> bool:
    """Return whether a file, EXR or PNG, bears our stamp; a damaged header may still show it."""
    return STAMP.encode() in _head(path)


def is_sealed(path: Path) -> bool:
    """Return whether a file was written with a checksum, which may hold or not."""
    return SEAL.encode() in _head(path)


def prove_file(path: Path) -> Fingerprint | None:
    """Read a whole file; return its fingerprint, or None where its checksum does not hold."""
    try:
        return prove(path.read_bytes())
    except OSError:
        return None


def prove(data: bytes) -> Fingerprint | None:
    """Return the fingerprint of a file's bytes, or None where the checksum does not hold."""
    texts = dict(_texts(data))
    seal = texts.get(SEAL)
    if seal is None or seal.value != _sum(data, seal):
        return None
    return _fingerprint(texts)


def seal(data: bytearray) -> None:
    """Put the checksum over a file's bytes into its place, which holds `UNSEALED`.

    Raises:
        OSError: they have no place for it.
    """
    place = dict(_texts(data)).get(SEAL)
    if place is None or place.value != UNSEALED:
        raise OSError(f"There is no place for {SEAL}.")
    checksum = _sum(data, place).encode()
    data[place.start : place.start + len(checksum)] = checksum


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER)
    except OSError:
        return b""


def _sum(data: bytes | bytearray, place: _Text) -> str:
    end = place.start + len(place.value)
    hashed = blake2b(digest_size=SEAL_BYTES)
    with memoryview(data) as view:
        hashed.update(view[: place.start])
        hashed.update(UNSEALED.encode())
        hashed.update(view[end:])
    return hashed.hexdigest()


def _fingerprint(texts: dict[str, _Text]) -> Fingerprint | None:
    try:
        recipe = bytes.fromhex(texts[STAMP].value)
    except (KeyError, ValueError):
        return None
    maker = texts.get(MAKER)
    return Fingerprint(recipe, maker.value if maker else "") if len(recipe) == KEY_BYTES else None


def _texts(data: bytes | bytearray) -> Iterator[tuple[str, _Text]]:
    """Yield the string attributes of an EXR's first header, as far as they are whole."""
    for name, kind, start, size in attributes_in(data):
        if kind == "string":
            yield name, _Text(data[start : start + size].decode(errors="replace"), start)


def attributes_in(data: bytes | bytearray) -> Iterator[tuple[str, str, int, int]]:
    """Yield name, type, start and size of each attribute in an EXR's first header, while whole.

    OpenEXR File Layout, "Header": name, type, both ended by a zero; a size of four bytes; value.
    """
    at = 8 if data.startswith(_MAGIC) else len(data)
    while at < len(data) and data[at]:
        name_end = data.find(b"\0", at, at + 256)
        type_end = data.find(b"\0", name_end + 1, name_end + 257)
        start = type_end + 5
        if name_end < 0 or type_end < 0 or start > len(data):
            return
        (size,) = struct.unpack_from("<i", data, type_end + 1)
        if size < 0 or start + size > len(data):
            return
        name, kind = data[at:name_end], data[name_end + 1 : type_end]
        yield name.decode(errors="replace"), kind.decode(errors="replace"), start, size
        at = start + size
