"""One image file: its header, its colour hints and its pixels.

OpenImageIO reads all of them, but for common EXRs (`exr_headers.py`, `media/openexr.py`).

- Each call opens the file anew: any number of threads may read.
- A picture is turned as its orientation tag says, its header with it.
- Alpha is ignored and never multiplied in or out: the plate's colours stay as stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from pathlib import Path

import numpy as np
import OpenImageIO as oiio

from gvm_client.errors import ErrorCode, InputError
from gvm_client.limits import MAX_PARTS
from gvm_server.media.colour.hints import FileHint
from gvm_server.media.file_access import frame_gone, probe_file, reason_of
from gvm_server.media.geometry import (
    UPRIGHT,
    Box,
    FrameHeader,
    Orientation,
    on_display,
    orientation_of,
)
from gvm_server.media.openexr import read_channels
from gvm_server.media.pixels import Pixels, StoredPixels, as_float
from gvm_server.media.plates.exr_headers import DATE_TIME, ExrHeader, Layouts, parse
from gvm_server.media.plates.layers import Layer, Part, find_layer
from gvm_server.media.store.file_keys import hash_texts

INTERLACED = (
    "The plate is interlaced: both fields are matted as one picture, and moving edges comb."
    " Deinterlace it first."
)


_DPX_HEADER_BYTES = 2048  # with its last part, of film and television

_layouts = Layouts()


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFile:
    """Which image is to be read, and for which frame (for messages).

    Attributes:
        layer: what was asked for; "" is the picture.
        expected: the layer that the clip's other frames have; None where that is not known yet.
        head: its first bytes, where they were read; else it is looked at before it is opened.
    """

    path: Path
    frame: int
    layer: str = ""
    expected: str | None = None
    head: bytes | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """What a clip's first file shows of how it is read.

    Attributes:
        layer: the layer that was found.
        read: the names of the channels that are read, each once.
        unread: those of the same part's others.
        header: the file's.
        hint: what it says about its colours.
        remarks: what an artist should know, in whole sentences.
    """

    layer: str
    read: tuple[str, ...]
    unread: tuple[str, ...]
    header: FrameHeader
    hint: FileHint
    remarks: tuple[str, ...]


def read_header(image: ImageFile) -> FrameHeader:
    """Return a file's header without reading its pixels.

    Raises:
        InputError: the file is missing or unreadable, or lacks the layer.
    """
    if (plain := parse(_probed(image))) is not None:
        _names(image, plain)
        return plain.header
    with _opened(image) as file:
        layer = _seek_layer(file, image)
        return _orientation(file, image).turn_header(_header(_spec(file, image), layer))


def look_at(image: ImageFile) -> Findings:
    """Return how a file is read: its layer, its header, its colours, and what is to be said of it.

    Raises:
        InputError: the file is missing or unreadable, or lacks the layer.
    """
    with _opened(image) as file:
        layer = _seek_layer(file, image)
        spec = _spec(file, image)
        remarks = []
        if layer.others:
            remarks.append(
                f"The plate is read from the layer {layer.name or 'RGB'}; there are also"
                f" {', '.join(layer.others)}. Name another with --layer if that is wrong."
            )
        orientation = _orientation(file, image)
        if orientation != UPRIGHT:
            tag = spec.getattribute("Orientation")
            remarks.append(f"The pictures are turned as their orientation tag ({tag}) says.")
        if spec.getattribute("dpx:Interlace"):
            remarks.append(INTERLACED)
        if _has_more_pages(file, layer):
            remarks.append(
                f"The file has several pages; page {layer.part + 1} alone is read. Write pages that"
                " are frames as files of their own."
            )
        return Findings(
            layer=layer.name,
            read=tuple(spec.channelnames[at] for at in dict.fromkeys(layer.channels)),
            unread=tuple(
                name for at, name in enumerate(spec.channelnames) if at not in layer.channels
            ),
            header=orientation.turn_header(_header(spec, layer)),
            hint=_hint(spec, file.format_name()),
            remarks=tuple(remarks),
        )


def _has_more_pages(file: oiio.ImageInput, layer: Layer) -> bool:
    """Return whether a TIFF has pages behind the one that is read; leaves the file at another."""
    if file.format_name() != "tiff":
        return False
    more = bool(file.seek_subimage(layer.part + 1, 0))
    reason_of(file)  # a seek past the last page left one behind
    return more


def read_image(image: ImageFile) -> tuple[FrameHeader, StoredPixels]:
    """Read a file: header, and [H, W, 3] over the data window, contiguous.

    Half stays half; all else is float, integers become 0..1.

    Raises:
        InputError: the file is missing or unreadable, or lacks the layer.
    """
    if (plain := _read_plain(image)) is not None:
        return plain
    with _opened(image) as file:
        layer = _seek_layer(file, image)
        first, end = min(layer.channels), max(layer.channels) + 1
        pixels = file.read_image(layer.part, 0, first, end, oiio.FLOAT)
        if pixels is None:
            raise _unreadable(image, reason_of(file))
        order = [channel - first for channel in layer.channels]
        orientation = _orientation(file, image)
        header = orientation.turn_header(_header(_spec(file, image), layer))
    if order != list(range(pixels.shape[2])):
        pixels = pixels[..., order]
    return header, orientation.turn(np.asarray(pixels, dtype=np.float32))


def _read_plain(
    image: ImageFile,
    *,
    most: int | None = None,
    choose: Callable[[int], Sequence[range]] | None = None,
) -> tuple[FrameHeader, StoredPixels] | None:
    """Read a plain EXR: header, and [H, W, C].

    Args:
        image: which file.
        most: how many of the layer's channels at most.
        choose: as `read_display_lines` has it; None reads all lines.

    Returns:
        None where it is none, or OpenEXR's module does not read it: OpenImageIO may.

    Raises:
        InputError: it lacks the layer.
    """
    plain = parse(_probed(image))
    if plain is None or (choose and plain.header.data != plain.header.display):
        return None
    lines = choose(plain.header.display.height) if choose else None
    names = _names(image, plain)[:most]
    found = read_channels(image.path, names, lines, in_blocks=plain.in_blocks)
    if found is None or found.data != plain.header.data:
        return None
    return plain.header, found.pixels


def _names(image: ImageFile, plain: ExrHeader) -> tuple[str, ...]:
    """Return the channels of a plain EXR's picture, found once for files of its layout.

    Raises:
        InputError: it lacks the layer.
    """

    def look() -> tuple[str, ...]:
        with _opened(image) as file:
            layer = _seek_layer(file, image)
            names = file.spec().channelnames
            return tuple(names[channel] for channel in layer.channels)

    return _layouts.names(hash_texts(plain.layout, image.layer, image.expected), look)


def read_display_lines(
    image: ImageFile, choose: Callable[[int], Sequence[range]]
) -> tuple[FrameHeader, Pixels]:
    """Read some lines of a file's display window: header, and [N, W, 3] float32.

    Of a plain EXR in lines whose data window is its display window the others are not decoded.

    Args:
        image: which file.
        choose: returns spans of lines from the top, ascending, of a display window's height; they
            come one below the other.

    Raises:
        InputError: the file is missing or unreadable, or lacks the layer.
    """
    if (plain := _read_plain(image, choose=choose)) is not None:
        return plain[0], as_float(plain[1])
    header, stored = read_image(image)
    shown = on_display(np.asarray(stored, np.float32), header.data, header.display)
    parts = [shown[span.start : span.stop] for span in choose(header.display.height)]
    return header, np.concatenate([shown[:0], *parts])


def read_first_channel(image: ImageFile) -> tuple[FrameHeader, Pixels]:
    """Read a layer's first channel, a matte's: header, and [H, W] float32 over the data window.

    Raises:
        InputError: the file is missing or unreadable, or lacks the layer.
    """
    if (plain := _read_plain(image, most=1)) is not None:
        return plain[0], as_float(plain[1][..., 0])
    with _opened(image) as file:
        layer = _seek_layer(file, image)
        channel = layer.channels[0]
        pixels = file.read_image(layer.part, 0, channel, channel + 1, oiio.FLOAT)
        if pixels is None:
            raise _unreadable(image, reason_of(file))
        orientation = _orientation(file, image)
        header = orientation.turn_header(_header(_spec(file, image), layer))
    turned = orientation.turn(np.asarray(pixels, dtype=np.float32))
    return header, turned[..., 0]


def _probed(image: ImageFile) -> bytes:
    """Return a file's first bytes; a disk that stalls, or a pipe, is found before it is opened."""
    return probe_file(image.path, frame=image.frame) if image.head is None else image.head


