"""How much of a movie's file is missing where its container says no size of the whole.

Such a file is a chain of blocks, pages or packets, each of which says how long it is: it is cut
where the last one is. Whole files are known by their last bytes; only others are walked through.
A chain that does not hold says nothing: what another program left behind a movie is no shortfall.

A transport or program stream, an Ogg file and a file of movie fragments may end after any link:
where one was cut just there, nothing in it tells.

Sources: GIF89a, 12 to 27; Adobe, "Video File Format Specification" 10.1, annex E (FLV);
ISO/IEC 13818-1, 2.4.3 (transport packets) and 2.5.3 (packs); RFC 3533, 6 (Ogg pages).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

_TAIL = 1 << 18  # bytes at the end in which a stream's last links lie: a packet has 64 KiB at most

_GIF_TRAILER, _GIF_IMAGE, _GIF_EXTENSION = 0x3B, 0x2C, 0x21
_GIF_HEAD = 13  # signature and logical screen
_FLV_TAG, _FLV_BACK = 11, 4  # bytes of a tag's header; of its size once more, behind it
_FLV_KINDS = (8, 9, 18)
_PACK, _END, _PES = 0xBA, 0xB9, 0xBB  # PES: system headers and packets, from this one on
_PS_START = b"\0\0\1"
_OGG_PAGE, _OGG_HEAD = b"OggS", 27
_TS_SYNC = 0x47  # the byte that begins a transport stream's packet
_TS_TIMED = 192  # bytes of a packet with a time in front of it
_TS_PACKETS = (188, _TS_TIMED, 204)  # plain, timed, with a check behind it
_TS_LOOK = 16  # packets


def gif_end(file: BinaryIO, size: int) -> int:
    """Return where a GIF that lacks its trailer ends at least; 0 where it has one, or is none."""
    file.seek(max(size - 2, 0))
    if file.read(2) == bytes((0, _GIF_TRAILER)):
        return 0
    file.seek(0)
    head = file.read(_GIF_HEAD)
    if len(head) < _GIF_HEAD:
        return 0
    at = _GIF_HEAD + _colours(head[10])
    while at < size:
        file.seek(at)
        kind = file.read(1)[0]
        if kind == _GIF_TRAILER:
            return 0
        if kind == _GIF_IMAGE:
            described = file.read(9)
            if len(described) < 9:
                return at + 10
            at = _blocks_end(file, at + 10 + _colours(described[8]) + 1, size)
        elif kind == _GIF_EXTENSION:
            at = _blocks_end(file, at + 2, size)
        else:
            return 0
    return at + 1  # the trailer


def _colours(flags: int) -> int:
    """Return the bytes of the table of colours that flags tell of."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _blocks_end(file: BinaryIO, at: int, size: int) -> int:
    """Return where a chain of sub-blocks ends, behind its empty one; where a cut one would."""
    file.seek(at)
    while at < size:
        length = file.read(1)[0]
        at += 1 + length
        if not length:
            return at
        file.seek(length, os.SEEK_CUR)
    return at + 1


def flv_end(file: BinaryIO, size: int) -> int:
    """Return where the last tag that begins in an FLV file ends; 0 where its tags do not hold."""
    file.seek(max(size - _FLV_BACK, 0))
    last = int.from_bytes(file.read(_FLV_BACK), "big")
    if _FLV_TAG <= last <= size - _FLV_BACK:
        file.seek(size - _FLV_BACK - last)
        if _flv_tag(file.read(_FLV_TAG)) == last:
            return 0
    file.seek(5)
    at = int.from_bytes(file.read(4), "big") + _FLV_BACK
    while at < size:
        file.seek(at)
        tag = file.read(_FLV_TAG)
        if tag[0] & 0x1F not in _FLV_KINDS:
            return 0
        if len(tag) < _FLV_TAG:
            return at + _FLV_TAG + _FLV_BACK
        at += _flv_tag(tag) + _FLV_BACK
    return at


def _flv_tag(head: bytes) -> int:
    return _FLV_TAG + int.from_bytes(head[1:4], "big") if head[0] & 0x1F in _FLV_KINDS else 0


def transport_packet(head: bytes) -> int:
    """Return the bytes of a transport stream's packets, which are equally long; 0 of others.

    Args:
        head: the file's first bytes, `TRANSPORT_HEAD` of them.
    """
    for length in _TS_PACKETS:
        first = length - _TS_PACKETS[0] if length == _TS_TIMED else 0
        if len(head) > length and set(head[first::length]) == {_TS_SYNC}:
            return length
    return 0


TRANSPORT_HEAD = _TS_PACKETS[0] * _TS_LOOK


def transport_end(file: BinaryIO, size: int, length: int) -> int:
    """Return where the last packet that begins in a transport stream ends; 0 where none does."""
    at = size // length * length
    first = length - _TS_PACKETS[0] if length == _TS_TIMED else 0
    for packet in (at - length, at):  # another program's bytes at the end are no packet
        if packet + first < size:
            file.seek(packet + first)
            if file.read(1) != bytes((_TS_SYNC,)):
                return 0
    return at + length if size > at else size


def program_end(file: BinaryIO, size: int) -> int:
    """Return where the last packet that begins in a program stream ends; 0 where unknown."""
    return _chain_end(file, size, _PS_START + bytes((_PACK,)), _pack_or_packet)


def _pack_or_packet(data: bytes, at: int) -> int:
    if data[at : at + 3] != _PS_START or at + 4 > len(data):
        return 0
    kind = data[at + 3]
    if kind == _END:
        return 4
    if kind == _PACK:
        is_second = at + 13 < len(data) and data[at + 4] >> 6 == 1  # MPEG-2's
        return 14 + (data[at + 13] & 7) if is_second else 12
    length = int.from_bytes(data[at + 4 : at + 6], "big")
    return 6 + length if kind >= _PES and at + 6 <= len(data) else 0


def ogg_end(file: BinaryIO, size: int) -> int:
    """Return where the last page that begins in an Ogg file ends; 0 where unknown."""
    return _chain_end(file, size, _OGG_PAGE, _page)


def _page(data: bytes, at: int) -> int:
    if data[at : at + 4] != _OGG_PAGE or at + _OGG_HEAD > len(data):
        return 0
    parts = data[at + _OGG_HEAD - 1]
    return _OGG_HEAD + parts + sum(data[at + _OGG_HEAD : at + _OGG_HEAD + parts])


def _chain_end(
    file: BinaryIO, size: int, begins: bytes, length_of: Callable[[bytes, int], int]
) -> int:
    """Return where the last link ends of a chain that holds up to a file's end; 0 where none does.

    Args:
        file: the movie.
        size: its bytes.
        begins: what a link begins with at which a chain may be taken up.
        length_of: returns the bytes of the link at a place of some data; 0 where none is there.
    """
    start = max(size - _TAIL, 0)
    file.seek(start)
    data = file.read(_TAIL)
    first = data.find(begins)
    while first >= 0:
        at = first
        while at < len(data) and (length := length_of(data, at)):
            at += length
        if at >= len(data):
            return start + at
        first = data.find(begins, first + 1)
    return 0
