"""Whether a plate's frame is the one that a host shows, which one is, and how much of it it shows.

- No other picture's alpha is handed out: where another frame fits clearly better, or the picture
  differs by more than sizes and compression do, that is an error or the start of a search.
- Neighbours that cannot be told apart are the same picture.
- Few frames are read: the one that is asked for, and its neighbours where it does not fit at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf

from gvm_client.errors import ErrorCode, InputError
from gvm_server.media.geometry import Box, ClipGeometry
from gvm_server.media.plates.base import Plate
from gvm_server.media.plates.thumbnail import Cells, Ranks, Thumbnails, stress

# Stresses, of `thumbnail`. Measured by benchmarks/pictures.py.
SURE = 0.02  # at most of a frame that was only given another curve, gain or depth
CLEARLY = 0.6  # times the frame's own: another one fits clearly better
SLACK = 0.17  # at most of one that was scaled or compressed besides, or whose colours clip
NEIGHBOURS = 8  # frames to either side that are looked at

SAME_ASPECT = 0.01  # aspects that differ by less are one: hosts round to whole pixels
MOST_AROUND = 4  # times the display window, a picture that is mostly bars


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """What a host shows.

    Attributes:
        aspect: its width over its height.
        ranks: of its cells.
        search: whether the frame that it shows is looked for in the clip.
    """

    aspect: float
    ranks: Ranks
    search: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Match:
    """The frame that a host shows.

    Attributes:
        frame: the plate's.
        box: what the host's picture covers, in the frame's pixels.
    """

    frame: int
    box: Box


def match(
    plate: Plate,
    geometry: ClipGeometry,
    picture: Picture,
    frame: int,
    thumbnails: Thumbnails,
    check_ending: Callable[[], None],
) -> Match:
    """Return the frame that a host shows, which is the one that it asked for or is looked for.

    Args:
        plate: the clip.
        geometry: its.
        picture: what the host shows.
        frame: the one that it asked for.
        thumbnails: those that were made before.
        check_ending: called between frames; raises where the job is to end.

    Raises:
        InputError: PLATE_MISMATCH: it shows another picture; or the frame cannot be read.
    """
    look = _Look(
        plate=plate,
        picture=picture,
        thumbnails=thumbnails,
        check_ending=check_ending,
        missing=set(plate.missing()),
    )
    boxes = boxes_of(geometry, picture.aspect)
    if not plate.first <= frame <= plate.last and not picture.search:
        return Match(frame=frame, box=boxes[0])  # outside of the clip: that is said elsewhere
    start = min(max(frame, plate.first), plate.last)
    try:
        box = look.best_box(start, boxes)
        if look.is_shown(start, box):
            asked = Match(frame=start, box=box)
            return look.downhill(asked) if picture.search else asked
    except InputError:
        if not picture.search:
            raise
    if not picture.search:
        raise look.refusal(frame, box)
    if (found := look.search(start, boxes)) is not None:
        return found
    raise _not_found(plate)


def boxes_of(geometry: ClipGeometry, aspect: float) -> list[Box]:
    """Return what a host's picture of an aspect may cover, in the display window's pixels.

    It is the whole window, fitted between bars, stretched, or cropped; the likelier first.
    """
    display = geometry.display
    own = display.width * geometry.pixel_aspect / display.height
    if abs(aspect / own - 1.0) < SAME_ASPECT:
        return [display]
    wide, high = round(display.width * aspect / own), round(display.height * own / aspect)
    across = Box(
        x=display.x + (display.width - wide) // 2,
        y=display.y,
        width=max(wide, 1),
        height=display.height,
    )
    along = Box(
        x=display.x,
        y=display.y + (display.height - high) // 2,
        width=display.width,
        height=max(high, 1),
    )
    fitted, cropped = (across, along) if aspect > own else (along, across)
    room = fitted.area <= MOST_AROUND * display.area
    return [fitted, display, cropped] if room else [display, cropped]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    """One look at a clip for what a host shows."""

    plate: Plate
    picture: Picture
    thumbnails: Thumbnails
    check_ending: Callable[[], None]
    missing: set[int]
    known: dict[tuple[int, Box], float] = field(default_factory=dict)

    def cells(self, frame: int, box: Box) -> Cells:
        self.check_ending()
        key = self.plate.key(frame)
        return self.thumbnails.of(key, self.plate.colour, box, lambda: self.plate.read(frame))

    def stress(self, frame: int, box: Box) -> float:
        """Return how far a frame is from what is shown."""
        if (frame, box) not in self.known:
            self.known[frame, box] = stress(self.picture.ranks, self.cells(frame, box))
        return self.known[frame, box]

    def stress_of_other(self, frame: int, box: Box) -> float:
        """Return the same of a frame that nobody asked for: one that cannot be read is not it."""
        if self.plate.first <= frame <= self.plate.last and frame not in self.missing:
            with suppress(InputError):
                return self.stress(frame, box)
        return inf

    def best_box(self, frame: int, boxes: list[Box]) -> Box:
        """Return what is shown of a frame: the first box, or one that fits clearly better."""
        best = boxes[0]
        for box in boxes[1:]:
            if self.stress(frame, box) < CLEARLY * self.stress(frame, best):
                best = box
        return best

    def is_shown(self, frame: int, box: Box) -> bool:
        """Return whether a frame may be what is shown."""
        own = self.stress(frame, box)
        if own <= SURE or own > SLACK:
            return own <= SURE
        return self.stress_of_other(self.better(frame, box), box) >= CLEARLY * own

    def better(self, frame: int, box: Box) -> int:
        """Return the neighbour that fits best."""
        near = [frame + sign * by for by in range(1, NEIGHBOURS + 1) for sign in (-1, 1)]
        return min(near, key=lambda other: self.stress_of_other(other, box))

    def search(self, start: int, boxes: list[Box]) -> Match | None:
        """Return the frame that is shown, the nearest where several may be; None where none is."""
        best, least = None, inf
        for frame in self._outwards(start):
            with suppress(InputError):
                box = self.best_box(frame, boxes)
                if (own := self.stress(frame, box)) < least:
                    best, least = Match(frame=frame, box=box), own
            if least <= SURE:
                break
        if best is None:
            return None
        best = self.downhill(best)
        return best if self.is_shown(best.frame, best.box) else None

    def _outwards(self, start: int) -> Iterator[int]:
        first, last = self.plate.first, self.plate.last
        for by in range(max(start - first, last - start) + 1):
            for frame in dict.fromkeys((start - by, start + by)):
                if first <= frame <= last and frame not in self.missing:
                    yield frame

    def downhill(self, found: Match) -> Match:
        """Return the frame beside one that fits where it fits best."""
        frame, box = found.frame, found.box
        while True:
            near = min((frame - 1, frame + 1), key=lambda other: self.stress_of_other(other, box))
            if self.stress_of_other(near, box) >= self.stress(frame, box):
                return Match(frame=frame, box=box)
            frame = near

    def refusal(self, frame: int, box: Box) -> InputError:
        """Return the error for a picture that is not the frame's."""
        other = self.better(frame, box)
        named = self.stress_of_other(other, box) <= SURE
        says = f"; it is that of frame {other}" if named else ""
        by = f"here by {other - frame:+d}, " if named else ""
        return InputError(
            f"The host shows another picture than frame {frame} of {self.plate.name} has{says}.",
            remedy=f"Change the node's Plate Offset, {by}or set its Plate Check to Search the"
            " Clip.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=frame,
            path=self.plate.name,
        )


def _not_found(plate: Plate) -> InputError:
    return InputError(
        f"No frame of {plate.name} shows the host's picture.",
        remedy="Name the file of this clip in the node's Plate File; or, where the picture is"
        " another on purpose, set its Plate Check to Do Not Compare.",
        code=ErrorCode.PLATE_MISMATCH,
        path=plate.name,
    )
