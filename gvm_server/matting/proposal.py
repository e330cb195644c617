"""A region for each shot of a clip, proposed from a matte of frames that are spread over it.

The region is the smallest box around all that the sampled mattes show, with a margin for what the
subject does on the frames between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
from numpy.typing import NDArray

from gvm_client.errors import ErrorCode, InputError
from gvm_client.regions import Region
from gvm_client.text import counted
from gvm_client.windows import Window, shot_of
from gvm_server.cores import usable_cores
from gvm_server.matting.engines.base import Engine, Image
from gvm_server.matting.job_spec import JobSpec, working_size_of
from gvm_server.matting.preprocess import preprocess
from gvm_server.matting.region import RAMP, TOUCHES, ShotView, notes_of, views_of
from gvm_server.matting.stage_timer import StageTimer
from gvm_server.media.geometry import Box, ClipGeometry

MARGIN = 0.1  # of the box's side, on either side; RAMP pixels at least
WHOLE = 0.9  # a share of the frame's work from which a region saves nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What is proposed for a clip.

    Attributes:
        regions: one a shot; empty where no region saves anything.
        share: of the whole frame's work, on the frames' mean: 0..1.
        notes: what a person should know, in whole sentences.
    """

    regions: tuple[Region, ...]
    share: float
    notes: tuple[str, ...]


def propose(spec: JobSpec, engine: Engine, samples: int) -> Proposal:
    """Matte some frames of each shot, each by itself, and return the regions that hold them.

    Args:
        spec: the clip, its cuts and its sizes; a region that it has counts for nothing.
        engine: its engine, whose mattes say where the subject is.
        samples: frames of each shot, evenly spread; all where it has fewer.

    Raises:
        InputError: a frame cannot be read, or no matte shows anything.
        EngineError: the engine failed.
    """
    shots = tuple(_shots(spec))
    sampled = [_sampled(spec, shot, samples) for shot in shots]
    found = [_found(spec, engine, frames) for frames in sampled]
    if not any(found):
        looked_at = counted(sum(map(len, sampled)), "frame")
        raise InputError(
            f"The {spec.engine.name} engine finds nobody in {spec.plate.name}: it looked at"
            f" {looked_at}.",
            remedy="Look at more with --samples, or write the region yourself: --roi x,y,w,h.",
            code=ErrorCode.PLATE_MISMATCH,
            path=spec.plate.name,
        )
    boxes = [_with_margin(box, spec.geometry) if box else spec.canvas for box in found]
    regions = tuple(
        _region(box, spec.geometry, shot.first if len(shots) > 1 else None)
        for box, shot in zip(boxes, shots, strict=True)
    )
    return _weighed(spec, shots, regions, nobody=[not box for box in found])


def _weighed(
    spec: JobSpec, shots: Sequence[Window], regions: tuple[Region, ...], *, nobody: Sequence[bool]
) -> Proposal:
    """Return the regions with what they cost; none where they save nothing."""
    geometry = spec.geometry
    whole = working_size_of(geometry, spec.window, spec.engine.pad_multiple)
    views = views_of(regions, 1.0, spec.plan, geometry, whole, spec.engine.pad_multiple)
    shares = [view.seen.area / geometry.canvas.area for view in views]
    lengths = [len(shot) for shot in shots]
    share = float(np.average(shares, weights=lengths))
    notes = [
        f"Nobody is found in the shot from frame {shot.first} on: its region is the whole frame."
        for shot, empty in zip(shots, nobody, strict=True)
        if empty
    ]
    if share >= WHOLE:
        says = (
            f"With its context the region is {share:.0%} of the frame: it saves nothing, so none is"
            " proposed. Matte the whole frame."
        )
        return Proposal(regions=(), share=share, notes=(*notes, says))
    return Proposal(
        regions=regions,
        share=share,
        notes=(*notes, *notes_of(views, 1.0, geometry, reading=True)),
    )


def _shots(spec: JobSpec) -> Iterator[Window]:
    for first in (spec.plan.first, *spec.plan.cuts):
        yield shot_of(spec.plan, first)


def _sampled(spec: JobSpec, shot: Window, count: int) -> tuple[int, ...]:
    """Return so many frames of a shot that are there, evenly spread, its ends among them."""
    absent = {*spec.plate.missing(), *spec.geometry.left_out}
    there = [frame for frame in shot.frames if frame not in absent]
    places = np.linspace(0, max(0, len(there) - 1), min(count, len(there)))
    return tuple(there[round(place)] for place in places)


def _found(spec: JobSpec, engine: Engine, frames: Sequence[int]) -> Box | None:
    """Return the box around what the mattes of some frames show; None where that is nothing."""
    look = partial(_subject, spec, engine)
    with ThreadPoolExecutor(usable_cores() if spec.engine.parallel else 1) as lookers:
        boxes = [box for box in lookers.map(look, frames) if box]
    return reduce(Box.united, boxes) if boxes else None


def _subject(spec: JobSpec, engine: Engine, frame: int) -> Box | None:
    """Return the pixels of the canvas that one frame's matte covers."""
    working = preprocess(spec, frame, StageTimer()).working
    latents = engine.denoise([engine.encode(working)], steps=spec.window.steps)
    (alpha,) = engine.decode(latents, chunk=spec.window.chunk, halo=0)
    view = spec.shot_view(frame)
    return covered(view.working.crop(alpha), view)


def covered(alpha: Image, view: ShotView) -> Box | None:
    """Return the plate's pixels that an alpha covers so far that a border there would cut it.

    Args:
        alpha: [h, w] in 0..1, at working size.
        view: what it is of.

    Returns:
        A box within what is seen; None where the alpha covers nothing.
    """
    rows, columns = np.nonzero(alpha > TOUCHES)
    if not rows.size:
        return None
    seen = view.seen
    top, bottom = _scaled(rows, alpha.shape[0], seen.height)
    left, right = _scaled(columns, alpha.shape[1], seen.width)
    around = Box(x=seen.x + left, y=seen.y + top, width=right - left, height=bottom - top)
    return around.common(seen)


def _scaled(places: NDArray[np.intp], size: int, length: int) -> tuple[int, int]:
    """Return the plate's pixels [from, to) of working pixels, and of one on either side of them.

    What comes up from a working pixel reaches half a pixel into its neighbours.
    """
    first, last = int(places.min()) - 1, int(places.max()) + 2
    return first * length // size, -(-last * length // size)


def _with_margin(box: Box, geometry: ClipGeometry) -> Box:
    beside = max(RAMP, round(box.width * MARGIN))
    above = max(RAMP, round(box.height * MARGIN))
    wider = Box(
        x=box.x - beside,
        y=box.y - above,
        width=box.width + 2 * beside,
        height=box.height + 2 * above,
    )
    # What is in the overscan is kept; the margin alone does not reach out there.
    return wider.common(geometry.display.united(box)).common(geometry.canvas)


def _region(box: Box, geometry: ClipGeometry, frame: int | None) -> Region:
    display = geometry.display
    return Region(
        x=box.x - display.x,
        y=box.y - display.y,
        width=box.width,
        height=box.height,
        frame=frame,
    )
