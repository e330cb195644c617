"""Whether the joints of windows show: do border frames change more than inner ones?

Two neighbours are a border pair where the shares of windows change between them, and an inner pair
where both are one and the same window's alone. The score is the ratio of the mean changes: 1.0 is
perfect. A subject's own motion is in both, so a long clip's score says more than a short one's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gvm_client.engines import EngineName
from gvm_client.text import counted
from gvm_client.windows import Window

Windows: TypeAlias = tuple[Window, ...]

PAIRS_LEAST = 4  # of each kind; a mean of fewer says nothing
ROUNDING = 1e-5  # change that a half's rounding may make by itself, as a share of a whole frame


@dataclass(frozen=True, kw_only=True, slots=True)
class SeamScore:
    """How much more border frames change than inner ones.

    Attributes:
        score: 1.0 is perfect; None where there is none.
        border: how many border pairs it was made of.
        inner: how many inner ones.
        note: why there is no score, in a whole sentence; "" where there is one.
    """

    score: float | None = None
    border: int = 0
    inner: int = 0
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """Two neighbours of a clip.

    Attributes:
        frame: the later one's number.
        change: root mean square change of alpha, 0..1.
        before: the windows of the earlier frame.
        after: those of the later one.
    """

    frame: int
    change: float
    before: Windows
    after: Windows

    @property
    def is_border(self) -> bool:
        """Whether the shares of windows change between them."""
        return self.before != self.after or len(self.after) > 1


def is_windowed(engine: str) -> bool:
    """Return whether an engine's frames depend on windows, as far as it is known by this name."""
    return engine not in set(EngineName) or EngineName(engine).windowed


def windows_in(frame: int, said: str) -> Windows:
    """Return the windows that a frame's file names, such as `1001-1008 1008-1015`.

    Returns:
        None of them where one does not hold the frame: the file was copied from the cache, where
        another frame of the same pixels has put it.
    """
    try:
        found = tuple(_window(name) for name in said.split())
    except ValueError:
        return ()
    return found if all(frame in window for window in found) else ()


def seam_score(pairs: Iterable[Pair], engine: str) -> SeamScore:
    """Return a clip's score.

    Where most of a clip's windows overlap, neighbours that have none in common are of two shots,
    and do not count.

    Args:
        pairs: of neighbours; those of frames whose windows are not known do not count.
        engine: as the files name it; "" where they do not.
    """
    if not is_windowed(engine):
        says = f"Frames of the {engine} engine do not depend on windows, so they have no seams."
        return SeamScore(note=says)
    known = [pair for pair in pairs if pair.before and pair.after]
    joined = [pair for pair in known if set(pair.before) & set(pair.after)]
    if 2 * sum(pair.is_border for pair in joined) > sum(pair.is_border for pair in known):
        known = joined
    if not known:
        says = "The mattes do not say in which windows they were made: no seam score."
        return SeamScore(note=says)
    border = [pair.change for pair in known if pair.is_border]
    inner = [pair.change for pair in known if not pair.is_border]
    if min(len(border), len(inner)) < PAIRS_LEAST:
        note = (
            f"{counted(len(border), 'pair')} of frames at windows' borders and {len(inner)}"
            f" within: a seam score needs {PAIRS_LEAST} of each."
        )
        return SeamScore(border=len(border), inner=len(inner), note=note)
    score = (_mean(border) + ROUNDING) / (_mean(inner) + ROUNDING)
    return SeamScore(score=score, border=len(border), inner=len(inner))


def _window(name: str) -> Window:
    """Return a window of a text such as `-8--1`; raises ValueError where it is none."""
    found = re.fullmatch(r"(-?\d+)-(-?\d+)", name)
    if found is None:
        raise ValueError(name)
    return Window(first=int(found[1]), last=int(found[2]))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
