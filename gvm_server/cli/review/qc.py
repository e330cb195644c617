"""`gvm qc`: a shot's figures without a truth, and an exit code where a limit is passed."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict, fields

from gvm_client.frames import abbreviated_frames, format_frames
from gvm_client.process import Exit
from gvm_client.text import counted
from gvm_server.cli.review.limits import by_limit, limits_of, not_checked
from gvm_server.cli.review.parts import reviewed
from gvm_server.cli.review.shot import opened
from gvm_server.cli.terminal import as_json
from gvm_server.measure.review import FrameFigures, Review
from gvm_server.measure.verdict import FIGURES, Excess, excesses, unlike_frames

_NAMED = 10  # unlike frames that a person is told of


def run(parsed: argparse.Namespace) -> int:
    """Look at a shot's mattes, print the figures; exit CHECK_FAILED where a limit is passed.

    Raises:
        SettingsError: a limit or a range cannot be used.
        InputError: a frame is missing, unreadable, or of another size than its plate.
    """
    limits = limits_of(parsed)
    with opened(parsed) as shot:
        review = reviewed(parsed, shot)
    notes = (*shot.notes, *review.notes, *not_checked(review, limits))
    passed = excesses(review, limits, parsed.min_coverage)
    if parsed.csv:
        _print_csv(review)
        _print_to(sys.stderr, (*notes, *_verdict(review, passed)))
    elif parsed.json:
        print(as_json(_as_fields(review, limits, passed, notes)))
    else:
        _print_to(sys.stderr, notes)
        _print_to(sys.stdout, [*_summary(review), *_verdict(review, passed)])
    return Exit.CHECK_FAILED if passed else Exit.DONE


def _summary(review: Review) -> list[str]:
    """Return the clip's figures as lines for a person."""
    numbers = [frame.frame for frame in review.frames]
    shares = [frame.coverage for frame in review.frames]
    lines = [
        f"{counted(len(numbers), 'frame')}: {abbreviated_frames(numbers)}",
        f"{'Coverage':18}{sum(shares) / len(shares):10.4f} mean  {min(shares):.4f} least",
    ]
    for figure in FIGURES.values():
        known = [
            (value, each.frame) for each in review.frames if (value := figure.of(each)) is not None
        ]
        if not known:
            lines.append(f"{figure.label:18}{'-':>10}")
            continue
        mean = sum(value for value, _ in known) / len(known)
        most, where = max(known, key=lambda pair: pair[0])
        shown = f"{most:.0f}" if figure.whole else f"{most:.4f}"
        lines.append(f"{figure.label:18}{mean:10.4f} mean  {shown} most, at frame {where}")
    seam = review.seam
    if seam.score is None:
        return [*lines, f"{'Seam score':18}{'-':>10}  {seam.note}"]
    of = f"{counted(seam.border, 'pair')} of frames at windows' borders, {seam.inner} within"
    return [*lines, f"{'Seam score':18}{seam.score:10.3f}  {of}"]


def _verdict(review: Review, passed: Sequence[Excess]) -> list[str]:
    """Return what is to be looked at, as lines for a person."""
    lines = [each.says for each in by_limit(passed)]
    if unlike := unlike_frames(review):
        named = ", ".join(map(str, unlike[:_NAMED]))
        more = f" and {len(unlike) - _NAMED} more" if len(unlike) > _NAMED else ""
        lines.append(f"Unlike the others, the worst first: {named}{more}.")
    return lines


def _as_fields(
    review: Review, limits: dict[str, float], passed: Sequence[Excess], notes: Sequence[str]
) -> dict[str, object]:
    return {
        "plate": review.plate,
        "matte": review.matte,
        "engine": review.engine,
        "frames": format_frames([frame.frame for frame in review.frames]),
        "count": len(review.frames),
        "seam": asdict(review.seam),
        "limits": limits,
        "passed": [asdict(excess) for excess in passed],
        "look_at": sorted({excess.frame for excess in passed}),
        "unlike": unlike_frames(review),
        "figures": [asdict(frame) for frame in review.frames],
        "notes": notes,
    }


def _print_csv(review: Review) -> None:
    names = [field.name for field in fields(FrameFigures)]
    table = csv.writer(sys.stdout, lineterminator="\n")
    table.writerow(names)
    for frame in review.frames:
        values = asdict(frame)
        table.writerow([_cell(values[name]) for name in names])


def _cell(value: float | bool | None) -> str:  # noqa: FBT001
    """Return a value as a table has it: nothing where there is none, 1 for yes."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(int(value))


def _print_to(stream: object, lines: Sequence[str]) -> None:
    for line in lines:
        print(line, file=stream)  # type: ignore[call-overload]
