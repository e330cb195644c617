"""Pixels of one window laid on another."""

from __future__ import annotations

import numpy as np

from gvm_server.media.colour.curves import Pixels
from gvm_server.media.geometry import Box


def on_display(pixels: Pixels, data: Box, display: Box) -> Pixels:
    """Return pixels of the data window on the display window; 0 where there are none."""
    if data == display:
        return pixels
    canvas = np.zeros((display.height, display.width, *pixels.shape[2:]), dtype=np.float32)
    seen = data.common(display)
    if seen.area:
        canvas[seen.slices_in(display)] = pixels[seen.slices_in(data)]
    return canvas
