"""What one job is to make: a clip, a plan, frames, settings, and where the alphas go."""

from __future__ import annotations

from dataclasses import dataclass

from gvm_client.settings import MatteKnobs, PlanKind, WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.engine import EngineInfo, Upsampling
from gvm_server.matting.working import WorkingSize, working_size
from gvm_server.media.plate import Box, FrameHeader, Plate
from gvm_server.media.sinks import Sink


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One job, looked at and found good.

    Attributes:
        plate: the clip.
        plan: its windows.
        frames: the host's frame numbers that are asked for, in the order asked.
        engine: what will run.
        window: how frames are grouped and sized.
        knobs: what is done to the finished alpha.
        sink: where alphas go.
        canvas: the pixels that the model sees, the same for every frame of the clip.
        working: the size at which it sees them.
        playhead: the frame to make first, or None.
    """

    plate: Plate
    plan: Plan
    frames: tuple[int, ...]
    engine: EngineInfo
    window: WindowSettings
    knobs: MatteKnobs
    sink: Sink
    canvas: Box
    working: WorkingSize
    playhead: int | None = None

    @property
    def reference(self) -> bool:
        """Whether the original program's result is asked for, with its plain resize and cuts."""
        return self.window.plan is PlanKind.REFERENCE

    @property
    def upsampling(self) -> Upsampling:
        """How the alpha comes up to plate size."""
        return Upsampling.BILINEAR if self.reference else self.engine.upsampling


def canvas_of(header: FrameHeader) -> Box:
    """Return the pixels that the model sees: the display window and any overscan around it."""
    display, data = header.display, header.data
    x, y = min(display.x, data.x), min(display.y, data.y)
    return Box(
        x=x,
        y=y,
        width=max(display.x + display.width, data.x + data.width) - x,
        height=max(display.y + display.height, data.y + data.height) - y,
    )


def working_size_of(
    canvas: Box, header: FrameHeader, window: WindowSettings, engine: EngineInfo
) -> WorkingSize:
    """Return the working size of a clip; the model sees square pixels."""
    return working_size(
        canvas.height,
        max(1, round(canvas.width * header.pixel_aspect)),
        window,
        engine.pad_multiple,
    )
