"""Words that are empty: a script's variable that was not set asks for nothing in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_server.cli.main import build_parser, main

SHOT = ("plate.%04d.exr", "mattes")


@pytest.mark.parametrize(
    ("line", "named", "instead"),
    [
        (["matte", *SHOT, "--frames", ""], "--frames", "Leave it out for the whole clip"),
        (["matte", *SHOT, "--frames="], "--frames", "Leave it out for the whole clip"),
        (["matte", *SHOT, "--frames", " \t"], "--frames", "Leave it out for the whole clip"),
        (["matte", "", "-o", "mattes"], "PLATE", "Name one"),
        (["matte", "plate", "-o", ""], "-o", "Name one"),
        (["matte", "--data_dir", "", "--output_dir", "out"], "--data_dir", "Name one"),
        (["matte", *SHOT, "--roi", ""], "--roi", "Leave it out"),
        (["matte", *SHOT, "--garbage", ""], "--garbage", "Leave it out"),
        (["matte", *SHOT, "--weights", ""], "--weights", "Leave it out"),
        (["matte", *SHOT, "--movie", " "], "--movie", "Leave it out"),
        (["farm", "validate", "plate", "--out", "", "--chunk", "9"], "--out", "Name one"),
        (["farm", "submit-template", "plate", "--frames", ""], "--frames", "the whole clip"),
        (["farm", "submit-template", "plate", "--template", ""], "--template", "Leave it out"),
        (["farm", "submit-template", "plate", "--memory", ""], "--memory", "Leave it out"),
        (["qc", *SHOT, "--frames", ""], "--frames", "Leave it out for the whole clip"),
        (["sheet", *SHOT, "--out", ""], "--out", "Leave it out"),
        (["report", *SHOT, "--sheet", ""], "--sheet", "Leave it out"),
        (["report", "plate", ""], "MATTE", "Name one"),
        (["metrics", *SHOT, "--trimap", ""], "--trimap", "Leave it out"),
        (["metrics", *SHOT, "--frames", ""], "--frames", "Leave it out for the whole clip"),
        (["serve", "--root", ""], "--root", "Leave it out"),
        (["verify", ""], "DIR", "Name one"),
        (["cancel", ""], "JOB", "Name one"),
        (["weights", "verify", "--weights", ""], "--weights", "Leave it out"),
        (["install", "ofx", "--to", ""], "--to", "Leave it out"),
        (["doctor", "--support", ""], "--support", "Leave it out"),
    ],
)
def test_an_empty_text_is_refused_by_its_name(line, named, instead, capsys):
    """It was the default, the working folder, or the start of every job's name."""
    assert main(line) == 2
    said = capsys.readouterr().err.splitlines()
    assert said[-2] == f"gvm: {named} is empty."
    assert instead in said[-1]


def test_what_is_left_out_is_as_it_was():
    """A default may be empty; paths are paths, and what is repeated adds up."""
    parsed = build_parser().parse_args(["matte", "p", "--roi", "1,2,3,4", "--roi", "9:1,2,3,4"])
    assert (parsed.frames, parsed.weights, parsed.out) == ("", "", None)
    assert parsed.roi == ["1,2,3,4", "9:1,2,3,4"]
    again = build_parser().parse_args(["matte", "p"])
    assert (again.roi, again.cut) == ([], [])
    found = build_parser().parse_args(["weights", "show", "--weights", "~/w"])
    assert found.weights == Path("~/w")
