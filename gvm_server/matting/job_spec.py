"""What one job is to make: a clip, a plan, frames, settings, and where the alphas go."""

from __future__ import annotations

from dataclasses import dataclass

from gvm_client.regions import held_at
from gvm_client.settings import Highlights, MatteKnobs, PlanKind, Refine, WindowSettings
from gvm_client.windows import Plan
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.matting.guides import NO_GUIDES, GuideMattes
from gvm_server.matting.refine import DETAIL_FROM, Size, fitting, ratio
from gvm_server.matting.region import ShotView, largest
from gvm_server.matting.working_size import WorkingSize, working_size
from gvm_server.media.colour.tone_mapping import ToneMapping
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
        views: what the model sees of each shot; the first holds from the clip's first frame.
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
    views: tuple[ShotView, ...]
    playhead: int | None = None
    guides: GuideMattes = NO_GUIDES

    def close(self) -> None:
        """Give the clips' files and decoders back."""
        self.plate.close()
        self.guides.close()

    @property
    def canvas(self) -> Box:
        """The pixels of every frame of the clip; the model sees them, or a region of them."""
        return self.geometry.canvas

    def shot_view(self, frame: int) -> ShotView:
        """Return what the model sees of a frame, the same for its whole shot."""
        return self.views[held_at([view.first for view in self.views], frame) or 0]

    @property
    def working(self) -> WorkingSize:
        """The largest size at which the model sees frames of the clip."""
        return largest(self.views)

    @property
    def reference(self) -> bool:
        """Whether the original program's result is asked for, with its plain resize and cuts."""
        return self.window.plan is PlanKind.REFERENCE

    @property
    def tone_mapping(self) -> ToneMapping:
        """How the model sees light; the original clips it."""
        highlights = Highlights.CLIP if self.reference else Highlights(self.knobs.highlights)
        return ToneMapping(exposure=self.knobs.exposure, highlights=highlights)

    def refine_of(self, frame: int) -> Refine:
        """Return how a frame's alpha comes up to plate size: as asked for, where that is larger."""
        return self._fitting(self.shot_view(frame))

    def _fitting(self, view: ShotView) -> Refine:
        if self.reference:
            return Refine.NONE
        return fitting(Refine(self.knobs.refine), *_sizes(view))

    @property
    def advice(self) -> tuple[str, ...]:
        """What the artist should know of how the alpha comes up, in whole sentences."""
        if self.knobs.refine != Refine.DETAIL:
            return ()
        other = [view for view in self.views if self._fitting(view) is not Refine.DETAIL]
        if not other:
            return ()
        if self.reference:
            return ("The reference plan brings alphas up as the original does, without detail.",)
        times = ratio(*_sizes(other[0]))
        says = (
            f"The plate is {times:.2f} times the model's size and detail begins at"
            f" {DETAIL_FROM:g} times: alphas come up as with {self._fitting(other[0]).value}."
        )
        return (says,)


def _sizes(view: ShotView) -> tuple[Size, Size]:
    """Return the height and width of what the model sees, in the plate and at working size."""
    seen, size = view.seen, view.working
    return (seen.height, seen.width), (size.height, size.width)


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
