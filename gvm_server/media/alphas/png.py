"""Alphas as PNG files, for programs that read no EXR."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gvm_server.media.alphas.stamp import STAMP
from gvm_server.media.atomic import replacing
from gvm_server.media.colour.curves import Pixels

PngBits = Literal[8, 16]


def write_png(path: Path, alpha: Pixels, *, bits: PngBits, key: bytes) -> None:
    """Write an alpha [H, W] as a grey PNG in one atomic step.

    Values are linear coverage, 0..1 as 0 to the largest integer, rounded; outside is clipped.

    Args:
        path: the final name.
        alpha: [H, W].
        bits: 8 or 16 for a pixel.
        key: the 16 bytes of what the alpha was made from; they make the file ours.

    Raises:
        OutputError: DISK_FULL or OUTPUT_UNWRITABLE; no trace of the file is left.
    """
    kind = np.uint8 if bits == 8 else np.uint16
    scaled = np.clip(alpha, 0.0, 1.0) * np.float32(np.iinfo(kind).max)
    pixels = np.rint(scaled).astype(kind)
    text = PngInfo()
    text.add_text(STAMP, key.hex())
    # Pillow writes through Python, so a full disk is an error; OpenImageIO's writer says nothing.
    with replacing(path, size_hint=pixels.nbytes) as temporary:
        Image.fromarray(pixels).save(temporary, format="PNG", pnginfo=text)
