"""From a plate frame to what the model sees: read, colour, canvas, working size.

It runs on reader threads, ahead of the thread that owns the GPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_server.matting.edges.guide import Guide
from gvm_server.matting.engines.base import LUMA, Image
from gvm_server.matting.job_spec import JobSpec
from gvm_server.matting.stage_timer import Stage, StageTimer
from gvm_server.media.geometry import Box, FrameHeader, describe
from gvm_server.media.pixels import Pixels, StoredPixels, as_float, averaged, downscale


@dataclass(frozen=True, kw_only=True, slots=True)
class PreprocessedFrame:
    """One plate frame, ready for the model and for the finish.

    Attributes:
        frame: the host's frame number.
        header: as the plate has it.
        working: [3, padded_height, padded_width] float32, display-referred sRGB, 0..1.
        guide: the plate, as far as the model sees it.
        plate: [H, W, 3] over the data window in the plate's own space, where layers need it.
    """

    frame: int
    header: FrameHeader
    working: Image
    guide: Guide
    plate: Pixels | None = None


_LUMA = np.array([LUMA], dtype=np.float32)  # [1, 3]


def preprocess(spec: JobSpec, frame: int, timer: StageTimer) -> PreprocessedFrame:
    """Read one frame and bring it to the model's colour and size.

    Raises:
        InputError: the frame cannot be read, or reaches outside the clip's canvas.
    """
    with timer.stage(Stage.READ):
        plate_frame = spec.plate.read(frame)
    with timer.stage(Stage.COLOUR):
        data, seen = plate_frame.header.data, spec.shot_view(frame).seen
        _check_on_canvas(data, spec.canvas, frame)
        part = data.common(seen)
        display = _converted(spec, plate_frame.stored[part.slices_in(data)])
        display = _laid_on(display, part, seen)
    with timer.stage(Stage.RESIZE):
        size = spec.shot_view(frame).working
        resize = downscale if spec.reference else averaged  # the original's is antialiased
        small = resize(display, size.height, size.width)
        working = size.pad(np.ascontiguousarray(small.transpose(2, 0, 1)))
        guide = Guide.of(display, luma(display))
    return PreprocessedFrame(
        frame=frame,
        header=plate_frame.header,
        working=working,
        guide=guide,
        plate=plate_frame.pixels if spec.sink.content.has_colours else None,
    )


def luma(display: Pixels) -> Image:
    """Return the luma [H, W] of display-referred [H, W, 3].

    OpenCV's product and not numpy's: OpenBLAS sums in another order on another count of threads.
    """
    weighed = cv2.transform(np.ascontiguousarray(display), _LUMA)
    return np.asarray(weighed, dtype=np.float32).reshape(display.shape[:2])


def _converted(spec: JobSpec, pixels: StoredPixels) -> Pixels:
    if not pixels.size:  # a frame that has nothing in its shot's region
        return as_float(pixels)
    return spec.plate.colour.to_display(pixels, spec.tone_mapping)


def _check_on_canvas(data: Box, canvas: Box, frame: int) -> None:
    if not canvas.holds(data):
        raise InputError(
            f"The data window of frame {frame}, {describe(data)}, reaches outside the clip's"
            f" canvas, {describe(canvas)}: the plate changed after the job had begun.",
            remedy="Ask again when the plate is finished.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=frame,
        )


def _laid_on(pixels: Pixels, part: Box, seen: Box) -> Pixels:
    """Lay a part on the box that the model sees; black around it."""
    if part == seen:
        return pixels
    whole = np.zeros((seen.height, seen.width, 3), dtype=np.float32)
    if part.area:
        whole[part.slices_in(seen)] = pixels
    return whole
