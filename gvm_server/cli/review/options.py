"""The options of `gvm qc`, `gvm sheet` and `gvm report`.

Light, for `gvm --help` must answer at once.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

from gvm_server.cli.matte import options as matte_options

Parser = argparse.ArgumentParser


class LimitOption(NamedTuple):
    """A limit of `gvm qc`; an option's name is made of the figure's."""

    figure: str
    kind: type[int | float]
    help: str


LIMITS = (
    LimitOption(
        "flicker", float, "mean change of alpha at edges where the plate stands still, 0 to 1"
    ),
    LimitOption(
        "seam", float, "how much more frames at windows' borders change than inner ones; 1 is equal"
    ),
    LimitOption("coverage_change", float, "change of the matte's share of the frame, 0 to 1"),
    LimitOption("blobs", int, "islands beside the figures"),
    LimitOption("holes", int, "regions of the background that the matte encloses"),
)


def add_qc(parser: Parser) -> None:
    """Add the options of `gvm qc`."""
    _add_clips(parser)
    _add_limits(parser)
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="for programs")
    output.add_argument("--csv", action="store_true", help="a line for each frame, for tables")


def add_report(parser: Parser) -> None:
    """Add the options of `gvm report`."""
    _add_clips(parser)
    _add_limits(parser)
    _add_output(parser, "FILE.html", "the page", "report.html")
    parser.add_argument(
        "--sheet", metavar="FILE.png", help="write the contact sheet as a picture besides"
    )


def _add_limits(parser: Parser) -> None:
    limits = parser.add_argument_group("limits: where one is passed, the exit code is 1")
    for limit in LIMITS:
        flag = f"--max-{limit.figure.replace('_', '-')}"
        shown = "N" if limit.kind is int else "X"
        limits.add_argument(flag, type=limit.kind, metavar=shown, help=f"{limit.help} (any)")
    limits.add_argument(
        "--min-coverage",
        type=float,
        metavar="X",
        help="the share of the frame that each matte covers, 0 to 1 (any)",
    )


def add_sheet(parser: Parser) -> None:
    """Add the options of `gvm sheet`."""
    _add_clips(parser)
    _add_output(parser, "FILE.png", "the picture, .png or .jpg", "sheet.png")


def _add_output(parser: Parser, metavar: str, about: str, default: str) -> None:
    output = parser.add_argument_group("the output")
    output.add_argument(
        "-o", "--out", default=default, metavar=metavar, help=f"{about} ({default})"
    )
    output.add_argument(
        "--rows",
        type=int,
        default=6,
        metavar="N",
        help="frames on the contact sheet: those unlike the others first, then others (6)",
    )
    output.add_argument(
        "--width", type=int, default=320, metavar="N", help="pixels of a cell of the sheet (320)"
    )
    output.add_argument(
        "--overwrite", action="store_true", help="replace a file that gvm did not make"
    )


def _add_clips(parser: Parser) -> None:
    parser.add_argument("plate", metavar="PLATE", help="what was matted, as for `gvm matte`")
    parser.add_argument(
        "matte", metavar="MATTE", help="its finished mattes: what `gvm matte -o` was told"
    )
    frames = parser.add_argument_group("which frames")
    frames.add_argument(
        "--frames", default="", metavar="RANGE", help="such as 1001-1100x2 (those with a matte)"
    )
    frames.add_argument(
        "--offset",
        type=int,
        default=0,
        metavar="N",
        help="added to MATTE's frame numbers; a movie's count from 1 (0)",
    )
    matte_options.add_extent(frames)
    plate = parser.add_argument_group("the plate")
    matte_options.add_plate(plate)
    plate.add_argument(
        "--matte-layer",
        default="",
        metavar="NAME",
        help="the layer or channel of MATTE (its alpha, else its first channel)",
    )