@contextmanager
def _opened(image: ImageFile) -> Iterator[oiio.ImageInput]:
    _probed(image)
    as_stored = oiio.ImageSpec()
    as_stored.attribute("oiio:UnassociatedAlpha", 1)
    file = oiio.ImageInput.open(str(image.path), as_stored)
    if file is None:
        reason = reason_of(None)
        if not image.path.exists():
            raise frame_gone(image.path, image.frame)
        raise _unreadable(image, reason)
    try:
        yield file
    finally:
        file.close()


def _seek_layer(file: oiio.ImageInput, image: ImageFile) -> Layer:
    """Stand at the layer's part and return where its colours are."""
    parts: list[Part] = []
    while len(parts) < MAX_PARTS and file.seek_subimage(len(parts), 0):
        spec = file.spec()
        name = str(spec.getattribute("oiio:subimagename") or "")
        views = spec.getattribute("multiView")
        parts.append(
            Part(
                name=name,
                channels=tuple(spec.channelnames),
                view=str(spec.getattribute("view") or ""),
                views=views if isinstance(views, tuple) else (),
                whole_numbers=_whole_numbers(file),
            )
        )
    if len(parts) == MAX_PARTS and file.seek_subimage(MAX_PARTS, 0):
        raise _unreadable(
            image,
            f"it has more than {MAX_PARTS} parts",
            remedy="Write the parts to matte into a file of their own.",
        )
    reason_of(file)  # the seek past the last part left one behind
    layer = find_layer(parts, image.layer, path=str(image.path), frame=image.frame)
    if image.expected is not None and layer.name != image.expected:
        raise InputError(
            f"Frame {image.frame} has its picture in the layer {layer.name or 'RGB'}, the clip in"
            f" {image.expected or 'RGB'}: {image.path}.",
            remedy="Render it again, or name a layer that all frames have with --layer.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=image.frame,
            path=str(image.path),
        )
    if not file.seek_subimage(layer.part, 0):
        raise _unreadable(image, reason_of(file))
    if file.spec().deep:
        raise _unreadable(image, "it is a deep image", remedy="Flatten it, or render it flat.")
    if file.spec().getattribute("tiff:ColorSpace") == "CIELAB":
        raise _unreadable(image, "its colours are CIELAB", remedy="Convert it to RGB.")
    _check_lines(file, image)
    return layer


