"""Pixels of one window laid on another."""

from __future__ import annotations

import numpy as np

from gvm_server.media.curves import Pixels
from gvm_server.media.geometry import Box


def on_display(pixels: Pixels, data: Box, display: Box) -> Pixels:
    """Return pixels of the data window on the display window; 0 where there are none."""
    if data == display:
        return pixels
    canvas = np.zeros((display.height, display.width, *pixels.shape[2:]), dtype=np.float32)
    left, top = max(data.x, display.x), max(data.y, display.y)
    right = max(left, min(data.x + data.width, display.x + display.width))
    bottom = max(top, min(data.y + data.height, display.y + display.height))
    seen = pixels[top - data.y : bottom - data.y, left - data.x : right - data.x]
    canvas[top - display.y : bottom - display.y, left - display.x : right - display.x] = seen
    return canvas
