"""NaN and infinite plate pixels: refused, or read as black."""

from __future__ import annotations

import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_client.settings import BadPixels
from gvm_server.media.colour.curves import Pixels


def require_finite(pixels: Pixels, policy: BadPixels, *, frame: int, path: str) -> Pixels:
    """Return pixels [H, W, 3] that are all finite.

    Raises:
        InputError: PLATE_NOT_FINITE, with their count and the first one's place, unless the policy
            reads such pixels as black.
    """
    finite = np.isfinite(pixels)
    if finite.all():
        return pixels
    bad = np.logical_not(np.all(finite, axis=2, keepdims=True))[..., 0]
    if policy is BadPixels.BLACK:
        return np.where(bad[..., np.newaxis], np.float32(0.0), pixels)
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
