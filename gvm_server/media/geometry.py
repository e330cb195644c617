"""Where a clip's pictures lie: boxes, the windows of one frame, what holds for all frames, turns.

- The canvas depends on the clip's frames that are there, never on the frames that are asked for.
- A frame that cannot be looked at, or that is of another format, adds nothing to the canvas; it
  fails when it is read, and only then.
- Header and pixels are turned by the same rule (TIFF and EXIF have eight), so that an alpha lies on
  the turned picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isclose
from typing import TypeVar

import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_client.limits import MAX_CANVAS_PIXELS
from gvm_server.media.pixels import Pixels, StoredPixels

ASPECT_TOLERANCE = 1e-4  # writers round a pixel aspect to float


@dataclass(frozen=True, kw_only=True, slots=True)
class Box:
    """A pixel rectangle: origin at the top left, `x` and `y` may be negative."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """How many pixels it has."""
        return self.width * self.height

    def united(self, other: Box) -> Box:
        """Return the smallest box that holds both."""
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Box(
            x=x,
            y=y,
            width=max(self.x + self.width, other.x + other.width) - x,
            height=max(self.y + self.height, other.y + other.height) - y,
        )

    def common(self, other: Box) -> Box:
        """Return what lies in both boxes; where nothing does, a box without pixels."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        width = min(self.x + self.width, other.x + other.width) - x
        height = min(self.y + self.height, other.y + other.height) - y
        if width <= 0 or height <= 0:
            return Box(x=self.x, y=self.y, width=0, height=0)
        return Box(x=x, y=y, width=width, height=height)

    def slices_in(self, window: Box) -> tuple[slice, slice]:
        """Return the rows and columns that this box is of the pixels of a window that holds it."""
        top, left = self.y - window.y, self.x - window.x
        return slice(top, top + self.height), slice(left, left + self.width)

    def holds(self, other: Box) -> bool:
        """Return whether the other box lies within this one."""
        return self.united(other) == self


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameWindows:
    """How one frame lies.

    Attributes:
        display: the display window.
        data: the data window: where there are pixels.
        pixel_aspect: width of a pixel over its height.
    """

    display: Box
    data: Box
    pixel_aspect: float = 1.0

    def unlike(self, display: Box, pixel_aspect: float) -> str:
        """Return in words how this frame's format differs from another; "" where it does not."""
        if self.display != display:
            return f"is {describe(self.display)}, the clip is {describe(display)}"
        if not isclose(self.pixel_aspect, pixel_aspect, rel_tol=ASPECT_TOLERANCE):
            return f"has a pixel aspect of {self.pixel_aspect:g}, the clip one of {pixel_aspect:g}"
        return ""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameHeader(FrameWindows):
    """What a frame's file says besides its pixels, and what its alpha's file repeats.

    Attributes:
        frame_rate: frames per second as numerator and denominator, or None.
        timecode: the two SMPTE words as OpenEXR stores them, or None.
        date_time: when it was made, as EXIF writes it (`2026:11:28 09:30:00`); "" says nothing.
        view: the stereo view, such as `left`; "" where it is none.
        part: the EXR part's name; "" where it has none.
    """

    frame_rate: tuple[int, int] | None = None
    timecode: tuple[int, int] | None = None
    date_time: str = ""
    view: str = ""
    part: str = ""

    @property
    def windows(self) -> FrameWindows:
        """How the frame lies."""
        return FrameWindows(display=self.display, data=self.data, pixel_aspect=self.pixel_aspect)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClipGeometry:
    """What holds for every frame of a clip.

    Attributes:
        display: the display window; of a host's clip, its whole region.
        canvas: the pixels that the model sees: the display window and every frame's data window.
        pixel_aspect: width of a pixel over its height.
        left_out: frames that are there and count for nothing here, ascending.
        widest: the frame whose data window reaches furthest beyond the display window; None where
            none does.
        rest: what the canvas were without that frame; None where there is none.
    """

    display: Box
    canvas: Box
    pixel_aspect: float = 1.0
    left_out: tuple[int, ...] = ()
    widest: int | None = None
    rest: Box | None = None


def geometry_of(name: str, frames: Mapping[int, FrameWindows | None]) -> ClipGeometry:
    """Return the geometry of a clip whose first frame with windows says the format.

    Args:
        name: the clip's, for messages.
        frames: the windows of each frame that is there, ascending; None where none can be read.

    Raises:
        InputError: no frame has windows, or the canvas would have more than MAX_CANVAS_PIXELS.
    """
    first = next((windows for windows in frames.values() if windows is not None), None)
    if first is None:
        raise InputError(
            f"No frame of {name} has a header that can be read.",
            remedy="Render or copy the plate again.",
            code=ErrorCode.PLATE_UNREADABLE,
            path=name,
        )
    display, aspect = first.display, first.pixel_aspect
    canvas, left_out = display, []
    widest, reach, rest = None, display, display
    for frame, windows in frames.items():
        if windows is None or windows.unlike(display, aspect):
            left_out.append(frame)
            continue
        canvas = canvas.united(windows.data)
        if canvas.area > MAX_CANVAS_PIXELS:
            raise _too_large(name, frame, windows.data, canvas)
        own = display.united(windows.data)
        if own.area > reach.area:
            widest, reach, own = frame, own, reach
        rest = rest.united(own)
    return ClipGeometry(
        display=display,
        canvas=canvas,
        pixel_aspect=aspect,
        left_out=tuple(left_out),
        widest=widest,
        rest=None if widest is None else rest,
    )


def describe(box: Box) -> str:
    """Return a window in words: its size, and its corner where that is not the origin."""
    corner = f" at ({box.x}, {box.y})" if box.x or box.y else ""
    return f"{box.width}x{box.height}{corner}"


def _too_large(name: str, frame: int, data: Box, canvas: Box) -> InputError:
    return InputError(
        f"With the data window of frame {frame}, {describe(data)}, the clip {name} spans"
        f" {describe(canvas)} pixels; at most {MAX_CANVAS_PIXELS} of them are matted.",
        remedy="Crop the plate to its display window, or render that frame again.",
        code=ErrorCode.PLATE_MISMATCH,
        frame=frame,
        path=name,
    )


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


_Any = TypeVar("_Any", Pixels, StoredPixels)


def on_display(pixels: _Any, data: Box, display: Box) -> _Any:
    """Return pixels of the data window on the display window; 0 where there are none."""
    if data == display:
        return pixels
    canvas = np.zeros((display.height, display.width, *pixels.shape[2:]), dtype=pixels.dtype)
    seen = data.common(display)
    if seen.area:
        canvas[seen.slices_in(display)] = pixels[seen.slices_in(data)]
    return canvas
