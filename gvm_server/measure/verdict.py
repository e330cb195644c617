"""Which frames of a shot are to be looked at: those past a limit, and those unlike the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from types import MappingProxyType

from gvm_server.measure.review import FrameFigures, Review

SEAM = "seam"  # the one figure that is of the whole clip
UNLIKE = 4.0  # spreads from the median from which a frame is unlike the others
_NORMAL = 1.4826  # a normal distribution's standard deviation in median absolute deviations


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure of a frame, as limits and plots have it.

    Attributes:
        label: for people.
        about: a line of help, without a full stop.
        of: takes it out of a frame's figures; None where the frame has none.
        spread: the least that counts as the usual spread from frame to frame.
        whole: whether it counts things.
    """

    label: str
    about: str
    of: Callable[[FrameFigures], float | None]
    spread: float
    whole: bool = False


FIGURES: Mapping[str, Figure] = MappingProxyType(
    {
        "flicker": Figure(
            label="Flicker",
            about="mean change of alpha at edges where the plate stands still, 0 to 1",
            of=lambda frame: frame.flicker,
            spread=0.002,
        ),
        "coverage_change": Figure(
            label="Coverage change",
            about="change of the matte's share of the frame since the frame before, 0 to 1",
            of=lambda frame: frame.coverage_change,
            spread=0.002,
        ),
        "blobs": Figure(
            label="Blobs",
            about="islands beside the figures",
            of=lambda frame: frame.blobs,
            spread=0.25,
            whole=True,
        ),
        "holes": Figure(
            label="Holes",
            about="regions of the background that the matte encloses",
            of=lambda frame: frame.holes,
            spread=0.25,
            whole=True,
        ),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Excess:
    """A limit that is passed.

    Attributes:
        figure: which one.
        value: the frame's, or the clip's.
        limit: what it was to hold to.
        frame: where; of the clip's own figure, a frame that has a part in it.
    """

    figure: str
    value: float
    limit: float
    frame: int


def excesses(
    review: Review, limits: Mapping[str, float], least_coverage: float | None = None
) -> tuple[Excess, ...]:
    """Return what passes its limit, ascending by frame.

    Args:
        review: a shot's figures.
        limits: the most, by the names of FIGURES or SEAM.
        least_coverage: the least share of the frame that each matte covers.
    """
    found: list[Excess] = []
    for frame in review.frames:
        for name, limit in limits.items():
            value = FIGURES[name].of(frame) if name in FIGURES else None
            if value is not None and value > limit:
                found.append(Excess(figure=name, value=value, limit=limit, frame=frame.frame))
        if least_coverage is not None and frame.coverage < least_coverage:
            excess = Excess(
                figure="coverage", value=frame.coverage, limit=least_coverage, frame=frame.frame
            )
            found.append(excess)
    score, most = review.seam.score, limits.get(SEAM)
    if score is not None and most is not None and score > most:
        found += [
            Excess(figure=SEAM, value=score, limit=most, frame=frame)
            for frame in _worst_borders(review)
        ]
    return tuple(sorted(found, key=lambda excess: excess.frame))


def _worst_borders(review: Review) -> list[int]:
    """Return the border frames that change more than the mean inner one, the worst first.

    Where none does, all of them: a limit below 1 is passed by what changes less.
    """
    changes = [(each.change, each) for each in review.frames if each.change is not None]
    inner = [change for change, each in changes if not each.border]
    usual = sum(inner) / len(inner)
    worst = sorted(changes, key=lambda pair: pair[0], reverse=True)
    border = [(change, each.frame) for change, each in worst if each.border]
    return [frame for change, frame in border if change > usual] or [frame for _, frame in border]


def worst_first(review: Review) -> list[tuple[int, float]]:
    """Return every frame with how unlike the others it is, in spreads, the worst first.

    Of each figure the usual is the clip's median, and its spread the median deviation from that.
    Frames that are alike stay in order.
    """
    unlike = dict.fromkeys((frame.frame for frame in review.frames), 0.0)
    for figure in FIGURES.values():
        values = [(frame.frame, figure.of(frame)) for frame in review.frames]
        known = [(frame, value) for frame, value in values if value is not None]
        if not known:
            continue
        usual = median(value for _, value in known)
        spread = _NORMAL * median(abs(value - usual) for _, value in known)
        for frame, value in known:
            off = (value - usual) / max(spread, figure.spread)
            unlike[frame] = max(unlike[frame], off)
    return sorted(unlike.items(), key=lambda pair: (-pair[1], pair[0]))


def unlike_frames(review: Review) -> tuple[int, ...]:
    """Return the frames that are unlike the others, the worst first."""
    return tuple(frame for frame, off in worst_first(review) if off >= UNLIKE)
