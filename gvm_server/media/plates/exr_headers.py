"""Headers of common EXRs, by their bytes: a clip's frames differ in little, and there are many.

OpenImageIO looks at the first file of a layout, and says where its picture is; of the others of
that layout the windows are read from the first bytes, in a tenth of the time. A layout is all that
decides where a picture is: the channels, the kind of file, and what was asked for.

Source: OpenEXR File Layout, "Header"; OpenEXR, "Standard Attributes".
"""

from __future__ import annotations

import re
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from threading import Lock

from gvm_client.limits import MAX_CANVAS_PIXELS
from gvm_server.media.alphas.stamp import attributes_in
from gvm_server.media.geometry import Box, FrameHeader
from gvm_server.media.store.file_keys import hash_texts

DATE_TIME = re.compile(r"\d{4}:\d\d:\d\d \d\d:\d\d:\d\d")  # EXIF 2.32, 4.6.5: DateTime
_MAGIC_BYTES = 8
_PLAIN = 0x0FFF & ~0x0800  # version and flags of one part that is not deep
_STANDARD = (
    *("displayWindow", "dataWindow", "pixelAspectRatio"),
    *("framesPerSecond", "timeCode", "capDate"),
)
# What says more of a picture than these do, or says them by another name, as OpenImageIO takes it.
_ELSEWHERE = {"name", "view", "multiview", "dpx:framerate", "datetime", *map(str.lower, _STANDARD)}
_LINES_ALONE = (b"\x00", b"\x01", b"\x02")  # what has no compression, or RLE, or ZIPS
_REMEMBERED = 256  # layouts


@dataclass(frozen=True, kw_only=True, slots=True)
class ExrHeader:
    """What the first bytes of an EXR of one flat part say.

    Attributes:
        layout: stands for its channels and its kind.
        header: how it lies.
        in_blocks: whether its lines are compressed several together.
    """

    layout: bytes
    header: FrameHeader
    in_blocks: bool


def parse(head: bytes) -> ExrHeader | None:
    """Return what the first bytes of a file say; None where that is not all, or not plain."""
    if len(head) < _MAGIC_BYTES:
        return None
    (flags,) = struct.unpack_from("<I", head, 4)
    found: dict[str, tuple[str, bytes]] = {}
    end = _MAGIC_BYTES
    for name, kind, start, size in attributes_in(head):
        found[name] = kind, head[start : start + size]
        end = start + size
    whole = head[end : end + 1] == b"\0"  # a header ends with an empty name
    others = {name.lower() for name in found.keys() - set(_STANDARD)}
    if not whole or flags & ~_PLAIN or others & _ELSEWHERE:
        return None
    try:
        header = FrameHeader(
            display=_box(found["displayWindow"]),
            data=_box(found["dataWindow"]),
            pixel_aspect=_aspect(found["pixelAspectRatio"]),
            frame_rate=_rate(found),
            timecode=_timecode(found),
            date_time=_date_time(found),
        )
        channels = found["channels"]
        _, compression = found["compression"]
    except (KeyError, ValueError, struct.error):
        return None
    in_blocks = compression not in _LINES_ALONE
    return ExrHeader(layout=hash_texts(flags, channels), header=header, in_blocks=in_blocks)


class Layouts:
    """Where the picture is in files of the layouts that were seen; safe from several threads."""

    def __init__(self) -> None:
        self._names: OrderedDict[bytes, tuple[str, ...]] = OrderedDict()
        self._lock = Lock()

    def names(self, key: bytes, look: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        """Return the channels of the picture; `look` finds them where the layout is new.

        Raises:
            InputError: as `look` does.
        """
        with self._lock:
            if (known := self._names.get(key)) is not None:
                self._names.move_to_end(key)
                return known
        found = look()
        with self._lock:
            self._names[key] = found
            while len(self._names) > _REMEMBERED:
                self._names.popitem(last=False)
        return found


def _box(attribute: tuple[str, bytes]) -> Box:
    kind, value = attribute
    left, top, right, bottom = struct.unpack("<4i", value)
    if kind != "box2i" or right < left or bottom < top:
        raise ValueError(kind)
    box = Box(x=left, y=top, width=right - left + 1, height=bottom - top + 1)
    if box.area > MAX_CANVAS_PIXELS:
        raise ValueError(box)  # no picture: OpenImageIO says what is wrong with that file
    return box


def _aspect(attribute: tuple[str, bytes]) -> float:
    kind, value = attribute
    aspect = float(struct.unpack("<f", value)[0])
    if kind != "float" or not isfinite(aspect) or aspect <= 0:
        raise ValueError(kind)
    return aspect


def _rate(found: Mapping[str, tuple[str, bytes]]) -> tuple[int, int] | None:
    if "framesPerSecond" not in found:
        return None
    kind, value = found["framesPerSecond"]
    numerator, denominator = struct.unpack("<iI", value)
    if kind != "rational" or numerator <= 0 or not 0 < denominator < 1 << 31:
        raise ValueError(kind)
    return numerator, denominator


def _timecode(found: Mapping[str, tuple[str, bytes]]) -> tuple[int, int] | None:
    if "timeCode" not in found:
        return None
    kind, value = found["timeCode"]
    if kind != "timecode":
        raise ValueError(kind)
    first, second = struct.unpack("<2I", value)
    return first, second


def _date_time(found: Mapping[str, tuple[str, bytes]]) -> str:
    if "capDate" not in found:
        return ""
    kind, value = found["capDate"]
    text = value.decode()  # UnicodeDecodeError is a ValueError
    if kind != "string" or not DATE_TIME.fullmatch(text):
        raise ValueError(kind)
    return text
