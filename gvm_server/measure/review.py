"""A shot's figures, frame by frame, from its finished mattes and their plate.

A few threads read and look at single frames; what two neighbours have to be compared for is done
here, in order. At most READ_AHEAD frames are in memory, however long the clip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias

from gvm_client.errors import ErrorCode, InputError
from gvm_client.frames import abbreviated_frames
from gvm_server.measure import quality
from gvm_server.measure.clips import MatteClip
from gvm_server.measure.seams import Pair, SeamScore, Windows, is_windowed, seam_score, windows_in
from gvm_server.media.geometry import describe, on_display
from gvm_server.media.pixels import Pixels
from gvm_server.media.plates.base import Plate
from gvm_server.media.plates.sequence import ImagePlate

READERS, READ_AHEAD = 3, 6
ENGINE, WINDOWS = "gvm:engine", "gvm:windows"  # what alphas' files say


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameFigures:
    """What can be said of one frame; None where there is nothing to say it of.

    Attributes:
        frame: its number.
        coverage: mean alpha, 0..1.
        coverage_change: how much that changed since the frame before, 0..1.
        flicker: mean change of alpha at edges where the plate stands still, 0..1.
        change: root mean square change of alpha over the whole frame, 0..1.
        border: whether windows' shares change between the frame before and this one.
        blobs: islands beside the figures.
        holes: enclosed regions of the background.
    """

    frame: int
    coverage: float
    coverage_change: float | None = None
    flicker: float | None = None
    change: float | None = None
    border: bool = False
    blobs: int
    holes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Review:
    """A shot's figures.

    Attributes:
        plate: the plate's name.
        matte: the matte's.
        frames: each frame's figures, ascending.
        seam: whether windows' joints show.
        texts: what the first matte's file says of how it was made.
        notes: what a person should know, in whole sentences.
    """

    plate: str
    matte: str
    frames: tuple[FrameFigures, ...]
    seam: SeamScore
    texts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def engine(self) -> str:
        """The engine, as the files name it; "" where they do not."""
        return _engine_in(self.texts)

    @property
    def is_preview(self) -> bool:
        """Whether the files say that their mattes are preview grade."""
        return self.texts.get(ENGINE, "").endswith("(preview)")


Look: TypeAlias = tuple[FrameFigures, Pair | None]
"""A frame's figures, and how it changed from the frame before; None where that is not compared."""


class Viewer(Protocol):
    """Makes something of every frame that is looked at."""

    def see(self, plate: Pixels, alpha: Pixels) -> object:
        """Make something of a plate [H, W, 3], as stored, and its alpha [H, W]; on any thread."""
        ...

    def take(self, seen: Any) -> None:  # noqa: ANN401 (it is its own)
        """Take what was made, in the order of the frames, on one thread."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Looked:
    """One frame, and what its neighbours need of it."""

    figures: FrameFigures
    alpha: Pixels
    lines: Pixels
    cells: Pixels
    windows: Windows
    seen: Any


def frames_of(
    plate: Plate, matte: MatteClip, wanted: Collection[int] | None
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the frames to look at, ascending, and what is to be said of those left out.

    Raises:
        InputError: PLATE_MISSING: one that is wanted is not there, or the two have none in common.
    """
    theirs = set(range(plate.first, plate.last + 1)) - set(plate.missing())
    ours = set(matte.frames)
    if wanted is not None:
        for what, name, there in (("plate", plate.name, theirs), ("matte", matte.name, ours)):
            if lacking := sorted(set(wanted) - there):
                raise InputError(
                    f"The {what} {name} has no frame {abbreviated_frames(lacking)}.",
                    remedy="Make them first, or leave them out of --frames.",
                    code=ErrorCode.PLATE_MISSING,
                    path=name,
                )
        return tuple(sorted(set(wanted))), ()
    common = sorted(theirs & ours)
    if not common:
        raise InputError(
            f"The matte {matte.name} has none of the plate's frames"
            f" {abbreviated_frames(theirs)}; it has {abbreviated_frames(ours)}.",
            remedy="Name a plate and its own matte: frames are matched by their numbers (a movie's"
            " count from 1). --offset shifts the matte's:"
            f" --offset {matte.offset + min(theirs) - min(ours)} has both begin together.",
            code=ErrorCode.PLATE_MISSING,
            path=matte.name,
        )
    notes = []
    if matte.counts_from_one and len(ours) < len(theirs):
        notes.append(
            f"The movie's {len(ours)} mattes are taken for those from frame {common[0]} on; if they"
            " begin elsewhere, say so with --offset."
        )
    if without := theirs - ours:
        notes.append(f"Not made yet: {abbreviated_frames(without)}.")
    if more := ours - theirs:
        notes.append(f"Mattes without a plate: {abbreviated_frames(more)}.")
    return tuple(common), tuple(notes)


