"""The command line as a whole: which words belong together."""

from __future__ import annotations

import pytest

from gvm_server.cli.main import build_parser, with_signs


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        ("--roi -8,0,640,480", "roi", ["-8,0,640,480"]),
        ("--roi=-8,0,640,480", "roi", ["-8,0,640,480"]),
        ("--roi -8,0,9,9 --roi 1051:-8,-4,9,9", "roi", ["-8,0,9,9", "1051:-8,-4,9,9"]),
        ("--frames -5--1", "frames", "-5--1"),
        ("--frames -5-10x2,12", "frames", "-5-10x2,12"),
        ("--grow -.5", "grow", -0.5),
        ("--cut -3 --first -9", "cut", [-3]),
    ],
)
def test_a_value_below_zero_belongs_to_its_option(line, option, value):
    """Regions in overscan, frames before zero, a matte that shrinks; the plate where it stands."""
    for words in (["plate", "-o", "out", *line.split()], [*line.split(), "-o", "out", "plate"]):
        parsed = build_parser().parse_args(with_signs(["matte", *words]))
        assert getattr(parsed, option) == value
        assert (parsed.plate, parsed.out) == ("plate", "out")


@pytest.mark.parametrize(
    "line", ["matte -o out plate", "matte --invert -v plate", "matte -- -8.png", "stop --yes"]
)
def test_other_words_stay_as_they_are(line):
    """Options, short ones too, and whatever follows a bare --."""
    assert with_signs(line.split()) == line.split()
