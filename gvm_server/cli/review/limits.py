"""The limits of `gvm qc` and `gvm report`, and what is said where one is passed."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gvm_client.declaration import option_of
from gvm_client.errors import SettingsError
from gvm_client.frames import abbreviated_frames
from gvm_server.cli.review.options import LIMITS
from gvm_server.measure.review import Review
from gvm_server.measure.seams import is_windowed
from gvm_server.measure.verdict import FIGURES, SEAM, Excess


@dataclass(frozen=True, kw_only=True, slots=True)
class Passed:
    """One limit that is passed.

    Attributes:
        says: a whole sentence, with the values.
        frames: those to look at, ascending.
    """

    says: str
    frames: tuple[int, ...]


def limits_of(parsed: argparse.Namespace) -> dict[str, float]:
    """Return the limits that options set, by their figures' names.

    Raises:
        SettingsError: one is negative, or no number.
    """
    limits = {
        limit.figure: value
        for limit in LIMITS
        if (value := getattr(parsed, f"max_{limit.figure}")) is not None
    }
    given = {f"max_{figure}": value for figure, value in limits.items()}
    for name, value in {**given, "min_coverage": parsed.min_coverage or 0.0}.items():
        if not value >= 0:
            raise SettingsError(f"{option_of(name)} is {value:g}; it must be 0 or more.")
    return limits


def not_checked(review: Review, limits: Mapping[str, float]) -> tuple[str, ...]:
    """Return a sentence for each limit whose figure the shot does not have: it passes unseen.

    Frames that do not depend on windows hold any limit on seams.
    """
    without = [
        name.replace("_", " ")
        for name in limits
        if name in FIGURES and all(FIGURES[name].of(frame) is None for frame in review.frames)
    ]
    said = [f"Not checked: {name}, which no frame of these has." for name in without]
    if SEAM in limits and review.seam.score is None and is_windowed(review.engine):
        said.append(f"Not checked: {SEAM}. {review.seam.note}")
    return tuple(said)


def by_limit(passed: Sequence[Excess]) -> list[Passed]:
    """Return what is passed, a limit each, with the value that is furthest off."""
    found = []
    for name in dict.fromkeys(excess.figure for excess in passed):
        its = [excess for excess in passed if excess.figure == name]
        worst = max(its, key=lambda excess: abs(excess.value - excess.limit))
        frames = tuple(sorted({excess.frame for excess in its}))
        says = (
            f"Passed: {name.replace('_', ' ')} is {worst.value:.4g}, the limit {worst.limit:g}."
            f" Look at {abbreviated_frames(frames)}."
        )
        found.append(Passed(says=says, frames=frames))
    return found
