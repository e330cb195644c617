"""EXR files of every kind that OpenEXR writes, made here, and where their pieces lie.

Each compression, scanlines, tiles, levels, parts, deep pixels, chroma at half the size, halves,
floats and whole numbers.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import Imath
import numpy as np
import OpenEXR
import OpenImageIO as oiio
from numpy.typing import NDArray

from tests.support.plates import moving_disc

WIDTH, HEIGHT = 48, 32
# fmt: off
COMPRESSIONS = (
    "none", "rle", "zip", "zips", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab", "htj2k32",
    "htj2k256",
)
# fmt: on


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """Where an attribute lies: its name, its type's name, the four bytes of its size, its value."""

    name: str
    at: int
    kind_at: int
    size_at: int
    start: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where the pieces of an EXR lie (OpenEXR File Layout)."""

    attributes: tuple[Attribute, ...]
    table: int
    chunks: tuple[int, ...]


def kinds(folder: Path) -> dict[str, bytes]:
    """Return the bytes of whole files by their kind, such as `zip tiles half`."""
    made: dict[str, bytes] = {}
    path = folder / "kind.exr"
    for compression in COMPRESSIONS:
        for form, tile in (("lines", 0), ("tiles", 16), ("levels", 16)):
            depth = {"lines": oiio.HALF, "tiles": oiio.FLOAT, "levels": oiio.HALF}[form]
            spec = _spec(depth, compression, tile)
            _write_levels(path, spec) if form == "levels" else _write(path, spec)
            made[f"{compression} {form}"] = path.read_bytes()
    _write(path, _spec(oiio.UINT, "zip", 0))
    made["zip whole numbers"] = path.read_bytes()
    for tile in (0, 16):
        _write_parts(path, [_spec(oiio.HALF, "zip", tile), _spec(oiio.FLOAT, "piz", tile)])
        made[f"parts {'tiles' if tile else 'lines'}"] = path.read_bytes()
        _write_deep(path, tile)
        made[f"deep {'tiles' if tile else 'lines'}"] = path.read_bytes()
    for compression in ("NO", "ZIP", "B44"):
        _write_chroma(path, getattr(Imath.Compression, f"{compression}_COMPRESSION"))
        made[f"chroma {compression.lower()}"] = path.read_bytes()
    return made


def layout_of(data: bytes) -> Layout:
    """Return where the pieces of a whole file lie."""
    many = bool(data[5] & 0x10)
    attributes, at = [], 8
    while data[at]:
        while data[at]:
            name_end = data.index(b"\0", at)
            size_at = data.index(b"\0", name_end + 1) + 1
            (size,) = struct.unpack_from("<i", data, size_at)
            attributes.append(
                Attribute(
                    name=data[at:name_end].decode(),
                    at=at,
                    kind_at=name_end + 1,
                    size_at=size_at,
                    start=size_at + 4,
                    size=size,
                )
            )
            at = size_at + 4 + size
        at += 1
        if not many:
            break
    table = at + many
    first = struct.unpack_from("<Q", data, table)[0]
    count = (first - table) // 8
    chunks = struct.unpack_from(f"<{count}Q", data, table)
    return Layout(attributes=tuple(attributes), table=table, chunks=chunks)


def _spec(depth: str, compression: str, tile: int) -> oiio.ImageSpec:
    spec = oiio.ImageSpec(WIDTH, HEIGHT, 3, depth)
    spec.attribute("compression", compression)
    spec.attribute("owner", "Some One")
    if tile:
        spec.tile_width = spec.tile_height = tile
    return spec


def _pixels(width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.float32]:
    return moving_disc(3, width, height)


def _opened(path: Path, *words: object) -> oiio.ImageOutput:
    file = oiio.ImageOutput.create("exr")
    assert file.open(str(path), *words), file.geterror()
    return file


def _write(path: Path, spec: oiio.ImageSpec) -> None:
    file = _opened(path, spec)
    assert file.write_image(_pixels()), file.geterror()
    assert file.close()


def _write_levels(path: Path, spec: oiio.ImageSpec) -> None:
    spec.attribute("openexr:levelmode", 1)
    spec.attribute("openexr:roundingmode", 0)
    spec.attribute("textureformat", "Plain Texture")
    file = _opened(path, spec)
    assert file.write_image(_pixels()), file.geterror()
    width, height = WIDTH, HEIGHT
    while max(width, height) > 1:
        width, height = max(width // 2, 1), max(height // 2, 1)
        level = oiio.ImageSpec(spec)
        level.width, level.height, level.full_width, level.full_height = (width, height) * 2
        assert file.open(str(path), level, "AppendMIPLevel"), file.geterror()
        assert file.write_image(_pixels(width, height)), file.geterror()
    assert file.close()


def _write_parts(path: Path, specs: list[oiio.ImageSpec]) -> None:
    for name, spec in zip(("rgba", "other"), specs, strict=True):
        spec.attribute("oiio:subimagename", name)
    file = _opened(path, tuple(specs))
    for number, spec in enumerate(specs):
        if number:
            assert file.open(str(path), spec, "AppendSubimage"), file.geterror()
        assert file.write_image(_pixels()), file.geterror()
    assert file.close()


def _write_deep(path: Path, tile: int) -> None:
    spec = oiio.ImageSpec(WIDTH, HEIGHT, 5, oiio.FLOAT)
    spec.channelnames = ("R", "G", "B", "A", "Z")
    spec.deep = True
    spec.attribute("compression", "zips")
    if tile:
        spec.tile_width = spec.tile_height = tile
    deep = oiio.DeepData()
    deep.init(WIDTH * HEIGHT, spec.nchannels, spec.channelformat(0), spec.channelnames)
    for pixel in range(0, WIDTH * HEIGHT, 3):
        deep.set_samples(pixel, 2)
        for channel in range(spec.nchannels):
            deep.set_deep_value(pixel, channel, 0, 0.5)
            deep.set_deep_value(pixel, channel, 1, 0.7)
    file = _opened(path, spec)
    assert file.write_deep_image(deep), file.geterror()
    assert file.close()


def _write_chroma(path: Path, compression: int) -> None:
    """Write luminance with chroma at half the size."""
    half = Imath.PixelType(Imath.PixelType.HALF)
    header = OpenEXR.Header(WIDTH, HEIGHT)
    header["compression"] = Imath.Compression(compression)
    channels = {"Y": 1, "RY": 2, "BY": 2}
    header["channels"] = {name: Imath.Channel(half, step, step) for name, step in channels.items()}
    luma = _pixels()[..., 1].astype(np.float16)
    file = OpenEXR.OutputFile(str(path), header)
    pixels = {name: luma[::step, ::step].tobytes() for name, step in channels.items()}
    file.writePixels(pixels, HEIGHT)
    file.close()
