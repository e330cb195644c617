"""How much of a movie's file is missing, by the sizes that the container itself wrote down.

FFmpeg drops the part of a picture at the end of a cut file, or of a cut fragment, without a word:
nothing but these sizes tells such a file from a shorter movie.

Sources: RFC 8794 (EBML), 4 to 6; ISO/IEC 14496-12, 4.2 (boxes); Microsoft, "AVI RIFF File
Reference", and OpenDML AVI 1.02 (several RIFF lists); SMPTE ST 377-1, 7.1 (partition packs).
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from typing import BinaryIO

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
_MOST_BOXES = 65_536
_RIFF, _UNKNOWN_RIFF = b"RIFF", (0, 0xFFFFFFFF)
_MXF_HEADER = bytes.fromhex("060e2b34020501010d0102010102")
_MXF_KEY_BYTES, _MXF_TO_FOOTER = 16, 24  # of the partition pack: versions, KAG, this, previous


def missing_bytes(path: Path) -> int:
    """Return how many bytes at least a file says that it has, and has not; 0 where it says nothing.

    Matroska, ISO, AVI and MXF files say it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(len(_MXF_HEADER))
        if head.startswith(_EBML):
            end = _segment_end(file)
        elif head.startswith(_RIFF):
            end = _lists_end(file, size)
        elif head == _MXF_HEADER:
            end = _footer_begins(file)
        else:
            end = _boxes_end(file, size) if head[4:8] in _FIRST_BOXES else 0
    return max(end - size, 0)


def _segment_end(file: BinaryIO) -> int:
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


def _footer_begins(file: BinaryIO) -> int:
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


def _boxes_end(file: BinaryIO, size: int) -> int:
    """Return where the last box that begins in a file of this size ends."""
    at = 0
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
        if at >= size:
            break
    return at
