"""`gvm sheet`: the worst frames of a shot, and some others, as one picture."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from gvm_client.errors import ErrorCode, SettingsError
from gvm_client.process import Exit
from gvm_server.cli.matte.request import absolute
from gvm_server.cli.review.parts import reviewed
from gvm_server.cli.review.shot import Shot, opened
from gvm_server.measure.review import Review
from gvm_server.measure.verdict import FIGURES, UNLIKE, worst_first
from gvm_server.media.file_access import Roots
from gvm_server.media.geometry import on_display
from gvm_server.media.outputs.alpha_files import AlphaFiles
from gvm_server.media.outputs.sheet import (
    ENDINGS,
    Picture,
    Row,
    contact_sheet,
    is_marked,
    write_picture,
)

MOST_ROWS = 200
WIDTHS = range(64, 2049)  # pixels of a cell


def run(parsed: argparse.Namespace) -> int:
    """Write the picture.

    Raises:
        SettingsError: the name's ending, or a number, cannot be used.
        InputError: a frame is missing, unreadable, or of another size than its plate.
        OutputError: the picture cannot be written, or would replace a file that is not ours.
    """
    check_rows(parsed)
    out = Path(absolute(parsed.out))
    with opened(parsed) as shot:
        prove_output(out, shot, ENDINGS, overwrite=parsed.overwrite)
        picture = sheet_of(shot, reviewed(parsed, shot), parsed.rows, parsed.width)
    write_picture(out, picture)
    print(f"{out} is written.")
    return Exit.DONE


def check_rows(parsed: argparse.Namespace) -> None:
    """Check the options of a sheet.

    Raises:
        SettingsError: one is out of its range.
    """
    if not 1 <= parsed.rows <= MOST_ROWS:
        raise SettingsError(f"--rows is {parsed.rows}; it must be from 1 to {MOST_ROWS}.")
    if parsed.width not in WIDTHS:
        raise SettingsError(
            f"--width is {parsed.width}; it must be from {WIDTHS[0]} to {WIDTHS[-1]} pixels."
        )


def prove_output(out: Path, shot: Shot, endings: Sequence[str], *, overwrite: bool) -> None:
    """Prove, before a long look, that a file may be written.

    Raises:
        SettingsError: its name has none of these endings.
        OutputError: it cannot be, or is the shot's own, or not ours.
    """
    if out.suffix.lower() not in endings:
        raise SettingsError(
            f"The output {out} ends with {out.suffix!r}.",
            remedy=f"Name it with one of {', '.join(endings)}.",
            code=ErrorCode.BAD_REQUEST,
            path=str(out),
        )
    own = (("finished matte", shot.matte.name),)
    files = AlphaFiles(target=out, plate=shot.plate.name, roots=Roots(), kept=own)
    files.check([shot.frames[0]], overwrite=overwrite, ours=is_marked)


def sheet_of(shot: Shot, review: Review, rows: int, width: int) -> Picture:
    """Return the sheet of a shot: frames unlike the others first, the worst before the others.

    Raises:
        InputError: a frame went away, or cannot be read any more.
    """
    aspect = shot.plate.header(shot.frames[0]).pixel_aspect
    lines = _rows(shot, review, rows)
    return contact_sheet(lines, width=width, pixel_aspect=aspect, preview=review.is_preview)


def chosen(review: Review, rows: int) -> list[tuple[int, bool]]:
    """Return so many frames, each with whether it is unlike the others.

    Those that are unlike come first, the worst before the others; then frames spread over the clip.
    """
    ranked = worst_first(review)
    unlike = [frame for frame, off in ranked if off >= UNLIKE][:rows]
    others = sorted(frame for frame, _ in ranked if frame not in unlike)
    left = min(rows - len(unlike), len(others))
    places = np.linspace(0, len(others) - 1, left).round().astype(int).tolist()
    return [*((frame, True) for frame in unlike), *((others[at], False) for at in places)]


def _rows(shot: Shot, review: Review, rows: int) -> Iterator[Row]:
    figures = {frame.frame: frame for frame in review.frames}
    for frame, alarm in chosen(review, rows):
        shown = shot.plate.read(frame)
        display = shot.plate.colour.to_display(shown.pixels)
        said = []
        for figure in FIGURES.values():
            value = figure.of(figures[frame])
            if value is not None:
                said.append(f"{figure.label.lower()} {value:.{0 if figure.whole else 4}f}")
        yield Row(
            picture=on_display(display, shown.header.data, shown.header.display),
            alpha=np.clip(shot.matte.read(frame), 0.0, 1.0),
            caption="   ".join([f"frame {frame}", *said, *(["LOOK"] if alarm else [])]),
            alarm=alarm,
        )
