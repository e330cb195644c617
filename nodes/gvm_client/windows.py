"""The window plan: which frames the model sees together, as pure integer functions.

- The grid is anchored at the clip's first frame (and at each cut), never at the requested range.
- Every window is full length, unless its shot is shorter than one window.
- A frame's alpha is the fold, in window order, of the alphas of the windows that cover it;
  window k enters with weight (j + 1) / (L + 1) at position j of the L frames that it shares
  with its predecessor.
- Nothing here depends on the request, so any range of a clip gives the same mattes.
- An engine may look at `reach` frames around a window besides; their alphas are thrown away, so
  they are counted in the shot and cut only at its ends.

`frame` is the host's number. The C++ bridge has the same functions; both are tied by
`tests/golden/windows.json`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

from gvm_client.errors import ErrorCode, InputError, SettingsError
from gvm_client.settings import PlanKind, WindowSettings


@dataclass(frozen=True, kw_only=True, slots=True, order=True)
class Window:
    """Consecutive frames `first..last`, both included, that the model sees together."""

    first: int
    last: int

    def __len__(self) -> int:
        return self.last - self.first + 1

    def __contains__(self, frame: int) -> bool:
        return self.first <= frame <= self.last

    @property
    def frames(self) -> range:
        """The host's frame numbers of this window."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Blend:
    """One window's share in a frame: `alpha += (its alpha - alpha) * numerator / denominator`."""

    window: Window
    numerator: int
    denominator: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """A clip's grid: its extent, its window and its cuts.

    Attributes:
        first: the clip's first frame, the anchor.
        last: the clip's last frame.
        frames_per_window: W, at least 1.
        overlap: O, from 0 to W // 2.
        kind: the seamless grid, or the original program's batches (which ignore the overlap).
        cuts: frames where a new shot begins, ascending, within first + 1 .. last.
        reach: frames on each side of a window that its engine looks at besides.

    Raises:
        SettingsError: the extent is empty, a cut lies outside it, or W and O do not fit.
    """

    first: int
    last: int
    frames_per_window: int
    overlap: int
    kind: PlanKind = PlanKind.SEAMLESS
    # A plan is looked up for each frame: no hash goes through thousands of cuts each time.
    cuts: tuple[int, ...] = field(default=(), hash=False)
    reach: int = 0

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise SettingsError(f"The clip {self.first}-{self.last} is empty.")
        WindowSettings(frames_per_window=self.frames_per_window, overlap=self.overlap)
        if list(self.cuts) != sorted(set(self.cuts)):
            raise SettingsError(f"The cuts {list(self.cuts)} must ascend, each named once.")
        for cut in self.cuts:
            if not self.first < cut <= self.last:
                raise SettingsError(
                    f"The cut at frame {cut} lies outside the clip {self.first}-{self.last}.",
                    remedy="A cut is the first frame of a new shot, after the clip's first frame.",
                )

    @classmethod
    def of(
        cls,
        settings: WindowSettings,
        *,
        first: int,
        last: int,
        cuts: Iterable[int] = (),
        reach: int = 0,
    ) -> Plan:
        """Return the plan of a clip under an artist's window settings, for an engine's reach."""
        return cls(
            first=first,
            last=last,
            frames_per_window=settings.frames_per_window,
            overlap=settings.overlap,
            kind=settings.plan,
            cuts=tuple(cuts),
            reach=reach,
        )


def shot_of(plan: Plan, frame: int) -> Window:
    """Return the extent of the shot that holds a frame.

    Raises:
        InputError: the frame lies outside the clip.
    """
    if not plan.first <= frame <= plan.last:
        raise InputError(
            f"Frame {frame} lies outside the clip {plan.first}-{plan.last}.",
            remedy="Ask for frames of the clip, or set its extent with first and last.",
            code=ErrorCode.RANGE_OUTSIDE,
            frame=frame,
        )
    after = bisect_right(plan.cuts, frame)
    return Window(
        first=plan.cuts[after - 1] if after else plan.first,
        last=plan.cuts[after] - 1 if after < len(plan.cuts) else plan.last,
    )


