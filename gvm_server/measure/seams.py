"""Whether the joints of windows show: do border frames change more than inner ones?

A frame's windows are those that its file names. Two neighbours are a border pair where the shares
of windows change between them, and an inner pair where both are one and the same window's alone.
The score is the ratio of the mean changes: 1.0 is perfect. A subject's own motion is in both, so
the score of a long clip says more than that of a short one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gvm_client.engines import EngineName
from gvm_client.text import counted

Windows = frozenset[str]

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


def windows_in(text: str) -> Windows:
    """Return the windows that a file's text names, such as `1001-1008 1008-1015`."""
    return frozenset(text.split())


def seam_score(pairs: Iterable[Pair], engine: str, overlap: int) -> SeamScore:
    """Return a clip's score.

    Args:
        pairs: of neighbours; those of frames that name no windows do not count.
        engine: as the files name it; "" where they do not.
        overlap: frames that windows share. Where they share some, neighbours without a common
            window belong to two shots.
    """
    if engine in set(EngineName) and not EngineName(engine).windowed:
        return SeamScore(
            note=f"The {engine} engine's frames do not depend on windows: it has no seams."
        )
    known = [pair for pair in pairs if pair.before and pair.after]
    known = [pair for pair in known if not overlap or pair.before & pair.after]
    if not known:
        return SeamScore(note="The mattes do not say which windows they were made in: no score.")
    border = [pair.change for pair in known if pair.is_border]
    inner = [pair.change for pair in known if not pair.is_border]
    found = SeamScore(border=len(border), inner=len(inner))
    if min(len(border), len(inner)) < PAIRS_LEAST:
        return SeamScore(
            border=found.border,
            inner=found.inner,
            note=f"There are {counted(found.border, 'pair')} of frames at windows' borders and"
            f" {found.inner} within windows; a score needs {PAIRS_LEAST} of each.",
        )
    score = (_mean(border) + ROUNDING) / (_mean(inner) + ROUNDING)
    return SeamScore(score=score, border=found.border, inner=found.inner)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
