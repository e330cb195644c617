"""Alpha files: EXRs with the channel `A`, and layers beside it, made whole or not at all.

- A file appears under its final name by a rename, after it was flushed and proved readable.
- A file of ours says what it was made from, and a checksum proves all of its bytes (`stamp`).
- What a crash leaves behind has a name that no other program uses, and is swept up.
"""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.file_content import ALPHA, Compression
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
    """Write an alpha [H, W] alone, as the channel `A` with ZIPS; as `write_planes`."""
    write_planes(
        path,
        {ALPHA: alpha},
        header=header,
        depth=depth,
        attributes=attributes,
        flush=flush,
        umask=umask,
    )


def write_planes(  # noqa: PLR0913 (a file has so many sides)
    path: Path,
    planes: Mapping[str, NDArray[np.float32]],
    *,
    header: FrameHeader,
    depth: Depth,
    attributes: Mapping[str, str],
    compression: Compression = Compression.ZIPS,
    chromaticities: Sequence[float] = (),
    flush: bool = True,
    umask: int | None = None,
) -> None:
    """Write planes [H, W], over the header's data window, in one atomic step.

    Windows, pixel aspect, frame rate, timecode, time, view and part name are the header's: the same
    planes are the same file, whenever they are written. What is beyond half's range becomes its
    largest number. `planes` are by the channels' names; `chromaticities` are those of colours among
    them. The file's mode is what `umask` leaves, else what this process's own does.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the file is left.
    """
    data = header.data
    for name, plane in planes.items():
        if plane.shape != (data.height, data.width):
            raise ValueError(f"{name} is {plane.shape}, the data window {data}")
    size_hint = len(planes) * data.area * 4
    with replacing(path, size_hint=size_hint, flush=flush, umask=umask) as temporary:
        spec = _spec(header, depth, blank(attributes), tuple(planes), compression)
        if chromaticities:
            spec.attribute("chromaticities", oiio.TypeDesc("float[8]"), tuple(chromaticities))
        _write(temporary, _interleaved(planes, depth), spec)
        _prove_whole(temporary)
        seal(temporary, attributes)


def check_compression(compression: Compression) -> None:
    """Refuse a compression that this machine's OpenEXR does not know.

    OpenImageIO takes another one for it in silence, so a file is written and looked at.

    Raises:
        SettingsError: it is not known.
    """
    if compression is not Compression.ZIPS and not _is_known(compression):
        raise SettingsError(
            f"The OpenEXR library here does not know the compression {compression.value}.",
            remedy="Take zips, zip or piz, or install a newer OpenImageIO.",
            code=ErrorCode.BAD_REQUEST,
        )


@cache
def _is_known(compression: Compression) -> bool:
    box = Box(x=0, y=0, width=1, height=1)
    header = FrameHeader(display=box, data=box)
    with tempfile.TemporaryDirectory(prefix="gvm-") as folder:
        path = Path(folder) / "probe.exr"
        spec = _spec(header, Depth.HALF, {}, (ALPHA,), compression)
        _write(path, np.zeros((1, 1, 1), np.float32), spec)
        file = oiio.ImageInput.open(str(path))
        if file is None:
            raise OSError(reason_of(None))
        written = file.spec().getattribute("compression")
        file.close()
    return bool(written == compression.value)


def _interleaved(planes: Mapping[str, NDArray[np.float32]], depth: Depth) -> NDArray[np.float32]:
    """Return the planes as [H, W, C], within the depth's range."""
    pixels = np.stack(list(planes.values()), axis=-1)
    if depth is Depth.HALF and len(planes) > 1:  # an alpha alone is within 0..1
        most = np.float32(np.finfo(np.float16).max)
        np.clip(pixels, -most, most, out=pixels)
    return pixels


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


def _spec(
    header: FrameHeader,
    depth: Depth,
    attributes: Mapping[str, str],
    channels: tuple[str, ...],
    compression: Compression,
) -> oiio.ImageSpec:
    data, display = header.data, header.display
    spec = oiio.ImageSpec(data.width, data.height, len(channels), depth.value)
    spec.channelnames = channels
    spec.x, spec.y = data.x, data.y
    spec.full_x, spec.full_y = display.x, display.y
    spec.full_width, spec.full_height = display.width, display.height
    spec.attribute("compression", compression.value)
    spec.attribute("PixelAspectRatio", float(header.pixel_aspect))
    if header.frame_rate is not None:
        spec.attribute("framesPerSecond", oiio.TypeDesc("rational"), header.frame_rate)
    if header.timecode is not None:
        spec.attribute("smpte:TimeCode", oiio.TypeTimeCode, header.timecode)
    # "" writes none; without the attribute OpenImageIO writes the time at which it writes.
    spec.attribute("DateTime", header.date_time)
    if header.view:
        spec.attribute("view", header.view)
    if header.part:
        spec.attribute("oiio:subimagename", header.part)
    for name, text in attributes.items():
        spec.attribute(name, text)
    return spec


def _write(path: Path, pixels: NDArray[np.float32], spec: oiio.ImageSpec) -> None:
    """Write [H, W, C] with OpenImageIO; its refusals become OSError without a number."""
    file = oiio.ImageOutput.create("exr")
    if file is None:
        raise OSError(reason_of(None))
    if not file.open(str(path), spec):
        raise OSError(reason_of(file))
    written = file.write_image(np.ascontiguousarray(pixels))
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
