"""Arrays of pixels: their types, three resizes, and the refusal of NaN and infinite values."""

from __future__ import annotations

from functools import cache
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import BadPixels

Pixels = NDArray[np.float32]
"""Values of pixels: [H, W] or [H, W, C]."""

StoredPixels: TypeAlias = NDArray[np.float16] | NDArray[np.float32]
"""Values of pixels as a file holds them."""

Table: TypeAlias = NDArray[np.float32]
"""[65536]: what each half becomes, in the order of their bits."""

HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
_EXPONENT = np.int16(0x7C00)  # of a half: all its bits are set where it is infinite or NaN
_HAS_HALF = int(cv2.__version__.partition(".")[0]) >= 5  # OpenCV before that: tables of 8 bits


def downscale(image: Pixels, height: int, width: int) -> Pixels:
    """Resize [H, W] or [H, W, C] with an antialiased triangle filter.

    The same as torch's `interpolate(mode="bilinear", antialias=True, align_corners=False)`;
    Pillow's filter is that one (equal to 2e-7) and lets other threads run meanwhile.
    """
    if height >= image.shape[0] and width >= image.shape[1]:
        return upscale(image, height, width)  # the same filter there, and ten times as fast
    if image.ndim == 2:
        return _resize_plane(image, height, width)
    planes = [_resize_plane(image[..., index], height, width) for index in range(image.shape[2])]
    return np.stack(planes, axis=-1)


def averaged(image: Pixels, height: int, width: int) -> Pixels:
    """Resize [H, W] or [H, W, C]; a pixel of the smaller size is the mean of the area it covers.

    In a quarter of the time that `downscale` takes. A side that grows is interpolated.
    """
    if height >= image.shape[0] and width >= image.shape[1]:
        return upscale(image, height, width)
    size = min(height, image.shape[0]), min(width, image.shape[1])
    source = np.ascontiguousarray(image)
    small = cv2.resize(source, size[::-1], interpolation=cv2.INTER_AREA)
    shrunk = np.asarray(small, dtype=np.float32).reshape(*size, *image.shape[2:])
    return upscale(shrunk, height, width)


def looked_up(halves: NDArray[np.float16], table: Table) -> Pixels:
    """Return what a table makes of halves, of their shape."""
    codes = np.ascontiguousarray(halves).view(np.uint16)
    if not _HAS_HALF or codes.size == 0:
        return table[codes]
    return np.asarray(cv2.LUT(codes, table), np.float32).reshape(halves.shape)


def halves_looked_up(halves: NDArray[np.float16], table: Table) -> NDArray[np.float16]:
    """Return what a table makes of halves, rounded to half: the same bits as rounding after it."""
    codes = np.ascontiguousarray(halves).view(np.uint16)
    rounded = table.astype(np.float16).view(np.uint16)
    if not _HAS_HALF or codes.size == 0:
        return rounded[codes].view(np.float16)
    found = np.asarray(cv2.LUT(codes, rounded), np.uint16)
    return found.reshape(halves.shape).view(np.float16)


def as_float(pixels: StoredPixels) -> Pixels:
    """Return stored pixels as float, contiguous; the same array where they are."""
    if pixels.dtype == np.float16:
        return looked_up(pixels.view(np.float16), _floats())
    return np.ascontiguousarray(pixels, np.float32)


def as_half(pixels: NDArray[np.float32]) -> NDArray[np.float16]:
    """Return finite floats rounded to half: the nearest, or of two the even one."""
    if not _HAS_HALF or pixels.size == 0:
        return pixels.astype(np.float16)
    flat = np.ascontiguousarray(pixels, np.float32).reshape(pixels.shape[0], -1)
    # Ten times as fast as numpy: OpenCV rounds to its result's type in vectors.
    halves = cv2.addWeighted(flat, 1.0, flat, 0.0, 0.0, dtype=cv2.CV_16F)
    return np.asarray(halves, np.float16).reshape(pixels.shape)


@cache
def _floats() -> Table:
    return HALVES.astype(np.float32)


def upscale(image: Pixels, height: int, width: int) -> Pixels:
    """Resize [H, W] or [H, W, C] bilinearly, half-pixel centres, edges repeated, no antialias."""
    if image.shape[:2] == (height, width):
        return image
    source = np.ascontiguousarray(image)
    resized = cv2.resize(source, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, dtype=np.float32).reshape(height, width, *image.shape[2:])


def _resize_plane(plane: Pixels, height: int, width: int) -> Pixels:
    source = Image.fromarray(np.ascontiguousarray(plane))
    return np.array(source.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)


def require_finite(
    pixels: StoredPixels, policy: BadPixels, *, frame: int, path: str
) -> StoredPixels:
    """Return pixels [H, W, 3] that are all finite, of the type that they have.

    Raises:
        InputError: PLATE_NOT_FINITE, with their count and the first one's place, unless the policy
            reads such pixels as black.
    """
    if _is_finite(pixels):
        return pixels
    finite = np.isfinite(pixels)
    bad = np.logical_not(np.all(finite, axis=2, keepdims=True))[..., 0]
    if policy is BadPixels.BLACK:
        return np.where(bad[..., np.newaxis], pixels.dtype.type(0.0), pixels)
    count = int(bad.sum())
    y, x = np.unravel_index(int(bad.argmax()), bad.shape)
    value = pixels[y, x][~finite[y, x]][0]
    raise InputError(
        f"Frame {frame} of {path} has {count} NaN or infinite pixels, the first ({value}) at"
        f" x {x}, y {y} from the top left of its data window.",
        remedy="Repair the plate, or read such pixels as black with --bad-pixels black.",
        code=ErrorCode.PLATE_NOT_FINITE,
        frame=frame,
        path=path,
    )


def _is_finite(pixels: StoredPixels) -> bool:
    if pixels.dtype != np.float16:
        return bool(np.isfinite(pixels).all())
    codes = np.ascontiguousarray(pixels).view(np.int16)
    if codes.size and codes.min() >= 0:  # no sign: in order of their values, infinity after all
        return bool(codes.max() < _EXPONENT)
    return not bool(((codes & _EXPONENT) == _EXPONENT).any())