def _check_lines(file: oiio.ImageInput, image: ImageFile) -> None:
    """Refuse a DPX of lines that are filled up to four bytes each without saying so.

    OpenImageIO 3.2 takes one line's filling for the next one's pixels, and the picture leans.
    """
    spec = file.spec()
    if file.format_name() != "dpx" or spec.getattribute("dpx:EndOfLinePadding"):
        return
    line = spec.width * spec.pixel_bytes()
    filled = line + -line % 4
    try:
        size = image.path.stat().st_size - _pixels_begin(image)
    except FileNotFoundError:
        raise frame_gone(image.path, image.frame) from None
    if filled != line and size == filled * spec.height:
        raise _unreadable(
            image,
            f"its lines of {line} bytes are filled up to {filled}, which its header does not say",
            remedy="Write it with 10 bits, or as TIFF or EXR.",
        )


def _spec(file: oiio.ImageInput, image: ImageFile) -> oiio.ImageSpec:
    """Return what a file says; where a DPX's pixels begin inside its header, none of that part.

    FFmpeg's do; OpenImageIO 3.2 takes the first pixels for a rate, a timecode and fields.
    """
    spec = file.spec()
    if file.format_name() == "dpx" and _pixels_begin(image) < _DPX_HEADER_BYTES:
        for name in ("dpx:FrameRate", "dpx:Interlace", "smpte:TimeCode"):
            spec.erase_attribute(name)
    return spec


def _pixels_begin(image: ImageFile) -> int:
    """Return where in its file a DPX's pixels begin."""
    head = _probed(image)
    return int.from_bytes(head[4:8], "little" if head.startswith(b"XPDS") else "big")


def _whole_numbers(file: oiio.ImageInput) -> frozenset[int]:
    """Return the channels of an EXR part that hold 32-bit whole numbers: ids, never colours."""
    spec = file.spec()
    if file.format_name() != "openexr":
        return frozenset()
    kinds = spec.channelformats or (spec.format,) * spec.nchannels
    return frozenset(index for index, kind in enumerate(kinds) if str(kind) in {"uint", "uint32"})


