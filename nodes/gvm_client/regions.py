"""Regions of interest: the part of a shot's picture that is matted, as an artist writes it.

A region is a rectangle of plate pixels: origin at the display window's top left, y down; `x` and
`y` may be negative where the plate has overscan. It holds from the clip's first frame or a cut on,
until the next one that is named: one region a shot, because the model looks across time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite

from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.frames import abbreviated_frames
from gvm_client.limits import MAX_BUFFER_SIDE, MAX_REGION_SCALE, MAX_REGIONS
from gvm_client.windows import Plan

_ROUNDING = 1e-6  # pixels: what arithmetic of floats leaves of a whole number
_HOW = "Write x,y,width,height or FRAME:x,y,width,height: whole plate pixels from the top left."


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A rectangle of the display window, and the frame from which it holds.

    Attributes:
        x: its left edge, plate pixels from the display window's left.
        y: its upper edge, plate pixels from the display window's top.
        width: plate pixels, at least 1.
        height: plate pixels, at least 1.
        frame: the clip's first frame, or a cut; None is the clip's first frame.

    Raises:
        SettingsError: a side or a place is out of its range; the message names it.
    """

    x: int
    y: int
    width: int
    height: int
    frame: int | None = None

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            side = getattr(self, name)
            if not 1 <= side <= MAX_BUFFER_SIDE:
                raise SettingsError(
                    f"The region {self} has a {name} of {side} pixels; it must be from 1 to"
                    f" {MAX_BUFFER_SIDE}.",
                    remedy=_HOW,
                )
        for name in ("x", "y"):
            place = getattr(self, name)
            if abs(place) > MAX_BUFFER_SIDE:
                raise SettingsError(
                    f"The region {self} begins at {name} {place}; it must be from"
                    f" -{MAX_BUFFER_SIDE} to {MAX_BUFFER_SIDE}.",
                    remedy=_HOW,
                )

    def __str__(self) -> str:
        """Return it as an artist writes it; `parse_region` reads it."""
        held = "" if self.frame is None else f"{self.frame}:"
        return f"{held}{self.x},{self.y},{self.width},{self.height}"


def parse_regions(texts: str | Iterable[str]) -> tuple[Region, ...]:
    """Return the regions of some texts, or of one text with spaces between them.

    Raises:
        SettingsError: one is no region, or there are too many.
    """
    words = texts.split() if isinstance(texts, str) else texts
    regions = tuple(parse_region(word) for word in words)
    check_count(regions)
    return regions


def parse_region(text: str) -> Region:
    """Return the region that `x,y,width,height` or `FRAME:x,y,width,height` means.

    Raises:
        SettingsError: the text is none, or a value is out of its range.
    """
    before, colon, rectangle = text.rpartition(":")
    try:
        frame = int(before) if colon else None
        x, y, width, height = (int(number) for number in rectangle.split(","))
    except ValueError:
        raise SettingsError(f"{text!r} is no region.", remedy=_HOW) from None
    return Region(x=x, y=y, width=width, height=height, frame=frame)


@dataclass(frozen=True, kw_only=True, slots=True)
class HostRectangle:
    """A rectangle as hosts have it: y goes up, the right and upper edges do not belong to it.

    Attributes:
        left: x of its left edge.
        bottom: y of its lower edge.
        right: x of its right edge.
        top: y of its upper edge.
    """

    left: float
    bottom: float
    right: float
    top: float


def region_of(drawn: HostRectangle, window: HostRectangle, pixel_aspect: float = 1.0) -> Region:
    """Return the region that holds a rectangle which an artist has drawn in a host.

    The C++ node has the same function; `tests/golden/regions.json` holds both.

    Args:
        drawn: in canonical coordinates: y in pixels, x in pixels times the pixel aspect.
        window: the plate's display window, in pixels from the same origin.
        pixel_aspect: width of a pixel over its height; 1 where x of `drawn` is in pixels.

    Raises:
        SettingsError: the rectangle has no area, or a side or a place is out of its range.
    """
    finite = all(map(isfinite, (drawn.left, drawn.bottom, drawn.right, drawn.top)))
    if not (finite and drawn.left < drawn.right and drawn.bottom < drawn.top):
        raise SettingsError(
            f"The region from ({drawn.left:g}, {drawn.bottom:g}) to ({drawn.right:g},"
            f" {drawn.top:g}) has no area.",
            remedy="Draw it, or do not use it.",
        )
    left, right = _outward(drawn.left / pixel_aspect, drawn.right / pixel_aspect)
    bottom, top = _outward(drawn.bottom, drawn.top)
    return Region(
        x=left - floor(window.left),
        y=ceil(window.top) - top,
        width=right - left,
        height=top - bottom,
    )


def _outward(low: float, high: float) -> tuple[int, int]:
    """Return the whole pixels that hold all from one edge to the other."""
    return floor(low + _ROUNDING), ceil(high - _ROUNDING)


def check_count(regions: Sequence[Region]) -> None:
    """Refuse more regions than a message takes.

    Raises:
        SettingsError: there are too many.
    """
    if len(regions) > MAX_REGIONS:
        raise SettingsError(
            f"{len(regions)} regions; there may be {MAX_REGIONS} at most.",
            remedy="Matte the clip in several jobs, or let shots share a region.",
        )


def check_scale(scale: float) -> None:
    """Refuse a region's scale that is out of its range.

    Raises:
        SettingsError: it is; the message names it.
    """
    if not 1.0 <= scale <= MAX_REGION_SCALE:
        raise SettingsError(
            f"roi_scale is {scale:g}; it must be from 1 to {MAX_REGION_SCALE:g}.",
            remedy="1 is the scale at which the whole frame would be seen; 2 gives a small figure"
            " twice the pixels each way, at four times the work.",
        )


def by_shot(regions: Iterable[Region], plan: Plan) -> tuple[tuple[int, Region], ...]:
    """Return each region with the frame from which it holds, ascending.

    Raises:
        InputError: a region's frame is neither a cut nor the clip's first frame, or two regions
            hold from the same frame.
    """
    starts = (plan.first, *plan.cuts)
    found: dict[int, Region] = {}
    for region in regions:
        frame = plan.first if region.frame is None else region.frame
        if frame not in starts:
            raise InputError(
                f"The region {region} is to hold from frame {frame}, where no shot begins.",
                remedy=_where(plan),
                code=ErrorCode.BAD_REQUEST,
                frame=frame,
            )
        if frame in found:
            raise InputError(
                f"The regions {found[frame]} and {region} both hold from frame {frame}.",
                remedy="Give one region a shot: the smallest that holds both.",
                code=ErrorCode.BAD_REQUEST,
                frame=frame,
            )
        found[frame] = region
    return tuple(sorted(found.items()))


def held_at(starts: Sequence[int], frame: int) -> int | None:
    """Return which of some ascending starts holds at a frame, 0-based; None before the first."""
    after = bisect_right(starts, frame)
    return after - 1 if after else None


def _where(plan: Plan) -> str:
    if not plan.cuts:
        return (
            f"The clip has no cuts: name its first frame, {plan.first}, or no frame; or say with"
            " --cut where a new shot begins."
        )
    return (
        f"Name the clip's first frame, {plan.first}, or one of its cuts,"
        f" {abbreviated_frames(plan.cuts)}; --cut says where a new shot begins."
    )
