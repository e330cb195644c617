"""The alpha of a movie's pictures, to the bit: FFmpeg's scaler gives 0.9997 for an opaque pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from av.video.format import VideoFormatComponent
from av.video.frame import VideoFrame

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.pixels import Pixels

ALPHA_NAMES = frozenset({"a", "alpha"})
"""The layers, in lower case, that mean it."""


def has_alpha(picture: VideoFrame) -> bool:
    """Return whether a picture's format has an alpha channel."""
    return _alpha_component(picture) is not None


_PICTURE_NAMES = frozenset({"", "rgb", "rgba"})


def said_of_layer(layer: str) -> str:
    """Return what is to be said of a layer that is asked for; "" where a movie has it."""
    if layer.lower() in ALPHA_NAMES | _PICTURE_NAMES:
        return ""
    return (
        f"The movie has no layer {layer!r}: its picture is read. A movie holds RGB, and may hold an"
        " alpha."
    )


def no_alpha(path: Path, layer: str, *, hidden: bool) -> InputError:
    """Return the error of a movie of which an alpha is asked for that cannot be had.

    Args:
        path: of the movie.
        layer: what was asked for.
        hidden: whether its container says that there is one beside the picture.

    Returns:
        PLATE_MISMATCH, it has none; PLATE_UNREADABLE, nothing here decodes it.
    """
    if hidden:
        return InputError(
            f"{path} has an alpha channel in a stream of its own, as VP8 and VP9 write it; that"
            " is not read.",
            remedy="Write it as ProRes 4444, as a grey movie, or as an EXR or PNG sequence.",
            code=ErrorCode.PLATE_UNREADABLE,
            path=str(path),
        )
    return InputError(
        f"{path} has no layer {layer!r}: the movie has no alpha channel.",
        remedy="Leave the layer out.",
        code=ErrorCode.PLATE_MISMATCH,
        path=str(path),
    )


def alpha_of(picture: VideoFrame) -> Pixels:
    """Return the alpha [H, W] float32, 0..1, of a picture that has one; as it is stored."""
    component = _alpha_component(picture)
    assert component is not None  # noqa: S101 (the plate looked)
    deep = component.bits > 8
    if component.plane == 0:  # interleaved; the scaler only orders the channels
        same = picture.reformat(format="rgba64le" if deep else "rgba", threads=1)
        stored = same.to_ndarray()[..., 3]
        bits = 16 if deep else 8
    else:
        plane = picture.planes[component.plane]
        kind = _stored_type(picture, component.bits)
        rows = np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
        stored = rows[: picture.height, : picture.width]
        if kind.kind == "f":
            return np.asarray(stored, dtype=np.float32)
        bits = component.bits
    return np.divide(stored, np.float32(2**bits - 1), dtype=np.float32)


def _alpha_component(picture: VideoFrame) -> VideoFormatComponent | None:
    parts = picture.format.components
    # A palette has one alpha for each of its colours, and no channel.
    return next((part for part in parts if part.is_alpha and len(parts) > 1), None)


def _stored_type(picture: VideoFrame, bits: int) -> np.dtype[Any]:
    """Return the type of a value in a plane of its own; FFmpeg's names say which are floats."""
    kind = "u1" if bits <= 8 else "f4" if "f32" in picture.format.name else "u2"
    return np.dtype((">" if picture.format.is_big_endian else "<") + kind)