def _orientation(file: oiio.ImageInput, image: ImageFile) -> Orientation:
    """Return how the file's pictures are turned; EXR has no such tag, a stray one means nothing."""
    spec = file.spec()
    if file.format_name() == "openexr":
        return UPRIGHT
    orientation = orientation_of(spec.getattribute("Orientation"))
    # OpenImageIO 3.2 cuts the lines of such a DPX at the picture's height: its pixels are mixed.
    if orientation.transposed and file.format_name() == "dpx" and spec.width != spec.full_width:
        raise InputError(
            f"Frame {image.frame} cannot be read: {image.path}: its lines run from top to bottom"
            f" (orientation {spec.getattribute('Orientation')}).",
            remedy="Convert it to a file whose lines run from left to right.",
            code=ErrorCode.PLATE_UNREADABLE,
            frame=image.frame,
            path=str(image.path),
        )
    return orientation


def _header(spec: oiio.ImageSpec, layer: Layer) -> FrameHeader:
    aspect = float(spec.getattribute("PixelAspectRatio") or 1.0)
    return FrameHeader(
        display=Box(x=spec.full_x, y=spec.full_y, width=spec.full_width, height=spec.full_height),
        data=Box(x=spec.x, y=spec.y, width=spec.width, height=spec.height),
        pixel_aspect=aspect if isfinite(aspect) and aspect > 0 else 1.0,
        frame_rate=_frame_rate(spec),
        timecode=_timecode(spec),
        date_time=_date_time(spec),
        view=layer.view,
        part=str(spec.getattribute("oiio:subimagename") or ""),
    )


def _frame_rate(spec: oiio.ImageSpec) -> tuple[int, int] | None:
    rate = spec.getattribute("FramesPerSecond") or spec.getattribute("dpx:FrameRate")
    if isinstance(rate, tuple):
        numerator, denominator = (int(part) for part in rate)
        return (numerator, denominator) if numerator > 0 and denominator > 0 else None
    if not isinstance(rate, float) or not isfinite(rate) or not 0 < rate < 100_000:
        return None
    # 23.976 and its kin are n * 1000 / 1001.
    exact = Fraction(round(rate) * 1000, 1001)
    fraction = exact if abs(exact - rate) < 1e-3 else Fraction(rate).limit_denominator(1000)
    return (fraction.numerator, fraction.denominator) if fraction > 0 else None


def _date_time(spec: oiio.ImageSpec) -> str:
    said = spec.getattribute("DateTime")
    return said if isinstance(said, str) and DATE_TIME.fullmatch(said) else ""


def _timecode(spec: oiio.ImageSpec) -> tuple[int, int] | None:
    words = spec.getattribute("smpte:TimeCode")
    if not isinstance(words, tuple) or len(words) != 2:
        return None
    return int(words[0]) & 0xFFFFFFFF, int(words[1]) & 0xFFFFFFFF


def _hint(spec: oiio.ImageSpec, format_name: str) -> FileHint:
    chromaticities = spec.getattribute("chromaticities")
    code_points = spec.getattribute("CICP")  # of a PNG: primaries, transfer, matrix, range
    coded = isinstance(code_points, tuple) and len(code_points) == 4
    return FileHint(
        kind=format_name,
        is_float=str(spec.format) in {"half", "float", "double"},
        bits=int(spec.getattribute("oiio:BitsPerSample") or 0),
        colourspace=str(spec.getattribute("oiio:ColorSpace") or ""),
        profile=str(spec.getattribute("ICCProfile:profile_description") or "").strip(),
        chromaticities=tuple(chromaticities) if isinstance(chromaticities, tuple) else (),
        is_aces=bool(spec.getattribute("acesImageContainerFlag")),
        interop_id=str(spec.getattribute("colorInteropID") or ""),
        transfer=str(spec.getattribute("dpx:Transfer") or ""),
        curve=int(code_points[1]) if coded else 2,
        primaries=int(code_points[0]) if coded else 2,
    )


def _unreadable(image: ImageFile, reason: str, *, remedy: str = "") -> InputError:
    # OpenEXR's luminance with chroma at half the size, which OpenImageIO does not read.
    if "subsampled" in reason.lower():
        remedy = "Write it as RGB, every channel at full size."
    return InputError(
        f"Frame {image.frame} cannot be read: {image.path}: {_first_line(reason)}.",
        remedy=remedy or "Render or copy it again.",
        code=ErrorCode.PLATE_UNREADABLE,
        frame=image.frame,
        path=str(image.path),
    )


def _first_line(reason: str) -> str:
    lines = reason.strip().splitlines()
    return lines[0].rstrip(".") if lines else "no reason given"
