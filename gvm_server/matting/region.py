"""What the model sees of a shot: the whole canvas, or a region of it with context around it.

- Fixed by the settings, the clip's canvas and its cuts, never by the frames that are asked for
  (test_any_range_gives_the_clip_s_own_bits).
- A region is seen at the whole frame's working scale, times `--roi-scale`: work follows its area.
- Inside the region the matte is what the model made of it. Around it, within the context, it goes
  smoothly to 0, so that no hard edge stands where it was cut off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import abbreviated_frames
from gvm_client.limits import MAX_SIDE
from gvm_client.regions import Region, by_shot
from gvm_client.text import counted
from gvm_client.windows import Plan
from gvm_server.matting.engines.base import Image
from gvm_server.matting.working_size import WorkingSize, padded
from gvm_server.media.geometry import Box, ClipGeometry, describe

REGION_REVISION = 1  # how a finished alpha ends at its region's border
CONTEXT = 0.25  # of a region's side, seen beyond it on either side: the model needs surroundings
RAMP = 16  # plate pixels over which the alpha goes to 0 outside of the region
TOUCHES = 0.1  # alpha on a region's border from which the subject counts as cut there

_SIDES = ("left", "top", "right", "bottom")


@dataclass(frozen=True, kw_only=True, slots=True)
class ShotView:
    """What the model sees of the frames of a shot, and of those after it until the next view.

    Attributes:
        first: the frame from which it holds.
        seen: the pixels that the model sees, in the canvas.
        working: the size at which it sees them.
        region: the pixels that are matted, in `seen`; None is all of them.
        scale: of the region, in the whole frame's working scale.
    """

    first: int
    seen: Box
    working: WorkingSize
    region: Box | None = None
    scale: float = 1.0


def views_of(
    regions: Iterable[Region],
    scale: float,
    plan: Plan,
    geometry: ClipGeometry,
    whole: WorkingSize,
    pad_multiple: int,
) -> tuple[ShotView, ...]:
    """Return what the model sees of a clip, in views that ascend; the first holds from its start.

    Args:
        regions: as they were asked for; none is the whole canvas.
        scale: of the regions, 1 to MAX_REGION_SCALE.
        plan: the clip's extent and cuts.
        geometry: where its pictures lie.
        whole: the working size of the whole canvas.
        pad_multiple: the engine's.

    Raises:
        InputError: a region lies outside the picture, holds from where no shot begins, or would be
            seen with a side of more than MAX_SIDE pixels.
    """
    views = [ShotView(first=plan.first, seen=geometry.canvas, working=whole)]
    for frame, asked in by_shot(regions, plan):
        view = _view(frame, asked, scale, geometry, whole, pad_multiple)
        if frame == plan.first:
            views.clear()
        views.append(view)
    return tuple(views)


def largest(sizes: Iterable[WorkingSize]) -> WorkingSize:
    """Return the largest of some working sizes, by which memory is planned."""
    return max(sizes, key=lambda size: size.padded_width * size.padded_height)


def notes_of(
    views: Iterable[ShotView], scale: float, geometry: ClipGeometry, *, reading: bool
) -> Iterator[str]:
    """Yield what the regions cost, in whole sentences, before anything runs.

    Args:
        views: of the clip.
        scale: as it was asked for.
        geometry: where its pictures lie.
        reading: whether any region was asked for.
    """
    if not reading:
        if scale != 1.0:
            yield f"The region's scale of {scale:g} does nothing: no region is set."
        return
    canvas, display = geometry.canvas, geometry.display
    for view in views:
        if view.region is None:
            continue
        seen, region = view.seen, _as_asked(view.region, display)
        share = seen.area / canvas.area
        work = share * view.scale**2
        scaled = f", at {view.scale:g} times its scale" if view.scale != 1.0 else ""
        yield (
            f"From frame {view.first} the region {describe(region)} of"
            f" {describe(_as_asked(canvas, display))} is matted. With its context the model sees"
            f" {seen.width}x{seen.height} pixels, {_percent(share)} of the frame's area{scaled}:"
            f" {_times(work)} the whole frame's work."
        )


def _as_asked(box: Box, display: Box) -> Box:
    """Return a box in the coordinates in which a region is written: from the display's top left."""
    return replace(box, x=box.x - display.x, y=box.y - display.y)


def _percent(share: float) -> str:
    return "less than 1%" if share < 0.005 else f"{share:.0%}"


def _times(work: float) -> str:
    about = "" if work < 0.005 else "about "
    return f"about {work:.1f} times" if work >= 2 else f"{about}{_percent(work)} of"


