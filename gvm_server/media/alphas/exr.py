"""Alpha files: the bytes of EXRs with the channel `A`, and layers beside it; and files read back.

A file of ours says what it was made from, and a checksum proves all of its bytes (`stamp`).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import OpenEXR
import OpenImageIO as oiio
from numpy.typing import NDArray

from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.file_content import ALPHA, Compression
from gvm_client.limits import MAX_CANVAS_PIXELS
from gvm_client.settings import Depth
from gvm_server.media.alphas.stamp import (
    SEAL,
    UNSEALED,
    Fingerprint,
    attributes_in,
    prove,
    seal,
)
from gvm_server.media.alphas.zips import add_lines
from gvm_server.media.file_access import probe_file, reason_of
from gvm_server.media.geometry import Box, FrameHeader
from gvm_server.media.openexr import file_bytes, read_channels, stored
from gvm_server.media.pixels import StoredPixels, as_float


def sealed_bytes(
    planes: Mapping[str, StoredPixels],
    *,
    header: FrameHeader,
    depth: Depth,
    attributes: Mapping[str, str],
    compression: Compression = Compression.ZIPS,
    chromaticities: Sequence[float] = (),
) -> bytearray:
    """Return the bytes of a file of planes [H, W] over the header's data window.

    Windows, pixel aspect, frame rate, timecode, time, view and part name are the header's: the same
    planes are the same file, whenever they are written. What is beyond half's range becomes its
    largest number. `planes` are by the channels' names; `chromaticities` are those of colours among
    them.

    Raises:
        OSError: it cannot be made.
    """
    says = _attributes(header, attributes, _constant(compression))
    if chromaticities:
        says["chromaticities"] = tuple(map(float, chromaticities))
    data = header.data
    for name, plane in planes.items():
        if plane.shape != (data.height, data.width):
            raise ValueError(f"{name} is {plane.shape}, the data window {data}")
    half = depth is Depth.HALF
    if compression is Compression.ZIPS and set(planes) == {ALPHA}:
        made = _header_bytes(says, data, half=half)
        add_lines(made, stored(planes[ALPHA], half=half), data.y)
    else:
        made = file_bytes(planes, says, half=half)
    if header.timecode is not None:
        _put_timecode(made, header.timecode)
    seal(made)
    return made


def _header_bytes(says: Mapping[str, object], data: Box, *, half: bool) -> bytearray:
    """Return the header of a file of an alpha, as OpenEXR writes it for one pixel.

    Raises:
        OSError: it cannot be made.
    """
    pixel = Box(x=data.x, y=data.y, width=1, height=1)
    nothing = np.zeros((1, 1), np.float32)
    made = file_bytes({ALPHA: nothing}, {**says, "dataWindow": _corners(pixel)}, half=half)
    places = {name: (start, size) for name, _, start, size in attributes_in(made)}
    start, size = places["dataWindow"]
    made[start : start + size] = np.concatenate(_corners(data)).astype("<i4").tobytes()
    end = max(start + size for start, size in places.values()) + 1  # it ends with an empty name
    return made[:end]


def check_compression(compression: Compression) -> None:
    """Refuse a compression that this machine's OpenEXR does not know.

    Raises:
        SettingsError: it is not known.
    """
    if not hasattr(OpenEXR, _constant(compression)):
        raise SettingsError(
            f"The OpenEXR library here does not know the compression {compression.value}.",
            remedy="Take zips, zip or piz, or install a newer OpenEXR.",
            code=ErrorCode.BAD_REQUEST,
        )


def _constant(compression: Compression) -> str:
    return f"{compression.value.upper()}_COMPRESSION"


@dataclass(frozen=True, kw_only=True, slots=True)
class AlphaFile:
    """An alpha file's pixels, and how they lie.

    Attributes:
        pixels: [H, W] of the alpha, or [H, W, C], float32 over the data window.
        data: the data window.
        display: the display window.
    """

    pixels: NDArray[np.float32]
    data: Box
    display: Box


def read_alpha(path: Path) -> NDArray[np.float32]:
    """Read a file's alpha: [H, W] float32 over its data window.

    Raises:
        InputError: the file is missing or unreadable.
    """
    return read_alpha_file(path).pixels


def read_alpha_file(path: Path) -> AlphaFile:
    """Read a file's channel `A`, else its first one, and its windows.

    Raises:
        InputError: the file is missing or unreadable.
    """
    probe_file(path)
    if found := read_channels(path, ("A",)):
        alpha = as_float(found.pixels[..., 0])
        return AlphaFile(pixels=alpha, data=found.data, display=found.display)
    file = oiio.ImageInput.open(str(path))
    names = file.spec().channelnames if file else ()
    at = names.index(ALPHA) if ALPHA in names else 0
    pixels = file.read_image(0, 0, at, at + 1, oiio.FLOAT) if file else None
    if file is None or pixels is None:
        reason = reason_of(file)
        raise InputError(f"{path} cannot be read: {reason.strip()}", path=str(path))
    spec = file.spec()
    file.close()
    return _file_of(pixels[..., 0], spec)


def _file_of(pixels: NDArray[np.float32], spec: oiio.ImageSpec) -> AlphaFile:
    full = (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    return AlphaFile(
        pixels=pixels,
        data=Box(x=spec.x, y=spec.y, width=spec.width, height=spec.height),
        display=Box(x=full[0], y=full[1], width=full[2], height=full[3]),
    )


def read_planes(path: Path, names: Sequence[str]) -> AlphaFile:
    """Read channels of a file: [H, W, C] float32, in the order of their names.

    Raises:
        InputError: the file is missing or unreadable, or lacks one of them.
    """
    probe_file(path)
    file = oiio.ImageInput.open(str(path))
    spec = file.spec() if file else None
    pixels = None
    if file is not None and spec is not None and set(names) <= set(spec.channelnames):
        whole = file.read_image(0, 0, 0, spec.nchannels, oiio.FLOAT)
        at = [spec.channelnames.index(name) for name in names]
        pixels = None if whole is None else np.ascontiguousarray(whole[..., at])
    if file is None or spec is None or pixels is None:
        reason = reason_of(file).strip() or f"it lacks a channel of {', '.join(names)}"
        raise InputError(f"{path} cannot be read: {reason}", path=str(path))
    file.close()
    return _file_of(pixels, spec)


def is_image(path: Path) -> bool:
    """Return whether a file is an image of any kind that OpenImageIO reads.

    Raises:
        InputError: it is no file, or does not answer.
    """
    file = _image(path)
    if file is None:
        return False
    file.close()
    return True


def is_whole_image(path: Path) -> bool:
    """Return whether a file is an image whose first part can be read to its end.

    One that says it is larger than any canvas is not read, and taken for whole.

    Raises:
        InputError: it is no file, or does not answer.
    """
    file = _image(path)
    if file is None:
        return False
    spec = file.spec()
    if spec.width * spec.height * spec.nchannels > MAX_CANVAS_PIXELS:
        file.close()
        return True
    pixels = file.read_image(0, 0, 0, spec.nchannels, oiio.UNKNOWN)
    reason_of(file)
    file.close()
    return pixels is not None


def _image(path: Path) -> oiio.ImageInput | None:
    """Open a file of any kind; None where it is no image."""
    probe_file(path)
    file = oiio.ImageInput.open(str(path))
    if file is None:
        reason_of(None)  # else it stays behind in this thread
    return file


def read_proven(source: Path, expected: Fingerprint) -> bytes:
    """Return the bytes of a finished file, once they are proven.

    Raises:
        FileNotFoundError: the file is gone, cannot be read, is not whole, or is another alpha.
    """
    try:
        data = source.read_bytes()
    except OSError as error:  # no permission, a bad sector: as if it were not there
        raise FileNotFoundError(errno.ENOENT, str(error.strerror), str(source)) from error
    if prove(data) != expected:
        raise FileNotFoundError(errno.ENOENT, "it is damaged", str(source))
    return data


def _attributes(
    header: FrameHeader, attributes: Mapping[str, str], compression: str
) -> dict[str, object]:
    says: dict[str, object] = {
        "compression": getattr(OpenEXR, compression),
        "dataWindow": _corners(header.data),
        "displayWindow": _corners(header.display),
        "pixelAspectRatio": float(header.pixel_aspect),
    }
    if header.frame_rate is not None:
        says["framesPerSecond"] = _rate(*header.frame_rate)
    if header.timecode is not None:
        says["timeCode"] = OpenEXR.TimeCode()
    named = {"capDate": header.date_time, "view": header.view, "name": header.part}
    says |= {name: text for name, text in named.items() if text}
    return {**says, **attributes, SEAL: UNSEALED}


def _rate(numerator: int, denominator: int) -> Fraction:
    """Return a rate whose parts have 32 bits, as the format stores them."""
    rate = Fraction(numerator, denominator)
    return rate if max(rate.numerator, rate.denominator) < 1 << 31 else rate.limit_denominator(1001)


def _corners(box: Box) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    last = (box.x + box.width - 1, box.y + box.height - 1)
    return np.array((box.x, box.y), np.int32), np.array(last, np.int32)


def _put_timecode(data: bytearray, words: tuple[int, int]) -> None:
    """Put a timecode's words into its place: OpenEXR's module sets it by its parts alone.

    Those that a camera wrote otherwise, or left at nothing, stay what they are.
    """
    for _, kind, start, _ in attributes_in(data):
        if kind == "timecode":
            struct.pack_into("<2I", data, start, *words)
