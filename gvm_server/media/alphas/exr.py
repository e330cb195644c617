"""Alpha files: one channel `A` in an EXR, made whole or not at all.

- A file appears under its final name by a rename, after it was flushed and proved readable.
- A file of ours says what it was made from, and a checksum proves all of its bytes (`stamp`).
- What a crash leaves behind has a name that no other program uses, and is swept up.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from gvm_client.errors import InputError
from gvm_client.limits import MAX_CANVAS_PIXELS
from gvm_client.settings import Depth
from gvm_server.media.alphas.stamp import Fingerprint, blank, prove, seal
from gvm_server.media.atomic_files import replacing
from gvm_server.media.file_access import probe_file, reason_of
from gvm_server.media.geometry import Box, FrameHeader


def write_alpha(  # noqa: PLR0913 (a file has so many sides)
    path: Path,
    alpha: NDArray[np.float32],
    *,
    header: FrameHeader,
    depth: Depth,
    attributes: Mapping[str, str],
    flush: bool = True,
    umask: int | None = None,
) -> None:
    """Write an alpha [H, W], over the header's data window, in one atomic step.

    Channel `A`, ZIPS; windows, pixel aspect, frame rate, timecode and time as the header's: the
    same alpha is the same file, whenever it is written. Its mode is what `umask` leaves, else what
    this process's own does.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the file is left.
    """
    data = header.data
    if alpha.shape != (data.height, data.width):
        raise ValueError(f"alpha is {alpha.shape}, the data window {data}")
    with replacing(path, size_hint=alpha.nbytes, flush=flush, umask=umask) as temporary:
        _write(temporary, alpha, _spec(header, depth, blank(attributes)))
        _prove_whole(temporary)
        seal(temporary, attributes)


@dataclass(frozen=True, kw_only=True, slots=True)
class AlphaFile:
    """An alpha file's first channel, and how it lies.

    Attributes:
        pixels: [H, W] float32 over the data window.
        data: the data window.
        display: the display window.
    """

    pixels: NDArray[np.float32]
    data: Box
    display: Box


def read_alpha(path: Path) -> NDArray[np.float32]:
    """Read a file's first channel: [H, W] float32 over its data window.

    Raises:
        InputError: the file is missing or unreadable.
    """
    return read_alpha_file(path).pixels


def read_alpha_file(path: Path) -> AlphaFile:
    """Read a file's first channel and its windows.

    Raises:
        InputError: the file is missing or unreadable.
    """
    probe_file(path)
    file = oiio.ImageInput.open(str(path))
    pixels = file.read_image(0, 0, 0, 1, oiio.FLOAT) if file else None
    if file is None or pixels is None:
        reason = reason_of(file)
        raise InputError(f"{path} cannot be read: {reason.strip()}", path=str(path))
    spec = file.spec()
    file.close()
    full = (spec.full_x, spec.full_y, spec.full_width, spec.full_height)
    return AlphaFile(
        pixels=pixels[..., 0],
        data=Box(x=spec.x, y=spec.y, width=spec.width, height=spec.height),
        display=Box(x=full[0], y=full[1], width=full[2], height=full[3]),
    )


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


def copy_into_place(
    source: Path,
    target: Path,
    expected: Fingerprint,
    *,
    flush: bool = True,
    umask: int | None = None,
) -> None:
    """Copy a finished file, once its bytes are proven, in one atomic step; `umask` is its mode's.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the copy is left.
        FileNotFoundError: the source is gone, cannot be read, is not whole, or is another alpha.
    """
    try:
        data = source.read_bytes()
    except OSError as error:  # no permission, a bad sector: as if it were not there
        raise FileNotFoundError(errno.ENOENT, str(error.strerror), str(source)) from error
    if prove(data) != expected:
        raise FileNotFoundError(errno.ENOENT, "it is damaged", str(source))
    with replacing(target, size_hint=len(data), flush=flush, umask=umask) as temporary:
        temporary.write_bytes(data)


def _spec(header: FrameHeader, depth: Depth, attributes: Mapping[str, str]) -> oiio.ImageSpec:
    data, display = header.data, header.display
    spec = oiio.ImageSpec(data.width, data.height, 1, depth.value)
    spec.channelnames = ("A",)
    spec.x, spec.y = data.x, data.y
    spec.full_x, spec.full_y = display.x, display.y
    spec.full_width, spec.full_height = display.width, display.height
    spec.attribute("compression", "zips")
    spec.attribute("PixelAspectRatio", float(header.pixel_aspect))
    if header.frame_rate is not None:
        spec.attribute("framesPerSecond", oiio.TypeDesc("rational"), header.frame_rate)
    if header.timecode is not None:
        spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, header.timecode)
    # "" writes none; without the attribute OpenImageIO writes the time at which it writes.
    spec.attribute("DateTime", header.date_time)
    for name, text in attributes.items():
        spec.attribute(name, text)
    return spec


def _write(path: Path, alpha: NDArray[np.float32], spec: oiio.ImageSpec) -> None:
    """Write with OpenImageIO; its refusals become OSError without a number."""
    file = oiio.ImageOutput.create("exr")
    if file is None:
        raise OSError(reason_of(None))
    if not file.open(str(path), spec):
        raise OSError(reason_of(file))
    written = file.write_image(np.ascontiguousarray(alpha)[..., np.newaxis])
    reason = reason_of(file)
    closed = file.close()
    if not (written and closed):
        raise OSError(reason or reason_of(file))


def _prove_whole(path: Path) -> None:
    """Read the last line back: on a full disk the writer loses its last buffer in silence."""
    file = oiio.ImageInput.open(str(path))
    if file is None:
        raise OSError(reason_of(None))
    spec = file.spec()
    end = spec.y + spec.height
    line = file.read_scanlines(0, 0, end - 1, end, 0, 0, 1, oiio.HALF)
    reason = reason_of(file)
    file.close()
    if line is None:
        raise OSError(reason)