def feathered(alpha: Image, view: ShotView, canvas: Box) -> Image:
    """Return a view's alpha over the canvas: as it is in the region, smoothly to 0 around it.

    Args:
        alpha: [seen height, seen width] in 0..1.
        view: what it is of.
        canvas: the clip's.

    Returns:
        [canvas height, canvas width] float32; the argument itself where there is no region.
    """
    region, seen = view.region, view.seen
    if region is None:
        return alpha
    rows = _ramp(seen.y, seen.height, region.y, region.height)
    columns = _ramp(seen.x, seen.width, region.x, region.width)
    whole: Image = np.zeros((canvas.height, canvas.width), dtype=np.float32)
    whole[seen.slices_in(canvas)] = alpha * rows[:, None] * columns[None, :]
    return whole


def touched_sides(alpha: Image, view: ShotView, data: Box) -> tuple[str, ...]:
    """Return the sides of a region that its matte touches inside the frame; there it is cut.

    Args:
        alpha: [seen height, seen width] in 0..1.
        view: what it is of.
        data: the frame's data window: at its edges the picture ends, and nothing is cut.
    """
    region = view.region
    if region is None:
        return ()
    inside = region.common(data)
    if not inside.area:
        return ()
    part = alpha[inside.slices_in(view.seen)]
    edges = {"left": part[:, 0], "top": part[0], "right": part[:, -1], "bottom": part[-1]}
    within = {
        "left": region.x > data.x,
        "top": region.y > data.y,
        "right": region.x + region.width < data.x + data.width,
        "bottom": region.y + region.height < data.y + data.height,
    }
    return tuple(side for side in _SIDES if within[side] and edges[side].max() > TOUCHES)


def _view(
    frame: int,
    asked: Region,
    scale: float,
    geometry: ClipGeometry,
    whole: WorkingSize,
    pad_multiple: int,
) -> ShotView:
    display, canvas = geometry.display, geometry.canvas
    placed = Box(
        x=display.x + asked.x, y=display.y + asked.y, width=asked.width, height=asked.height
    )
    region = placed.common(canvas)
    if not region.area:
        left, top = canvas.x - display.x, canvas.y - display.y
        raise InputError(
            f"The region {asked} lies outside the picture, whose pixels are x {left} to"
            f" {left + canvas.width - 1} and y {top} to {top + canvas.height - 1}.",
            remedy="Give x,y,width,height in plate pixels from the display window's top left.",
            code=ErrorCode.BAD_REQUEST,
            frame=frame,
        )
    seen = _with_context(region).common(canvas)
    height = max(1, round(seen.height * whole.height * scale / canvas.height))
    width = max(1, round(seen.width * whole.width * scale / canvas.width))
    if max(height, width) > MAX_SIDE:
        raise InputError(
            f"The region {asked} at a scale of {scale:g} would be seen at {width}x{height} pixels;"
            f" a side may have {MAX_SIDE} at most.",
            remedy="Give a smaller --roi-scale, --size or region.",
            code=ErrorCode.BAD_REQUEST,
            frame=frame,
        )
    working = padded(height, width, pad_multiple)
    return ShotView(first=frame, seen=seen, working=working, region=region, scale=scale)


def _with_context(region: Box) -> Box:
    """Return a region with the surroundings that the model sees; the ramp always fits in them."""
    beside = max(RAMP, round(region.width * CONTEXT))
    above = max(RAMP, round(region.height * CONTEXT))
    return Box(
        x=region.x - beside,
        y=region.y - above,
        width=region.width + 2 * beside,
        height=region.height + 2 * above,
    )


def _ramp(start: int, length: int, inner: int, inner_length: int) -> Image:
    """Return 1 inside and a smooth step to 0 within RAMP pixels outside: [length]."""
    place = np.arange(start, start + length)
    beyond = np.maximum(inner - place, place - (inner + inner_length - 1)).clip(0)
    level = (1 - beyond / np.float32(RAMP + 1)).clip(0).astype(np.float32)
    ramp: Image = level * level * (3 - 2 * level)  # smooth in value and slope at both ends
    return ramp


def of_cuts(cuts: Mapping[int, str]) -> str:
    """Return the sentence for subjects that are cut at their region's border.

    Args:
        cuts: by frame, the sides, with spaces between them.
    """
    found = {side for sides in cuts.values() for side in sides.split()}
    where = ", ".join(side for side in _SIDES if side in found)
    return (
        f"The matte touches its region's border ({where}) in {counted(len(cuts), 'frame')}"
        f" ({abbreviated_frames(cuts)}): the subject is cut there. Make the region larger."
    )
