"""Real plate files for tests: images by OpenImageIO, movies by FFmpeg."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from gvm_server.media.geometry import Box

GREY_STEP = 4  # frame i of a test movie has the grey value i * GREY_STEP


@dataclass(frozen=True, kw_only=True)
class ImageSpec:
    """How a test image is stored; see OpenImageIO for the words."""

    depth: str = "half"
    channels: tuple[str, ...] = ("R", "G", "B")
    data: Box | None = None
    display: Box | None = None
    part: str = ""
    attributes: Mapping[str, object] = field(default_factory=dict)


def pixels(height: int = 6, width: int = 8, channels: int = 3) -> NDArray[np.float32]:
    """Return a ramp whose pixels and channels all differ, exact in half, in 0..1."""
    count = height * width * channels
    ramp = np.arange(count, dtype=np.float32).reshape(height, width, channels)
    return ramp / np.float32(1024.0)


def write_image(
    path: Path, image: NDArray[np.float32] | None = None, spec: ImageSpec = ImageSpec()
) -> Path:
    """Write one image of one part."""
    return write_parts(path, [(pixels() if image is None else image, spec)])


def write_parts(path: Path, parts: Sequence[tuple[NDArray[np.float32], ImageSpec]]) -> Path:
    """Write an image file with these parts."""
    specs = [_spec(image, spec) for image, spec in parts]
    file = oiio.ImageOutput.create(str(path))
    assert file is not None, oiio.geterror()
    opened = (
        file.open(str(path), tuple(specs)) if len(specs) > 1 else file.open(str(path), specs[0])
    )
    assert opened, file.geterror()
    for index, (image, _) in enumerate(parts):
        if index:
            assert file.open(str(path), specs[index], "AppendSubimage"), file.geterror()
        assert file.write_image(np.ascontiguousarray(image)), file.geterror()
    file.close()
    return path


def write_sequence(folder: Path, frames: Sequence[int], pattern: str = "plate.%04d.exr") -> Path:
    """Write a sequence; every pixel of a frame is its number / 4096."""
    folder.mkdir(parents=True, exist_ok=True)
    for frame in frames:
        write_image(folder / (pattern % frame), np.full((6, 8, 3), frame / 4096, np.float32))
    return folder / pattern


@dataclass(frozen=True, kw_only=True)
class MovieSpec:
    """How a test movie is encoded; `times` are in milliseconds, one for each frame."""

    codec: str = "libx264"
    pixel_format: str = "yuv420p"
    frames: int = 40
    width: int = 64
    height: int = 48
    options: Mapping[str, str] = field(default_factory=lambda: {"g": "12", "bf": "2"})
    container: str | None = None
    container_options: Mapping[str, str] = field(default_factory=dict)
    times: Sequence[int] | None = None
    colour: tuple[int, int, int] | None = None
    matrix: int | None = None
    full_range: bool | None = None
    rotation: int = 0
    matrix_of_display: Sequence[int] | None = None
    rate: Fraction = Fraction(24)
    aspect: Fraction | None = None
    timecode: str = ""
    odd: int = -1
    """The frame that is of another grey."""
    numbered: bool = False
    noise: int = 0


# How much of Y' is red, and how much blue, by the matrix code of ISO/IEC 23091-2, table 4.
_LUMA_SHARES: Mapping[int, tuple[float, float]] = {
    1: (0.2126, 0.0722),
    4: (0.30, 0.11),
    5: (0.299, 0.114),
    6: (0.299, 0.114),
    7: (0.212, 0.087),
    9: (0.2627, 0.0593),
}


def write_movie(path: Path, spec: MovieSpec = MovieSpec()) -> Path:
    """Write a movie whose frame i is grey i * GREY_STEP, or of one colour."""
    base = 1 / spec.rate if spec.times is None else Fraction(1, 1000)
    options = dict(spec.container_options)
    with av.open(str(path), "w", format=spec.container, options=options) as container:
        if spec.timecode:
            container.metadata["timecode"] = spec.timecode
        stream = container.add_stream(spec.codec, rate=spec.rate, options=dict(spec.options))
        stream.width, stream.height, stream.pix_fmt = spec.width, spec.height, spec.pixel_format
        stream.time_base = stream.codec_context.time_base = base
        if spec.matrix is not None:
            stream.codec_context.colorspace = spec.matrix
        if spec.full_range is not None:
            stream.codec_context.color_range = 2 if spec.full_range else 1
        if spec.aspect:
            stream.codec_context.sample_aspect_ratio = spec.aspect
        if spec.rotation:
            stream.set_display_rotation(spec.rotation)
        if spec.matrix_of_display is not None:
            stream.set_display_matrix(list(spec.matrix_of_display))
        container.start_encoding()
        for index in range(spec.frames):
            frame = _frame(spec, index)
            frame.pts = index if spec.times is None else spec.times[index]
            frame.time_base = base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def numbered_picture(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """Return a picture with a number below 256 as eight bars, black or white, the lowest left."""
    bits = (number >> np.arange(8)) & 1
    row = np.where(bits[np.arange(width) * 8 // width], 235, 20).astype(np.uint8)
    return np.broadcast_to(row[None, :, None], (height, width, 3)).copy()


def number_in(pixels: NDArray[np.float32]) -> int:
    """Return the number that a picture [H, W, 3], 0..1, has as bars."""
    bars = np.array_split(pixels.mean(axis=(0, 2)), 8)
    return sum(1 << bit for bit, bar in enumerate(bars) if bar[len(bar) // 3 :].mean() > 0.5)


def _frame(spec: MovieSpec, index: int) -> av.VideoFrame:
    grey = (index * GREY_STEP + (100 if index == spec.odd else 0)) % 256
    image = np.empty((spec.height, spec.width, 3), np.uint8)
    image[:] = spec.colour or (grey, grey, grey)
    if spec.numbered:
        image[:] = numbered_picture(index, spec.width, spec.height)
    if spec.noise:
        spread = np.random.default_rng(index).integers(-spec.noise, spec.noise + 1, image.shape)
        image = np.clip(image + spread, 0, 255).astype(np.uint8)
    if spec.rotation:
        image[:, : spec.width // 2] = 255  # the left half, as it is stored
    if spec.matrix_of_display is not None:  # no two corners alike
        image[: spec.height // 2, : spec.width // 2] = 60
        image[: spec.height // 2, spec.width // 2 :] = 120
        image[spec.height // 2 :, : spec.width // 2] = 180
        image[spec.height // 2 :, spec.width // 2 :] = 240
    if spec.matrix is None:
        return av.VideoFrame.from_ndarray(image, format="rgb24")
    codes = _component_codes(image / 255, *_LUMA_SHARES[spec.matrix], full=bool(spec.full_range))
    return av.VideoFrame.from_ndarray(codes, format="yuv444p")


def _component_codes(
    image: NDArray[np.float64], red: float, blue: float, *, full: bool
) -> NDArray[np.uint8]:
    """Return Y', Cb and Cr [3, H, W] of [H, W, 3], 0..1, as ISO/IEC 23091-2, 8.3, has it."""
    luma = image @ (red, 1 - red - blue, blue)
    differences = [(image[..., 2] - luma) / (1 - blue), (image[..., 0] - luma) / (1 - red)]
    floor, height, width = (0, 255, 255) if full else (16, 219, 224)
    planes = [floor + height * luma, *(128 + width * each / 2 for each in differences)]
    return np.clip(np.round(planes), 0, 255).astype(np.uint8)


def _spec(image: NDArray[np.float32], spec: ImageSpec) -> oiio.ImageSpec:
    height, width = image.shape[:2]
    made = oiio.ImageSpec(width, height, len(spec.channels), spec.depth)
    made.channelnames = spec.channels
    if spec.data:
        made.x, made.y = spec.data.x, spec.data.y
    if spec.display:
        made.full_x, made.full_y = spec.display.x, spec.display.y
        made.full_width, made.full_height = spec.display.width, spec.display.height
    if spec.part:
        made.attribute("oiio:subimagename", spec.part)
    for name, given in spec.attributes.items():
        if isinstance(given, tuple) and isinstance(given[0], str):
            made.attribute(name, oiio.TypeDesc(given[0]), given[1])
        else:
            made.attribute(name, given)
    return made