def look_through(
    plate: Plate,
    matte: MatteClip,
    frames: Sequence[int],
    *,
    cuts: Collection[int] = (),
    tell: Callable[[int], None] = lambda _: None,
    viewer: Viewer | None = None,
) -> list[Look]:
    """Look at these frames, in order.

    Args:
        plate: what was matted.
        matte: its finished mattes.
        frames: ascending.
        cuts: frames where a new shot begins: not compared with the frame before.
        tell: called with how many frames are done, after each.
        viewer: sees each frame besides; without one only a part of a plate is read.

    Raises:
        InputError: a frame is missing, unreadable, or of another size than its plate.
    """
    looks: list[Look] = []
    before: _Looked | None = None
    for looked in _in_order(plate, matte, frames, viewer):
        frame = looked.figures.frame
        if before is not None and before.figures.frame == frame - 1 and frame not in cuts:
            looks.append(_compared(before, looked))
        else:
            looks.append((looked.figures, None))
        if viewer is not None:
            viewer.take(looked.seen)
        before = looked
        tell(len(looks))
    return looks


def review_of(plate: Plate, matte: MatteClip, looks: Sequence[Look]) -> Review:
    """Return what looks at a clip's frames say together; there is one at least."""
    texts = matte.texts(looks[0][0].frame)
    engine = _engine_in(texts)
    windowed = is_windowed(engine)
    return Review(
        plate=plate.name,
        matte=matte.name,
        frames=tuple(
            replace(figures, border=windowed and pair is not None and pair.is_border)
            for figures, pair in looks
        ),
        seam=seam_score([pair for _, pair in looks if pair is not None], engine),
        texts=texts,
        notes=(*plate.notes, *matte.notes),
    )


def _engine_in(texts: Mapping[str, str]) -> str:
    return texts.get(ENGINE, "").partition(" ")[0]


def _in_order(
    plate: Plate, matte: MatteClip, frames: Sequence[int], viewer: Viewer | None
) -> Iterator[_Looked]:
    """Yield the frames in order; a few of them are read ahead."""
    ahead: deque[Future[_Looked]] = deque()
    with ThreadPoolExecutor(READERS, thread_name_prefix="looks") as pool:
        try:
            for frame in frames:
                ahead.append(pool.submit(_look, plate, matte, frame, viewer))
                if len(ahead) >= READ_AHEAD:
                    yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _look(plate: Plate, matte: MatteClip, frame: int, viewer: Viewer | None) -> _Looked:
    """Read one frame's matte and its plate, and say what can be said of it alone."""
    alpha = matte.read(frame)
    whole: Pixels | None = None
    if viewer is None and isinstance(plate, ImagePlate):
        header, lines = plate.read_display_lines(frame, quality.spans_of)
        display = header.display
    else:
        shown = plate.read(frame)
        display = shown.header.display
        whole = on_display(shown.pixels, shown.header.data, display)
        lines = quality.lines_in(whole, quality.spans_of(display.height))
    if (display.height, display.width) != alpha.shape:
        height, width = alpha.shape
        raise InputError(
            f"The matte of frame {frame} is {width}x{height}, its plate {describe(display)}.",
            remedy="Name a plate and its own matte.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=frame,
            path=plate.name,
        )
    cells = quality.cells_of(lines)
    found = quality.regions(alpha)
    return _Looked(
        figures=FrameFigures(
            frame=frame, coverage=quality.coverage(alpha), blobs=found.blobs, holes=found.holes
        ),
        alpha=alpha,
        lines=quality.lines_in(alpha, quality.spans_of(display.height)),
        cells=plate.colour.to_display(cells) if cells.size else cells,
        seen=None if viewer is None or whole is None else viewer.see(whole, alpha),
        windows=windows_in(frame, matte.texts(frame).get(WINDOWS, "")),
    )


def _compared(before: _Looked, after: _Looked) -> Look:
    """Return a frame's figures with those that its neighbour is needed for."""
    if before.alpha.shape != after.alpha.shape:
        raise InputError(
            f"The matte of frame {after.figures.frame} is of another size than the one before.",
            remedy="Make it again.",
            code=ErrorCode.PLATE_MISMATCH,
            frame=after.figures.frame,
        )
    own = after.figures
    pair = Pair(
        frame=own.frame,
        change=quality.change(before.alpha, after.alpha),
        before=before.windows,
        after=after.windows,
    )
    still = quality.still_cells(before.cells, after.cells)
    return (
        FrameFigures(
            frame=own.frame,
            coverage=own.coverage,
            coverage_change=abs(own.coverage - before.figures.coverage),
            flicker=quality.flicker(before.lines, after.lines, still),
            change=pair.change,
            blobs=own.blobs,
            holes=own.holes,
        ),
        pair,
    )
