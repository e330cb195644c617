"""How a stored picture is turned to be looked at: the eight ways of TIFF and EXIF.

Header and pixels are turned by the same rule, so that an alpha lies on the turned picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gvm_server.media.colour.curves import Pixels
from gvm_server.media.geometry import Box, FrameHeader


@dataclass(frozen=True, kw_only=True, slots=True)
class Orientation:
    """What is done to a stored picture, in this order.

    Attributes:
        transposed: rows become columns.
        flipped: what is then the top row becomes the bottom row.
        flopped: what is then the left column becomes the right column.
    """

    transposed: bool = False
    flipped: bool = False
    flopped: bool = False

    def turn(self, pixels: Pixels) -> Pixels:
        """Return [H, W, C] pixels as they are to be looked at; contiguous."""
        if self.transposed:
            pixels = pixels.transpose(1, 0, 2)
        if self.flipped:
            pixels = pixels[::-1]
        if self.flopped:
            pixels = pixels[:, ::-1]
        return np.ascontiguousarray(pixels)

    def turn_header(self, header: FrameHeader) -> FrameHeader:
        """Return the header of the turned picture; the display window keeps its corner."""
        aspect = 1 / header.pixel_aspect if self.transposed else header.pixel_aspect
        return replace(
            header,
            display=self._turned(header.display, header.display),
            data=self._turned(header.data, header.display),
            pixel_aspect=aspect,
        )

    def _turned(self, box: Box, display: Box) -> Box:
        """Return where a box of the stored picture lies in the turned one."""
        left, top = box.x - display.x, box.y - display.y
        width, height = box.width, box.height
        whole_width, whole_height = display.width, display.height
        if self.transposed:
            left, top, width, height = top, left, height, width
            whole_width, whole_height = whole_height, whole_width
        if self.flipped:
            top = whole_height - top - height
        if self.flopped:
            left = whole_width - left - width
        return Box(x=display.x + left, y=display.y + top, width=width, height=height)


UPRIGHT = Orientation()

# TIFF 6.0, "Orientation" (tag 274), and EXIF 2.32, 4.6.4: where the stored row 0 and column 0 are.
_BY_TAG = {
    1: UPRIGHT,  # top, left
    2: Orientation(flopped=True),  # top, right
    3: Orientation(flipped=True, flopped=True),  # bottom, right
    4: Orientation(flipped=True),  # bottom, left
    5: Orientation(transposed=True),  # left, top
    6: Orientation(transposed=True, flopped=True),  # right, top
    7: Orientation(transposed=True, flipped=True, flopped=True),  # right, bottom
    8: Orientation(transposed=True, flipped=True),  # left, bottom
}


def orientation_of(tag: object) -> Orientation:
    """Return what a file's orientation tag means; a file without one, or with none, is upright."""
    return _BY_TAG.get(tag, UPRIGHT) if isinstance(tag, int) else UPRIGHT
