"""What one job is to make: a clip, a plan, frames, settings, and where the alphas go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gvm_client.regions import held_at
from gvm_client.settings import Highlights, MatteKnobs, PlanKind, Refine, WindowSettings
from gvm_client.text import counted
from gvm_client.windows import Plan
from gvm_server.matting.engines.base import EngineInfo
from gvm_server.matting.guides import NO_GUIDES, GuideMattes
from gvm_server.matting.knobs import without_finish
from gvm_server.matting.refine import DETAIL_FROM, Size, fitting, ratio
from gvm_server.matting.region import ShotView, largest
from gvm_server.matting.tiles import TileGrid
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
        return largest(view.working for view in self.views)

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
        asked, parts = Refine(self.knobs.refine), self.engine.sees_parts
        return fitting(asked, *_sizes(view), sees_parts=parts)

    @property
    def tile_grid(self) -> TileGrid:
        """The parts at which the engine looks again where a frame is refined by tiles."""
        whole = working_size_of(self.geometry, self.window, self.engine.pad_multiple)
        return TileGrid.of(self.geometry, whole, self.engine.pad_multiple)

    @property
    def neutral(self) -> JobSpec:
        """The same without what is done to a finished alpha: knobs and guides."""
        return replace(self, knobs=without_finish(self.knobs), guides=NO_GUIDES)

    @property
    def advice(self) -> tuple[str, ...]:
        """What the artist should know of how the alpha comes up, in whole sentences."""
        asked = Refine(self.knobs.refine)
        if asked not in (Refine.DETAIL, Refine.TILES):
            return ()
        if self.reference:
            says = (
                f"The reference plan brings alphas up as the original does, without {asked.value}."
            )
            return (says,)
        others = [view for view in self.views if self._fitting(view) is not asked]
        return (*self._cost_of_tiles(), *(self._said_of(view) for view in others[:1]))

    def _said_of(self, view: ShotView) -> str:
        """Return why a view is not refined as was asked for."""
        how, times = self._fitting(view).value, ratio(*_sizes(view))
        if self.knobs.refine == Refine.TILES and how != Refine.NONE:
            return f"The {self.engine.name} engine knows no tiles: alphas come up as with {how}."
        begins = "tiles begin above" if self.knobs.refine == Refine.TILES else "detail begins at"
        least = 1.0 if self.knobs.refine == Refine.TILES else DETAIL_FROM
        return (
            f"The plate is {times:.2f} times the model's size and {begins} {least:g} times: alphas"
            f" come up as with {how}."
        )

    def _cost_of_tiles(self) -> Iterator[str]:
        for view in self.views:
            if self._fitting(view) is Refine.TILES:
                grid = self.tile_grid
                yield (
                    f"From frame {view.first} the model looks at a frame again in up to"
                    f" {counted(len(list(grid.within(view.seen))), 'tile')} of"
                    f" {grid.width}x{grid.height} plate pixels, those with an edge in any frame of"
                    " its window; each takes about as long as a whole frame."
                )


def _sizes(view: ShotView) -> tuple[Size, Size]:
    """Return the height and width of what the model sees, in the plate and at working size."""
    seen, size = view.seen, view.working
    return (seen.height, seen.width), (size.height, size.width)


def working_size_of(
    geometry: ClipGeometry, window: WindowSettings, pad_multiple: int
) -> WorkingSize:
    """Return the working size of a clip; the model sees square pixels."""
    canvas = geometry.canvas
    return working_size(
        canvas.height,
        max(1, round(canvas.width * geometry.pixel_aspect)),
        window,
        pad_multiple,
    )
