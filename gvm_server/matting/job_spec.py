"""What one job is to make: a clip, a plan, frames, settings, and where the alphas go."""

from __future__ import annotations

from dataclasses import dataclass

from gvm_client.settings import Highlights, MatteKnobs, PlanKind, Refine, WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.matting.guides import NO_GUIDES, GuideMattes
from gvm_server.matting.refine import DETAIL_FROM, Size, fitting, ratio
from gvm_server.matting.working_size import WorkingSize, working_size
from gvm_server.media.colour.view import View
from gvm_server.media.geometry import Box, ClipGeometry
from gvm_server.media.outputs.sinks import Sink
from gvm_server.media.plates.base import Plate


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSpec:
    """One job, checked: the plate is open, the plan is laid, the output can be written.

    Attributes:
        plate: the clip.
        plan: its windows.
        frames: the host's frame numbers that are asked for, in the order asked.
        engine: what will run.
        window: how frames are grouped and sized.
        knobs: what is done to the finished alpha.
        sink: where alphas go.
        geometry: where the clip's pictures lie.
        working: the size at which it sees them.
        playhead: the frame to make first, or None.
        guides: mattes that force the alpha.
    """

    plate: Plate
    plan: Plan
    frames: tuple[int, ...]
    engine: EngineInfo
    window: WindowSettings
    knobs: MatteKnobs
    sink: Sink
    geometry: ClipGeometry
    working: WorkingSize
    playhead: int | None = None
    guides: GuideMattes = NO_GUIDES

    def close(self) -> None:
        """Give the clips' files and decoders back."""
        self.plate.close()
        self.guides.close()

    @property
    def canvas(self) -> Box:
        """The pixels that the model sees, the same for every frame of the clip."""
        return self.geometry.canvas

    @property
    def reference(self) -> bool:
        """Whether the original program's result is asked for, with its plain resize and cuts."""
        return self.window.plan is PlanKind.REFERENCE

    @property
    def view(self) -> View:
        """How the model sees light; the original clips it."""
        highlights = Highlights.CLIP if self.reference else Highlights(self.knobs.highlights)
        return View(exposure=self.knobs.exposure, highlights=highlights)

    @property
    def refine(self) -> Refine:
        """How the alpha comes up to plate size: as asked for, where the plate is large enough."""
        if self.reference:
            return Refine.NONE
        return fitting(Refine(self.knobs.refine), *self._sizes)

    @property
    def _sizes(self) -> tuple[Size, Size]:
        """The plate's and the working height and width."""
        plate, size = self.canvas, self.working
        return (plate.height, plate.width), (size.height, size.width)

    @property
    def advice(self) -> tuple[str, ...]:
        """What the artist should know of how the alpha comes up, in whole sentences."""
        if self.knobs.refine != Refine.DETAIL or self.refine is Refine.DETAIL:
            return ()
        if self.reference:
            return ("The reference plan brings alphas up as the original does, without detail.",)
        times = ratio(*self._sizes)
        says = (
            f"The plate is {times:.2f} times the model's size and detail begins at"
            f" {DETAIL_FROM:g} times: alphas come up as with {self.refine.value}."
        )
        return (says,)


def working_size_of(
    geometry: ClipGeometry, window: WindowSettings, engine: EngineInfo
) -> WorkingSize:
    """Return the working size of a clip; the model sees square pixels."""
    canvas = geometry.canvas
    return working_size(
        canvas.height,
        max(1, round(canvas.width * geometry.pixel_aspect)),
        window,
        engine.pad_multiple,
    )