def window_count(plan: Plan, shot: Window) -> int:
    """Return how many windows a shot has."""
    width, length = plan.frames_per_window, len(shot)
    if plan.kind is PlanKind.REFERENCE:
        return -(-length // width)
    if length <= width:
        return 1
    # One every stride while they fit; if they leave a rest, one more, shifted back.
    return 1 + -(-(length - width) // _stride(plan))


def window_at(plan: Plan, shot: Window, index: int) -> Window:
    """Return window `index` (0-based) of a shot."""
    first = shot.first + index * _stride(plan)
    if plan.kind is PlanKind.SEAMLESS:
        first = max(min(first, shot.last - plan.frames_per_window + 1), shot.first)
    return Window(first=first, last=min(first + plan.frames_per_window - 1, shot.last))


@lru_cache(1024)  # who sorts a clip's frames asks thrice of each
def windows_covering(plan: Plan, frame: int) -> tuple[Window, ...]:
    """Return the windows that hold a frame, in window order: one, two, or three at a clip's tail.

    Raises:
        InputError: the frame lies outside the clip.
    """
    shot = shot_of(plan, frame)
    stride, count = _stride(plan), window_count(plan, shot)
    offset = frame - shot.first
    lowest = max(0, -(-(offset - plan.frames_per_window + 1) // stride))
    highest = min(offset // stride, count - 1)
    indices = set(range(lowest, highest + 1)) | {count - 1}
    windows = (window_at(plan, shot, index) for index in sorted(indices) if index < count)
    return tuple(window for window in windows if frame in window)


def blends(plan: Plan, frame: int) -> tuple[Blend, ...]:
    """Return the fold that makes a frame's alpha: the first share is always 1/1.

    Raises:
        InputError: the frame lies outside the clip.
    """
    covering = windows_covering(plan, frame)
    fold = [Blend(window=covering[0], numerator=1, denominator=1)]
    for before, window in pairwise(covering):
        shared = before.last - window.first + 1
        fold.append(
            Blend(window=window, numerator=frame - window.first + 1, denominator=shared + 1)
        )
    return tuple(fold)


def seen_by(plan: Plan, window: Window) -> Window:
    """Return a window with the frames around it that its engine looks at besides.

    Raises:
        InputError: the window lies outside the clip.
    """
    shot = shot_of(plan, window.first)
    return Window(
        first=max(shot.first, window.first - plan.reach),
        last=min(shot.last, window.last + plan.reach),
    )


def needs(plan: Plan, frame: int) -> Window:
    """Return the extent of plate frames that one render of a frame needs.

    It is what a host must be able to give: W frames, 2W - O in an overlap, and at most 2W - 1
    where the last window of a shot was shifted back onto an overlap; and the reach on each side.

    Raises:
        InputError: the frame lies outside the clip.
    """
    covering = windows_covering(plan, frame)
    return Window(
        first=seen_by(plan, covering[0]).first,
        last=seen_by(plan, covering[-1]).last,
    )


def windows_for(plan: Plan, frames: Iterable[int]) -> Iterator[Window]:
    """Yield the windows that the frames need, each once, in the order of first need.

    Raises:
        InputError: a frame lies outside the clip.
    """
    seen: set[Window] = set()
    same = range(0)  # frames that need no window but those of the first of them
    for frame in frames:
        if frame in same:
            continue
        same = range(frame, _next_start(plan, frame))
        for window in windows_covering(plan, frame):
            if window not in seen:
                seen.add(window)
                yield window


def _next_start(plan: Plan, frame: int) -> int:
    """Return the first frame after this one where a window begins; else the shot's end."""
    shot = shot_of(plan, frame)
    count = window_count(plan, shot)
    after = (frame - shot.first) // _stride(plan) + 1
    # The last window of a shot is shifted back, and may begin before it.
    starts = (window_at(plan, shot, index).first for index in (after, count - 1) if index < count)
    return min((start for start in starts if start > frame), default=shot.last + 1)


def _stride(plan: Plan) -> int:
    if plan.kind is PlanKind.REFERENCE:
        return plan.frames_per_window
    return plan.frames_per_window - plan.overlap
