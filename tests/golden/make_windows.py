"""Writes windows.json: run `python -m tests.golden.make_windows` after a deliberate change."""

from __future__ import annotations

import json
from pathlib import Path

from gvm_client.settings import PlanKind
from gvm_client.windows import Plan, blends, needs

PATH = Path(__file__).parent / "windows.json"


def plan(
    width: int,
    overlap: int,
    first: int,
    last: int,
    cuts: tuple[int, ...] = (),
    *,
    reach: int = 0,
) -> Plan:
    """Return a seamless plan."""
    return Plan(
        first=first,
        last=last,
        frames_per_window=width,
        overlap=overlap,
        cuts=cuts,
        reach=reach,
    )


def reference(width: int, first: int, last: int, cuts: tuple[int, ...] = ()) -> Plan:
    """Return a plan of the original program's batches."""
    return Plan(
        first=first,
        last=last,
        frames_per_window=width,
        overlap=0,
        kind=PlanKind.REFERENCE,
        cuts=cuts,
    )


PLANS = {
    "one frame": plan(8, 1, 1001, 1001),
    "a clip shorter than a window": plan(8, 1, 1001, 1005),
    "a clip of one window": plan(8, 1, 1001, 1008),
    "one frame more than a window": plan(8, 1, 1001, 1009),
    "the defaults on a grid that fits": plan(8, 1, 1001, 1022),
    "the defaults with the last window shifted back": plan(8, 1, 1001, 1027),
    "no overlap": plan(4, 0, 1, 12),
    "no overlap, shifted back": plan(4, 0, 1, 14),
    "overlap of half a window": plan(8, 4, 1, 20),
    "three windows on one frame": plan(4, 2, 0, 6),
    "half a window, shifted back": plan(16, 8, 1001, 1045),
    "windows of one frame": plan(1, 0, 1, 5),
    "negative frames": plan(4, 1, -7, 6),
    "an odd window": plan(5, 2, -3, 17),
    "one cut": plan(8, 2, 1001, 1030, (1013,)),
    "cuts that leave single frames": plan(4, 1, 1, 12, (2, 3, 12)),
    "the largest window": plan(256, 128, 1, 300),
    "a reach of two": plan(8, 1, 1001, 1027, reach=2),
    "a reach that is cut with the shot": plan(4, 1, 1, 14, (6, 8), reach=2),
    "a reach beyond a short clip": plan(8, 1, 1, 3, reach=2),
    "the original's batches": reference(8, 1001, 1024),
    "the original's ragged tail": reference(8, 1001, 1027),
    "the original's batches with a cut": reference(4, 1, 15, (6,)),
}


def vector(name: str, grid: Plan) -> dict[str, object]:
    """Return a plan and, for each frame, its fold and what it needs."""
    return {
        "name": name,
        "first": grid.first,
        "last": grid.last,
        "frames_per_window": grid.frames_per_window,
        "overlap": grid.overlap,
        "kind": grid.kind.value,
        "cuts": list(grid.cuts),
        "reach": grid.reach,
        "frames": [
            {
                "frame": frame,
                "needs": [needs(grid, frame).first, needs(grid, frame).last],
                "blends": [
                    [share.window.first, share.window.last, share.numerator, share.denominator]
                    for share in blends(grid, frame)
                ],
            }
            for frame in range(grid.first, grid.last + 1)
        ],
    }


def document() -> str:
    """Return the file's text, one plan on a line."""
    lines = ",\n".join(json.dumps(vector(name, grid)) for name, grid in PLANS.items())
    return f'{{"plans": [\n{lines}\n]}}\n'


if __name__ == "__main__":
    PATH.write_text(document(), encoding="utf-8")
