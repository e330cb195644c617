"""How much of a movie's file is missing, by the sizes that the container itself wrote down.

FFmpeg drops the part of a picture at the end of a cut file, or of a cut fragment, without a word:
nothing but these sizes tells such a file from a shorter movie.

Sources: RFC 8794 (EBML), 4 to 6; ISO/IEC 14496-12, 4.2 (boxes) and 8.16.3 (segment index);
Microsoft, "AVI RIFF File Reference", and OpenDML AVI 1.02 (several RIFF lists); SMPTE ST 377-1, 7.1
(partition packs); Microsoft, "Advanced Systems Format", 3.2 (file properties).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from gvm_server.media.plates.movies.unsized import (
    TRANSPORT_HEAD,
    flv_end,
    gif_end,
    ogg_end,
    program_end,
    transport_end,
    transport_packet,
)

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MOST_BOXES = 65_536
_MOST_INDEXED = 1 << 20  # bytes of a segment index: 65,535 references have 786,420
_RIFF, _UNKNOWN_RIFF = b"RIFF", (0, 0xFFFFFFFF)
_MXF_HEADER = bytes.fromhex("060e2b34020501010d0102010102")
_MXF_KEY_BYTES, _MXF_TO_FOOTER = 16, 24  # of the partition pack: versions, KAG, this, previous
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_LOOK = 1 << 16
_ASF_SIZE, _ASF_FLAGS = 40, 88  # of the file properties, from their identifier on
_GIF, _FLV, _OGG, _PACK = b"GIF8", b"FLV\x01", b"OggS", b"\0\0\1\xba"


def missing_bytes(path: Path) -> int:
    """Return how many bytes at least a file says that it has, and has not; 0 where it says nothing.

    Matroska, ISO, AVI, MXF and ASF files say how long they are; others how long their parts are.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        end = _end(file, size)
    return max(end - size, 0)


def _end(file: BinaryIO, size: int) -> int:
    """Return where a movie's file of this size ends at least; 0 where it does not say."""
    head = file.read(TRANSPORT_HEAD)
    for begins, end_of in _ENDS.items():
        if head.startswith(begins):
            return end_of(file, size)
    if head[4:8] in _FIRST_BOXES:
        return _boxes_end(file, size)
    packet = transport_packet(head)
    return transport_end(file, size, packet) if packet else 0


def _segment_end(file: BinaryIO, _: int) -> int:
    """Return where a file's one segment ends; 0 where it does not say, as live recordings."""
    file.seek(len(_EBML))
    header = _element_size(file)
    if header is None:
        return 0
    file.seek(header, os.SEEK_CUR)
    if file.read(len(_SEGMENT)) != _SEGMENT or (size := _element_size(file)) is None:
        return 0
    return file.tell() + size


def _element_size(file: BinaryIO) -> int | None:
    """Read an element's size; None where it is unknown, which is all ones, or is none."""
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    marker = 1 << 7 * length
    number = int.from_bytes(first + rest, "big") - marker
    return None if len(rest) < length - 1 or number == marker - 1 else number


def _lists_end(file: BinaryIO, size: int) -> int:
    """Return where the last RIFF list that begins in a file of this size ends; 0 where unknown."""
    at = 0
    while at < size:
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or head[:4] != _RIFF:
            break
        (length,) = struct.unpack_from("<I", head, 4)
        if length in _UNKNOWN_RIFF:
            return 0
        at += 8 + length + length % 2
    return at


def _footer_begins(file: BinaryIO, _: int) -> int:
    """Return a position in an MXF file's footer, just behind its key; 0 where none is named yet."""
    file.seek(_MXF_KEY_BYTES)
    first = file.read(1)
    if not first:
        return 0
    if first[0] & 0x80:  # the length's own, in bytes
        file.seek(first[0] & 0x7F, os.SEEK_CUR)
    file.seek(_MXF_TO_FOOTER, os.SEEK_CUR)
    named = file.read(8)
    footer = int.from_bytes(named, "big") if len(named) == 8 else 0
    return footer + _MXF_KEY_BYTES if footer else 0


def _asf_end(file: BinaryIO, _: int) -> int:
    """Return the size that an ASF file's properties say; 0 of a broadcast, which has none."""
    file.seek(0)
    head = file.read(_ASF_LOOK)
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or len(head) < at + _ASF_FLAGS + 4 or head[at + _ASF_FLAGS] & 1:
        return 0
    return int.from_bytes(head[at + _ASF_SIZE : at + _ASF_SIZE + 8], "little")


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Return where the last box that begins in a file ends, or the last that an index knows."""
    at = known = 0
    for _ in range(_MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            break
        (length,) = struct.unpack_from(">I", head)
        if length == 1 and len(head) == 16:
            (length,) = struct.unpack_from(">Q", head, 8)
        if length < 8:  # 0: up to the file's end, wherever that is
            break
        at += length
        if head[4:8] == b"sidx" and at <= size:
            known = max(known, _indexed_end(file, at, length))
        if at >= size:
            break
    return max(at, known)


def _indexed_end(file: BinaryIO, end: int, length: int) -> int:
    """Return where the fragments end that the segment index which ends here knows; 0 of none.

    A cut just before a fragment leaves whole boxes: only such an index tells that others followed.
    """
    file.seek(end - length)
    box = file.read(min(length, _MOST_INDEXED))
    at = box.find(b"sidx") + 4  # the box's size may be of 4 or 8 bytes
    wide = 8 if box[at : at + 1] == b"\1" else 4
    at += 12 + wide  # version and flags, reference, timescale, earliest time
    first = int.from_bytes(box[at : at + wide], "big")
    at += wide + 2
    count = int.from_bytes(box[at : at + 2], "big")
    sizes = [int.from_bytes(box[at + 2 + 12 * n :][:4], "big") & 0x7FFFFFFF for n in range(count)]
    return end + first + sum(sizes) if len(box) >= at + 2 + 12 * count else 0


_ENDS: Mapping[bytes, Callable[[BinaryIO, int], int]] = MappingProxyType(
    {
        _EBML: _segment_end,
        _RIFF: _lists_end,
        _MXF_HEADER: _footer_begins,
        _ASF_HEADER: _asf_end,
        _GIF: gif_end,
        _FLV: flv_end,
        _OGG: ogg_end,
        _PACK: program_end,
    }
)
"""What tells where a file ends, by what it begins with."""
