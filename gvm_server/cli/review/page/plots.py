"""A figure of every frame as a curve: SVG that a page holds as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from types import MappingProxyType
from typing import NamedTuple

from gvm_server.measure.review import FrameFigures, Review
from gvm_server.measure.verdict import FIGURES

_HEIGHT = 100.0  # of a plot, in its own units; frames are one unit wide


class Plot(NamedTuple):
    """What a plot shows."""

    label: str
    about: str
    of: Callable[[FrameFigures], float | None]


PLOTS: Mapping[str, Plot] = MappingProxyType(
    {
        "coverage": Plot(
            "Coverage", "the matte's share of the frame, 0 to 1", lambda f: f.coverage
        ),
        **{name: Plot(each.label, each.about, each.of) for name, each in FIGURES.items()},
        "seam": Plot(
            "Change",
            "root mean square change since the frame before; lines are windows' borders",
            lambda f: f.change,
        ),
    }
)


def plot(name: str, review: Review, limit: float | None) -> str:
    """Return one plot as HTML.

    Args:
        name: of PLOTS.
        review: a shot's figures.
        limit: a line to draw; a clip's own limit has none.
    """
    shown = PLOTS[name]
    values = [shown.of(frame) for frame in review.frames]
    known = [value for value in values if value is not None]
    per_frame = None if name == "seam" else limit
    most = max((*known, per_frame or 0.0, 1e-9))
    lines = []
    if name == "seam":
        lines += [
            _upright("joint", index) for index, frame in enumerate(review.frames) if frame.border
        ]
    if per_frame is not None:
        y = _height(per_frame, most)
        lines.append(f'<line class="limit" x1="0" x2="{len(values)}" y1="{y}" y2="{y}"/>')
    lines += [f'<path class="curve" d="{_path(values, most)}"/>', _upright("now", 0)]
    spread = f"{min(known):.4g} to {max(known):.4g}" if known else "no frame has one"
    return (
        f'<figure id="plot-{name}"><figcaption><span><b>{escape(shown.label)}</b>'
        f' {escape(shown.about)}</span><span>{spread}; here <b data-figure="{name}"></b></span>'
        f'</figcaption><svg viewBox="0 0 {len(values)} {_HEIGHT:g}" preserveAspectRatio="none"'
        f' role="img" aria-label="{escape(shown.label)} by frame">{"".join(lines)}</svg></figure>'
    )


def _path(values: list[float | None], most: float) -> str:
    """Return a curve that is broken where a value is missing; a lone value is a short line."""
    parts, before = [], False
    for index, value in enumerate(values):
        if value is None:
            before = False
            continue
        y = _height(value, most)
        parts.append(f"L{index + 0.5:g} {y}" if before else f"M{index + 0.1:g} {y}H{index + 0.5:g}")
        before = True
    return "".join(parts)


def _height(value: float, most: float) -> str:
    return f"{_HEIGHT - 2 - (_HEIGHT - 6) * value / most:.2f}"


def _upright(kind: str, index: int) -> str:
    x = f"{index + 0.5:g}"
    return f'<line class="{kind}" x1="{x}" x2="{x}" y1="0" y2="{_HEIGHT:g}"/>'
