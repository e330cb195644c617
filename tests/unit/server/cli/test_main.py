"""The command line as a whole: which words belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from gvm_server.cli.main import build_parser, main, with_signs

NO_SERVER = {"matte": ["--dry-run", "--no-start"], "roi": []}


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


@pytest.mark.parametrize(
    ("command", "plate"), [("matte", "a.exr"), ("roi", "a.exr"), ("matte", "a.%V.exr")]
)
def test_a_view_that_no_name_asks_for_is_said(tmp_path, capsys, command, plate):
    """A view inside of a file is a layer's name: it was passed over, and the other one matted."""
    out = ["-o", str(tmp_path / "out")] if command == "matte" else []
    assert main([command, str(tmp_path / plate), *out, "--view", "right", *NO_SERVER[command]]) == 3
    said = capsys.readouterr().err
    assert ("--view right does nothing" in said) == ("%V" not in plate)
    assert ("--layer right" in said) == ("%V" not in plate)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("install natron --to=~/x", "to"),
        ("uninstall nuke --to=~/x", "to"),
        ("install ofx --bundle=~/x", "bundle"),
        ("doctor --support=~/x", "support"),
        ("weights verify --weights=~/x", "weights"),
        *((f"farm submit-template p --out o {one}=~/x", one[2:].replace("-", "_"))
          for one in ("--template", "--deadline-cloud", "--deadline", "--opencue", "--afanasy")),
    ],
)  # fmt: skip
def test_a_tilde_that_the_shell_leaves_is_the_home_folder(
    words: str, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Behind a `=` it is left; files were put into a folder of the name `~`."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert getattr(build_parser().parse_args(words.split()), name) == tmp_path / "x"
