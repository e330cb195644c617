"""An alpha on its way out: crop, refine to plate size, knobs, EXR.

It runs on writer threads, behind the thread that owns the GPU.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from gvm_client import __version__
from gvm_client.windows import windows_covering
from gvm_server.matting.clock import Clock, Stage
from gvm_server.matting.engine import Image
from gvm_server.matting.intake import IntakeFrame
from gvm_server.matting.knobs import apply as apply_knobs
from gvm_server.matting.order import Order
from gvm_server.matting.refine import refine
from gvm_server.media.sinks import Alpha, Delivery

# The original program's cuts, in 8-bit steps: below the first is 0, above the second is 1.
REFERENCE_BLACK, REFERENCE_WHITE = 25 / 255, 240 / 255


def finish(order: Order, key: bytes, alpha: Image, taken: IntakeFrame, clock: Clock) -> Delivery:
    """Bring a working-size alpha [padded_height, padded_width] to the plate and deliver it.

    Raises:
        OutputError: it cannot be written.
    """
    with clock.stage(Stage.REFINE):
        guide = taken.guide.astype(np.float32)
        pixels = refine(order.working.crop(alpha), guide, order.upsampling)
        if order.reference:
            pixels = cut_like_the_original(pixels)
        pixels = _in_data_window(order, apply_knobs(pixels, order.knobs), taken)
    with clock.stage(Stage.WRITE):
        return order.sink.put(
            Alpha(
                frame=taken.frame,
                key=key,
                pixels=pixels,
                header=taken.header,
                attributes=_attributes(order, taken.frame, key),
            )
        )


def cut_like_the_original(alpha: Image) -> Image:
    """Apply the original program's hard thresholds; a soft edge loses both its ends."""
    cut = np.where(alpha >= REFERENCE_WHITE, np.float32(1.0), alpha)
    return np.where(alpha <= REFERENCE_BLACK, np.float32(0.0), cut)


def _in_data_window(order: Order, pixels: Image, taken: IntakeFrame) -> Image:
    data, canvas = taken.header.data, order.canvas
    top, left = data.y - canvas.y, data.x - canvas.x
    return np.ascontiguousarray(pixels[top : top + data.height, left : left + data.width])


def _attributes(order: Order, frame: int, key: bytes) -> Mapping[str, str]:
    """Return what the file says about how it was made."""
    windows = windows_covering(order.plan, frame)
    return {
        "gvm:key": key.hex(),
        "gvm:engine": order.engine.name + (" (preview)" if order.engine.preview else ""),
        "gvm:revision": order.engine.revision,
        "gvm:settings": json.dumps(asdict(order.window)),
        "gvm:knobs": json.dumps(asdict(order.knobs)),
        "gvm:windows": " ".join(f"{window.first}-{window.last}" for window in windows),
        "gvm:plateKey": order.plate.key(frame).hex(),
        "gvm:colourspace": order.plate.colourspace,
        "Software": f"GVM Bridge {__version__}",
    }
