"""Images in memory-mapped files: a host's plate pixels come in so, and finished ones go out so.

A buffer is a plain file directly in the one folder for them; a link or a path is refused.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gvm_client.errors import ErrorCode, InputError, OutputError
from gvm_server.media.atomic_files import put_whole
from gvm_server.media.pixels import Pixels

# The protocol's pixel types, and the value of an integer type that means 1.0.
_TYPES: Mapping[str, tuple[DTypeLike, float]] = MappingProxyType(
    {
        "uint8": (np.uint8, 255.0),
        "uint16": (np.uint16, 65_535.0),
        "half": (np.float16, 1.0),
        "float": (np.float32, 1.0),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class MappedImage:
    """Where an image lies: rows from the top down, interleaved channels, no padding.

    Attributes:
        buffer: the bare name of the file.
        offset: bytes from its start to the first pixel.
        width: in pixels.
        height: in pixels.
        channels: 1, 3 or 4; a fourth is alpha.
        pixel_type: `uint8`, `uint16`, `half` or `float`.
        x: where the first pixel lies, from the left of the clip's region.
        y: the same from its top, downwards.
    """

    buffer: str
    offset: int
    width: int
    height: int
    channels: int
    pixel_type: str
    x: int = 0
    y: int = 0

    @property
    def nbytes(self) -> int:
        """The bytes that the image takes."""
        dtype, _ = _TYPES[self.pixel_type]
        return self.width * self.height * self.channels * np.dtype(dtype).itemsize


def read_mapped(folder: Path, image: MappedImage) -> Pixels:
    """Copy an image's colours out: [H, W, 3] float32; integers become 0..1, alpha is left out.

    Raises:
        InputError: the buffer is not a plain file in the folder, or is too small.
    """
    dtype, white = _TYPES[image.pixel_type]
    count = image.width * image.height * image.channels
    with _opened(folder, image) as file:
        pixels: NDArray[np.generic] = np.fromfile(file, dtype, count, offset=image.offset)
    if pixels.size != count:
        raise _refused(image, "it shrank while it was read")
    shaped = pixels.reshape(image.height, image.width, image.channels)[..., :3]
    colours = np.array(shaped, dtype=np.float32)
    if white != 1.0:
        colours *= np.float32(1.0 / white)
    return colours if image.channels >= 3 else np.repeat(colours, 3, axis=2)


def write_mapped(
    folder: Path, name: str, image: Pixels, *, at: tuple[int, int] = (0, 0)
) -> MappedImage:
    """Write an image, [H, W] or [H, W, 3], as floats into its own buffer; it lies `at` x and y.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE.
    """
    path = folder / name
    if path.parent != folder or name.startswith("."):
        raise OutputError(f"{name!r} is not a bare file name.", code=ErrorCode.PATH_REFUSED)
    pixels = np.ascontiguousarray(image, dtype=np.float32)
    put_whole(path, pixels.data.cast("B"), flush=False)  # nobody reads it after a crash
    height, width = image.shape[:2]
    return MappedImage(
        buffer=name,
        offset=0,
        width=width,
        height=height,
        channels=image.size // (height * width),
        pixel_type="float",
        x=at[0],
        y=at[1],
    )


def _opened(folder: Path, image: MappedImage) -> BufferedReader:
    """Open a buffer, proved to be a plain file of the folder that holds the whole image."""
    path = folder / image.buffer
    if path.parent != folder or path.name != image.buffer:
        raise _refused(image, "it is not a bare file name")
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise _refused(image, "it is not a plain file")
        if status.st_size < image.offset + image.nbytes:
            raise _refused(
                image,
                f"it has {status.st_size} bytes, the image ends at {image.offset + image.nbytes}",
            )
        return open(path, "rb", opener=_no_links)
    except OSError as error:
        raise _refused(image, error.strerror or str(error)) from error


def _no_links(path: str, flags: int) -> int:
    # The file may be swapped for a link between the look at it and the opening.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0))


def _refused(image: MappedImage, why: str) -> InputError:
    return InputError(
        f"The host's pixels cannot be taken from the buffer {image.buffer!r}: {why}.",
        remedy="Update the node: it and the server disagree about their pixels.",
        path=image.buffer,
    )
