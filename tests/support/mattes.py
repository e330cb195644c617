"""Mattes on disk for tests: one plane, or several, as files of any kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio
from numpy.typing import NDArray

from gvm_server.media.geometry import Box

NAMES = {1: ("Y",), 2: ("Y", "A"), 3: ("R", "G", "B"), 4: ("R", "G", "B", "A")}


def write_matte(
    path: Path,
    *planes: NDArray[np.float32],
    names: tuple[str, ...] = (),
    data: Box | None = None,
    display: Box | None = None,
    aspect: float = 1.0,
) -> Path:
    """Write planes [H, W], 0..1, and return the path: float in an EXR, else 8 bits.

    Args:
        path: its folder is made.
        planes: one for each channel.
        names: the channels'; by their count where none are given.
        data: where they lie.
        display: the display window.
        aspect: width of a pixel over its height.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.stack(planes, axis=-1).astype(np.float32)
    height, width, count = pixels.shape
    depth = "float" if path.suffix == ".exr" else "uint8"
    spec = oiio.ImageSpec(width, height, count, depth)
    spec.channelnames = names or NAMES[count]
    spec.attribute("oiio:UnassociatedAlpha", 1)
    spec.attribute("PixelAspectRatio", aspect)
    if data is not None:
        spec.x, spec.y = data.x, data.y
    if display is not None:
        spec.full_x, spec.full_y = display.x, display.y
        spec.full_width, spec.full_height = display.width, display.height
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec), file.geterror()
    assert file.write_image(pixels), file.geterror()
    assert file.close()
    return path
