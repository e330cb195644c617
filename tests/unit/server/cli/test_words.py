"""Words that are empty: a script's variable that was not set asks for nothing in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_server.cli.main import build_parser, main

SHOT = ("plate.%04d.exr", "mattes")
SUBMIT = ("farm", "submit-template", "plate.%04d.exr", "--out", "mattes", "--dry-run")


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


@pytest.mark.parametrize("option", ["--channels", "--frames", "--roi"])
def test_a_list_of_nothing_is_empty_too(option, capsys):
    """`--channels "$A,$B"` without both was the alpha alone."""
    assert main(["matte", *SHOT, option, " ,"]) == 2
    assert f"gvm: {option} names nothing: ' ,'." in capsys.readouterr().err


def test_what_is_left_out_is_as_it_was():
    """A default may be empty; paths are paths, and what is repeated adds up."""
    parsed = build_parser().parse_args(["matte", "p", "--roi", "1,2,3,4", "--roi", "9:1,2,3,4"])
    assert (parsed.frames, parsed.weights, parsed.out) == ("", "", None)
    assert parsed.roi == ["1,2,3,4", "9:1,2,3,4"]
    again = build_parser().parse_args(["matte", "p"])
    assert (again.roi, again.cut) == ([], [])
    found = build_parser().parse_args(["weights", "show", "--weights", "~/w"])
    assert found.weights == Path("~/w").expanduser()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--frames-per-window", "0"], "--frames-per-window is 0; it must be from 1 to 256."),
        (["--frames-per-window=-08"], "--frames-per-window is -08; it must be from 1 to 256."),
        (["--num_frames_per_batch", "0"], "--num_frames_per_batch is 0; it must be from 1 to"),
        (
            ["--num_frames_per_batch", "4", "--num_overlap_frames", "3"],
            "--num_overlap_frames is 3; it must be from 0 to half of --num_frames_per_batch,",
        ),
        (["--size", "1"], "--size is 1; it must be from 32 to 8192 pixels."),
        (["--roi-scale", "9"], "--roi-scale is 9; it must be from 1 to 4."),
        (["--gamma", "0"], "--gamma is 0; it must be from 0.01 to 100."),
        (["--black", "2"], "--black is 2; it must be below white, here 1.0."),
        (["--grow", "1e999"], "--grow is 1e999; it must be a finite number."),
        (["--max_frames", "-1"], "--max_frames is -1; it must not be negative."),
        (["--ocio-digest", "zz"], "--ocio-digest is 'zz'; it must be at most"),
        (["--seed", "-1", "--noise_type", "gaussian"], "--seed is -1; it must be from 0"),
    ],
)
def test_an_error_names_the_option_and_the_number_as_typed(words, said, capsys):
    """Not the field, not the option's other name, and no number of another form."""
    assert main(["matte", "plate.%04d.exr", "-o", "mattes", "--no-start", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["qc", *SHOT, "--min-coverage", "-1"], "--min-coverage is -1; it must be 0 or more."),
        (["report", *SHOT, "--max-coverage-change", "-.5"], "--max-coverage-change is -.5; it"),
        (["qc", *SHOT, "--max-holes", "-2"], "--max-holes is -2; it must be 0 or more."),
        (["roi", "plate", "--ocio-digest", "zz"], "--ocio-digest is 'zz'; it must be at most"),
        (["qc", *SHOT, "--ocio-digest", "zz"], "--ocio-digest is 'zz'; it must be at most"),
        (["log", "-n", "-5"], "-n is -5; it must be 0 or more."),
        (["roi", "plate", "--size", "1"], "--size is 1; it must be from 32"),
        (["doctor", "--plan", "hd"], "--plan is 'hd'; it must be a size"),
        (
            [*SUBMIT, "--plate-step", "render", "--first=1", "--last=2", "--plate-size", "hd"],
            "--plate-size is 'hd'; it must be a size",
        ),
    ],
)
def test_so_do_other_commands(line, said, capsys):
    """A limit was named by its figure, a plate's size by another command's option."""
    assert main(line) == 2
    assert said in capsys.readouterr().err
